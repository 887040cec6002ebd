"""What the helpers keep and read themselves: config.toml, the token cache and the logs."""

import os
from collections.abc import Mapping
from shlex import quote

from credhelpers import config, files, settings
from credhelpers.cli.checks.finding import Finding, fail, failed, ok, warn
from credhelpers.credential import CredentialError

_CONFIG, _CACHE, _LOG = "config.toml", "token cache", "log"


def check_settings(environ: Mapping[str, str]) -> tuple[dict[str, str], list[Finding]]:
    """Read the configuration of the helpers, as they do.

    Returns:
        What it says, nothing when the helpers refuse it; and what is to be said about it.
    """
    try:
        paths = [path for path in settings.config_paths(environ) if os.path.exists(path)]
        values = config.read(paths)
    except CredentialError as error:
        return {}, [failed(_CONFIG, error)]
    for path in paths:
        status = os.stat(path)
        if status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o022:
            text = f"other users may write to {path}, and so choose who is asked for what"
            return values, [fail(_CONFIG, text, f"chmod go-w {quote(path)}")]
    if not paths:
        return values, [ok(_CONFIG, "there is none, so every setting has its default")]
    return values, [ok(_CONFIG, f"{' and '.join(paths)} can be read, and every key is known")]


def check_cache(environ: Mapping[str, str]) -> Finding:
    """Say whether tokens can be kept, and whether what is kept would be used."""
    if environ.get("AWS_ECR_DISABLE_CACHE"):
        return warn(
            _CACHE, "AWS_ECR_DISABLE_CACHE is set: AWS is asked for every pull", "unset AWS_ECR_DISABLE_CACHE"
        )
    return _check_directory(_CACHE, environ, "tokens", "AWS is asked for every pull")


def check_log(environ: Mapping[str, str], names: list[str]) -> Finding:
    """Say whether helpers can write their logs.

    Args:
        environ: Tells where the logs are.
        names: The helpers, such as ``pass``.
    """
    found = _check_directory(_LOG, environ, "log", "no log is written")
    state = settings.state_directory(environ)
    if found.state != "ok" or state is None:
        return found
    for name in names:
        path = os.path.join(state, "log", f"{name}.log")
        if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
            return fail(_LOG, f"{path} is no regular file, so no log is written", f"rm -r {quote(path)}")
        if os.path.exists(path) and not os.access(path, os.W_OK):
            return warn(_LOG, f"{path} cannot be written, so no log is", f"chmod u+w {quote(path)}")
    return found


def _check_directory(check: str, environ: Mapping[str, str], name: str, otherwise: str) -> Finding:
    """Check a directory of the state; one that does not exist yet is good where it can be made."""
    state = settings.state_directory(environ)
    if state is None:
        return warn(check, f"there is no home directory, so {otherwise}", "set HOME or AWS_ECR_CACHE_DIR")
    path = os.path.join(state, name)
    existing = path
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    try:
        if existing in (path, state):
            files.trust_directory(existing)
    except OSError as error:
        remedy = f"mv {quote(existing)} {quote(existing + '.distrusted')}"
        return fail(check, f"{error.strerror or error}, so it is not used, and {otherwise}", remedy)
    if not os.path.isdir(existing) or not os.access(existing, os.W_OK | os.X_OK):
        return warn(
            check, f"{existing} cannot be written, so {otherwise}", f"chown $(id -u) {quote(existing)}"
        )
    room = os.statvfs(existing)
    if room.f_blocks and not room.f_bavail:
        return warn(check, f"the disk of {existing} is full, so {otherwise}", f"df {quote(existing)}")
    return ok(check, f"{path} is private and can be written")
