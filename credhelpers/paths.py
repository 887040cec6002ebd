"""Where things are: the home directory, the state, the configuration."""

import os
import stat

from credhelpers import files
from credhelpers.credential import CredentialError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_FILE = "/etc/credhelpers/config.toml"
"""The configuration for every user of the machine."""


def config_paths(environ: "Mapping[str, str]") -> list[str]:
    """Return the configuration files, in the order of precedence.

    ``CREDHELPERS_CONFIG`` names the only one; otherwise the user's comes before the system's.

    Raises:
        CredentialError: The named one does not exist.
    """
    named = environ.get("CREDHELPERS_CONFIG")
    if named:
        if not files.facts(named):
            raise CredentialError(
                f"the configuration {named} does not exist",
                "correct it, or use the default: unset CREDHELPERS_CONFIG",
                fault="missing",
            )
        return [os.path.abspath(named)]
    home = home_directory(environ)
    base = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    user = [os.path.join(base, "credhelpers", "config.toml")] if os.path.isabs(base) else []
    return [*user, SYSTEM_FILE]


def home_directory(environ: "Mapping[str, str]") -> str | None:
    """Return the user's home directory; None when there is none.

    ``HOME`` counts when it names a directory that belongs to the user; services often start without it or
    with another user's, and then the password database is asked.
    """
    named = environ.get("HOME", "")
    if _is_own_directory(named):
        return named
    import pwd

    try:
        known = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return None
    return known if os.path.isdir(known) else None


def state_directory(environ: "Mapping[str, str]") -> str | None:
    """Return the directory of tokens and logs: ``AWS_ECR_CACHE_DIR``, or ``~/.ecr``; None without a home.

    The variable and the default are those of amazon-ecr-credential-helper (README.md).
    """
    named = environ.get("AWS_ECR_CACHE_DIR", "")
    if named and not named.startswith("~"):
        return os.path.abspath(named)
    home = home_directory(environ)
    if home is None:
        return None
    return os.path.join(home, named[1:].lstrip("/") if named else ".ecr")


def _is_own_directory(path: str) -> bool:
    if not os.path.isabs(path):
        return False
    try:
        status = os.stat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
