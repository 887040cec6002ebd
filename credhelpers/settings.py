"""Where things are, and what the configuration says: from the environment, and from config.toml."""

import os
import stat

from credhelpers import files
from credhelpers.credential import CredentialError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Value = str | int | float | bool

DEFAULTS: "dict[str, Value]" = {
    "not_found": "error",
    "log.level": "info",
    "log.syslog": False,
    "log.max_bytes": 1 << 20,
    "ecr.call_seconds": 10.0,
    "ecr.connect_seconds": 2.0,
    "ecr.read_seconds": 3.0,
    "ecr.metadata_seconds": 0.75,
    "ecr.attempts": 3,
    "ecr.last_seconds": 900.0,
    "ecr.failure_seconds": 60.0,
    "ecr.cache_process_credentials": False,
    "auto.default": "",
    "auto.helper_seconds": 30.0,
}
"""Every setting outside the tables that repeat, with its type and what it is when nobody says otherwise."""

SYSTEM_FILE = "/etc/credhelpers/config.toml"
_COMPILED_FORMAT = "credhelpers settings 2"
_LARGEST = 1 << 20  # bytes


class Settings:
    """What the configuration files say, flat: ``ecr.registry.0.match`` is a key.

    Args:
        values: Each key that a file sets, and its value as text.
        versions: The files that were looked for, and the `files.facts` of each when it was read.
    """

    def __init__(self, values: "Mapping[str, str]", versions: "Mapping[str, str] | None" = None) -> None:
        self._values = values
        self.versions = versions or {}

    def text(self, key: str) -> str:
        """Return a setting that is text, or its default."""
        return self._values.get(key) or str(DEFAULTS[key])

    def number(self, key: str) -> float:
        """Return a setting that is a number, or its default."""
        return float(self._values.get(key) or DEFAULTS[key])

    def flag(self, key: str) -> bool:
        """Return a setting that is true or false, or its default."""
        return (self._values.get(key) or str(DEFAULTS[key])) == "True"

    def tables(self, prefix: str) -> list[dict[str, str]]:
        """Return the tables that repeat under a name, in the order in which they count."""
        tables: dict[str, dict[str, str]] = {}
        for key, value in self._values.items():
            if key.startswith(prefix + "."):
                index, _, name = key[len(prefix) + 1 :].partition(".")
                tables.setdefault(index, {})[name] = value
        return list(tables.values())


def load(environ: "Mapping[str, str]") -> Settings:
    """Return the settings; without a configuration file that costs two system calls.

    The files are read once for each change of theirs: what they say is kept in the state directory in a form
    that is read without a parser.

    Raises:
        CredentialError: A file cannot be read or says something that no setting allows; it names file, line
            and key.
    """
    versions = {path: version(path) for path in config_paths(environ)}
    present = [path for path, facts in versions.items() if facts]
    if not present:
        return Settings({}, versions)
    key = repr(versions)
    state = state_directory(environ)
    compiled = os.path.join(state, "settings") if state else ""
    values = _read_compiled(compiled, key)
    if values is None:
        from credhelpers import config

        values = config.read(present)
        if compiled:
            _write_compiled(compiled, key, values)
    return Settings(values, versions)


def config_paths(environ: "Mapping[str, str]") -> list[str]:
    """Return the configuration files, those that count more first.

    ``CREDHELPERS_CONFIG`` names the only one; else the user's comes before the system's.

    Raises:
        CredentialError: The one that is named does not exist.
    """
    named = environ.get("CREDHELPERS_CONFIG")
    if named:
        if not version(named):
            raise CredentialError(
                f"the configuration {named} does not exist",
                "correct it, or do without: unset CREDHELPERS_CONFIG",
            )
        return [os.path.abspath(named)]
    home = home_directory(environ)
    base = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    user = [os.path.join(base, "credhelpers", "config.toml")] if os.path.isabs(base) else []
    return [*user, SYSTEM_FILE]


def home_directory(environ: "Mapping[str, str]") -> str | None:
    """Return the user's home, or None when there is none.

    ``HOME`` counts when it names a directory of the user's own; services often start with none at all or
    with another user's, and then the password database knows better.
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


def version(path: str) -> str:
    """Return what tells one version of a configuration file from every other; empty when there is none.

    Raises:
        CredentialError: It cannot be looked at.
    """
    version = files.facts(path)
    if version == "unreadable":
        from credhelpers import permissions

        try:
            os.stat(path)
        except OSError as error:
            remedy = permissions.to_read(path, error)
            raise CredentialError(f"cannot read {path}: {error.strerror}", remedy) from None
    return version


def _read_compiled(path: str, key: str) -> dict[str, str] | None:
    try:
        lines = files.read_private(path, _LARGEST).decode().split("\n")
    except (OSError, UnicodeDecodeError):
        return None
    if lines[:2] != [_COMPILED_FORMAT, key] or lines[-1] or not all("=" in line for line in lines[2:-1]):
        return None
    return dict(line.split("=", 1) for line in lines[2:-1])


def _write_compiled(path: str, key: str, values: dict[str, str]) -> None:
    lines = [_COMPILED_FORMAT, key, *(f"{name}={value}" for name, value in values.items()), ""]
    try:
        files.make_private_directory(os.path.dirname(path))
        files.replace(path, "\n".join(lines).encode())
    except OSError:
        return  # then the next call parses again
