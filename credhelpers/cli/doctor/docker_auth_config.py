"""What overrides config.json for Docker's CLI: DOCKER_AUTH_CONFIG, DOCKER_CONFIG, and the home of sudo."""

import grp
import os
import pwd
from collections.abc import Mapping
from shlex import quote

from credhelpers import paths, process
from credhelpers.cli.doctor.clients.program_version import program_version
from credhelpers.clients import docker_auth_config
from credhelpers.clients.docker_auth_config import NAME
from credhelpers.clients.docker_config import DockerConfig, docker_config_path, docker_key
from credhelpers.credential import Credential, CredentialError
from credhelpers.finding import Finding, ok, warn

_VARIABLE, _DIRECTORY, _SUDO = NAME, "DOCKER_CONFIG", "sudo"
_SINCE = (28, 3)
"""The first version of Docker's CLI that reads the variable."""
_GROUP = "docker"


def check_environment(config: DockerConfig | None, environ: Mapping[str, str]) -> list[Finding]:
    """Find what in the environment makes Docker's CLI use another credential than that of config.json.

    Args:
        config: Docker's configuration; None when Docker cannot read it.
        environ: The environment of the CLI.
    """
    if config is None:
        return []
    return [*_variable(config, environ), *_directory(config, environ), *_sudo(config, environ)]


def taken_first(environ: Mapping[str, str]) -> dict[str, Credential]:
    """Return what Docker's CLI takes from the environment before it asks a helper, by server."""
    if not environ.get(NAME) or _old_version(environ):
        return {}
    try:
        return docker_auth_config.credentials(environ)
    except CredentialError:
        return {}  # Docker ignores it, too


def _old_version(environ: Mapping[str, str]) -> str:
    """Return the version of a docker that does not read the variable; empty for one that does."""
    version = program_version(process.find(("docker",), environ), environ)
    return ".".join(map(str, version)) if version and version < _SINCE else ""


def _variable(config: DockerConfig, environ: Mapping[str, str]) -> list[Finding]:
    if not environ.get(NAME):
        return []
    shown = _old_version(environ)
    if shown:
        return [ok(_VARIABLE, f"it is set, but docker {shown} does not read it; 28.3 and later do")]
    try:
        servers = list(docker_auth_config.credentials(environ))
    except CredentialError as error:
        text = f"{error.cause}; Docker ignores all of it"
        return [warn(_VARIABLE, "ignored", text, error.remedy)]
    found = [
        warn(
            _VARIABLE,
            "never-asked",
            f"it has {server}, but Docker looks for {docker_key(server)}, and so never uses it",
            f"rename the key in {NAME} to {docker_key(server)}",
        )
        for server in servers
        if docker_key(server) != server
    ]
    search_path = environ.get("PATH", "")
    shadowed = [name for name in servers if docker_key(name) == name and config.helper_for(name, search_path)]
    if shadowed:
        helper = config.helper_for(shadowed[0], search_path)
        text = f"Docker takes the credential for {', '.join(shadowed)} from it, and never asks {helper}"
        return [*found, warn(_VARIABLE, "shadows", text, f"unset {NAME}")]
    return found or [
        ok(_VARIABLE, f"Docker takes the credential for {', '.join(servers) or 'no server'} from it")
    ]


def _directory(config: DockerConfig, environ: Mapping[str, str]) -> list[Finding]:
    named, home = environ.get("DOCKER_CONFIG"), paths.home_directory(environ)
    default = os.path.join(home, ".docker", "config.json") if home else ""
    if (
        not named
        or config.exists
        or config.path != docker_config_path(environ)
        or not os.path.exists(default)
    ):
        return []
    text = f"DOCKER_CONFIG is {named}, which has no config.json, so Docker does not read {default}"
    return [warn(_DIRECTORY, "elsewhere", text, "unset DOCKER_CONFIG")]


def _sudo(config: DockerConfig, environ: Mapping[str, str]) -> list[Finding]:
    """Find the credentials of the user who called sudo, which Docker does not look for as root."""
    user = environ.get("SUDO_USER", "")
    try:
        other = os.path.join(pwd.getpwnam(user).pw_dir, ".docker", "config.json") if user else ""
        theirs = DockerConfig.read(other) if other and os.path.exists(other) else None
    except (KeyError, OSError, CredentialError):
        return []
    if theirs is None or os.geteuid() != 0 or other == config.path or _names_any(config):
        return []
    if not _names_any(theirs):
        return []
    text = f"as root Docker reads {config.path}, not {other}, where {user} has credentials"
    if _is_member(user):
        return [ok(_SUDO, f"{text}; {user} can run docker without sudo")]
    return [
        warn(
            _SUDO,
            "other-home",
            text,
            f"let {user} run docker without sudo: usermod -aG {_GROUP} {quote(user)}",
        )
    ]


def _names_any(config: DockerConfig) -> bool:
    """Return whether a configuration leads to any credential."""
    return bool(config.creds_store or config.cred_helpers or config.plaintext())


def _is_member(user: str) -> bool:
    try:
        return user in grp.getgrnam(_GROUP).gr_mem
    except KeyError:
        return False
