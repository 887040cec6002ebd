"""The helpers' own files: config.toml, the token cache and the logs."""

import os
import stat
from collections.abc import Mapping
from shlex import quote

from credhelpers import config, paths, permissions
from credhelpers.credential import CredentialError, Fix
from credhelpers.finding import Finding, fail, failed, ok, warn
from credhelpers.state_fault import state_fault

_CONFIG, _CACHE, _LOG = "config.toml", "token cache", "log"


def check_settings(environ: Mapping[str, str]) -> tuple[dict[str, str], list[Finding]]:
    """Read the configuration of the helpers, as they do.

    Returns:
        The settings, empty when the helpers refuse them; and the findings.
    """
    try:
        present = [path for path in paths.config_paths(environ) if config.version(path)]
        values = config.read(present)
    except CredentialError as error:
        return {}, [failed(_CONFIG, error)]
    for path in present:
        status = os.stat(path)
        if permissions.is_foreign(status):
            text = f"{path} belongs to another user, who can change which helper is asked"
            remedy = f"as root, if its content is right: chown {os.geteuid()} {quote(path)}"
            return values, [fail(_CONFIG, "foreign", text, remedy)]
        if status.st_mode & 0o022:
            text = f"other users can write to {path}, and so change which helper is asked"
            return values, [
                fail(
                    _CONFIG,
                    "writable-by-others",
                    text,
                    permissions.for_owner(Fix(f"chmod go-w {quote(path)}"), path),
                )
            ]
    if not present:
        return values, [ok(_CONFIG, "it does not exist; every setting has its default")]
    return values, [ok(_CONFIG, f"{' and '.join(present)} can be read, and every key is known")]


def check_cache(environ: Mapping[str, str]) -> Finding:
    """Check that tokens can be cached, and that cached ones are used."""
    if environ.get("AWS_ECR_DISABLE_CACHE"):
        return warn(
            _CACHE, "off", "AWS_ECR_DISABLE_CACHE is set: every pull asks AWS", "unset AWS_ECR_DISABLE_CACHE"
        )
    return _check_directory(_CACHE, environ, "tokens", "every pull asks AWS")


def check_log(environ: Mapping[str, str], names: list[str]) -> Finding:
    """Check that helpers can write their logs.

    Args:
        environ: The environment, which may name the directory.
        names: The helpers, such as ``pass``.
    """
    found = _check_directory(_LOG, environ, "log", "no log is written")
    state = paths.state_directory(environ)
    if found.state != "ok" or state is None:
        return found
    for name in names:
        path = os.path.join(state, "log", f"{name}.log")
        if not os.path.lexists(path):
            continue
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            text = f"{path} is not a regular file, so no log is written"
            return fail(_LOG, "not-a-file", text, permissions.to_make_room(path))
        if status.st_uid != os.geteuid():
            text = f"{path} belongs to another user, so no log is written"
            return fail(_LOG, "foreign", text, permissions.to_make_room(path))
        if not os.access(path, os.W_OK):
            return warn(
                _LOG,
                "read-only",
                f"{path} cannot be written, so no log is written",
                Fix(f"chmod u+w {quote(path)}"),
            )
    return found


def _check_directory(check: str, environ: Mapping[str, str], name: str, otherwise: str) -> Finding:
    """Check a directory of the state; one that does not exist yet is ok where it can be made."""
    fault = state_fault(environ, name)
    if fault is None:
        path = os.path.join(paths.state_directory(environ) or "", name)
        return ok(check, f"{path} is private and writable")
    text = f"{fault.cause}, {'and' if fault.is_distrusted else 'so'} {otherwise}"
    return (fail if fault.is_distrusted else warn)(
        check, "unsafe" if fault.is_distrusted else "unusable", text, fault.remedy
    )
