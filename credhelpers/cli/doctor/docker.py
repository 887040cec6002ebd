"""Docker's own config.json: whether Docker can read it, who else can, and which helpers it names."""

import os
import stat
from shlex import quote

from credhelpers import permissions
from credhelpers.cli.doctor import config_keys
from credhelpers.cli.shared import ecr_logins
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.former_helpers import leftovers
from credhelpers.credential import CredentialError, Fix
from credhelpers.finding import Finding, fail, ok, warn

_FILE, _MODE, _PLAINTEXT, _KEYS = "config file", "config mode", "plaintext", "credHelpers"
_BACKUP = "backup"


def check_config(path: str, search_path: str) -> tuple[DockerConfig | None, list[Finding]]:
    """Read Docker's configuration.

    Args:
        path: Where it is.
        search_path: The ``PATH`` in which Docker looks for its default helper.

    Returns:
        The configuration, None when Docker cannot read it; and the findings.
    """
    try:
        config = DockerConfig.read(path)
    except CredentialError as error:
        return None, [fail(_FILE, error.fault or "unreadable", error.cause, error.remedy)]
    if not config.exists:
        default = config.helper_for("", search_path)
        known = f"asks docker-credential-{default} by default" if default else "has no credential helper"
        text = f"{path} does not exist, so Docker {known}"
        command = "credhelpers configure --store auto"
        return config, [
            warn(_FILE, "missing", text, command if default else Fix(command)),
            *_leftovers(config),
        ]
    named = f"credsStore is {config.creds_store}" if config.creds_store else "there is no credsStore"
    helpers = f"; credHelpers has {', '.join(config.cred_helpers)}" if config.cred_helpers else ""
    found = [ok(_FILE, f"{path} can be read: {named}{helpers}")]
    found += [_mode(config), *config_keys.check(config), _plaintext(config)]
    return config, [*found, *_leftovers(config), *_keys(config)]


def _mode(config: DockerConfig) -> Finding:
    """Check that only the user can write the file, and read it where it holds secrets."""
    path = os.path.realpath(config.path)
    status = os.stat(path)
    close = permissions.own(f"chmod 600 {quote(path)}", path)
    mode = f"mode {stat.S_IMODE(status.st_mode):04o}"
    if permissions.is_foreign(status):
        return fail(_MODE, "foreign", f"{path} belongs to another user", f"chown $(id -u) {quote(path)}")
    if status.st_mode & 0o022:
        text = f"other users can write to {path} ({mode}), and so change what Docker runs"
        return fail(_MODE, "writable-by-others", text, close)
    if status.st_mode & 0o077 and config.plaintext():
        return fail(
            _MODE,
            "readable-by-others",
            f"other users can read the secrets in {path} ({mode})",
            close,
        )
    directory = os.path.dirname(path)
    owner = os.stat(directory).st_uid
    if owner == os.geteuid() and not os.access(directory, os.W_OK | os.X_OK):
        text = f"you cannot write to {directory}, so docker login fails"
        return warn(_MODE, "read-only", text, permissions.own(f"chmod u+wx {quote(directory)}", directory))
    return ok(_MODE, f"only its owner can write to it ({mode})")


def _plaintext(config: DockerConfig) -> Finding:
    secrets = config.plaintext()
    if not secrets:
        return ok(_PLAINTEXT, "it holds no secret")
    broken = [server for server, secret in secrets.items() if secret.kind == "unreadable"]
    if broken:
        text = f"the auth of {', '.join(broken)} is not base64 of username:password"
        text += "; Docker warns of it, and may miss other secrets in the file"
        return fail(_PLAINTEXT, "unreadable", text, f"credhelpers logout {quote(broken[0])}")
    text = f"it holds secrets in plain text: {', '.join(secrets)}"
    return warn(_PLAINTEXT, "present", text, ecr_logins.to_remove_plaintext(config))


def _leftovers(config: DockerConfig) -> list[Finding]:
    """Find other files with the secrets: backups of former versions, and what killed runs have left."""
    try:
        left = leftovers(config.path)
    except CredentialError as error:
        return [fail(_BACKUP, "unreadable", error.cause, error.remedy.partition(";")[0])]
    remedy = Fix("credhelpers migrate" if config.creds_store else "credhelpers migrate --to pass")
    return [warn(_BACKUP, "secrets", f"{path} may hold secrets in plain text", remedy) for path in left]


def _keys(config: DockerConfig) -> list[Finding]:
    """Find entries of ``credHelpers`` that Docker never uses."""
    return [
        warn(
            _KEYS,
            "never-asked",
            f"credHelpers has {key}, but Docker looks for {docker_key(key)}, and so never asks {helper}",
            f"rename the key in {config.path} to {docker_key(key)}",
        )
        for key, helper in config.cred_helpers.items()
        if docker_key(key) != key
    ]
