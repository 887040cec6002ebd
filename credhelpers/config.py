"""The settings of config.toml: every key is checked, every error names file, line and key."""

import os

from credhelpers import files, paths
from credhelpers.credential import CredentialError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

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
"""Every setting outside the tables that repeat, with its default, which also gives its type."""

_CHOICES = {"not_found": ("error", "empty"), "log.level": ("debug", "info", "warning", "error")}

_KINDS = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number"}

_ROLE = ("profile", "role_arn", "external_id", "session_name")
_PLACE = ("region", "account", "endpoint_url")
_TABLES = {"ecr.registry": ("match", *_ROLE, *_PLACE), "auto.route": ("match", "helper", "as")}
"""The tables that repeat, and the keys of each."""

_REQUIRED = {"ecr.registry": ("match",), "auto.route": ("match", "helper")}

_HELPER_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")

_COMPILED_FORMAT = "credhelpers settings 2"
_LARGEST = 1 << 20  # bytes


class Settings:
    """The settings of the configuration files, flat: ``ecr.registry.0.match`` is a key.

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
        """Return the tables that repeat under a name, in the order of the files."""
        tables: dict[str, dict[str, str]] = {}
        for key, value in self._values.items():
            if key.startswith(prefix + "."):
                index, _, name = key[len(prefix) + 1 :].partition(".")
                tables.setdefault(index, {})[name] = value
        return list(tables.values())


def load(environ: "Mapping[str, str]") -> Settings:
    """Return the settings; without a configuration file this costs two system calls.

    The files are parsed once for each change: the settings are kept in the state directory in a form that
    needs no parser.

    Raises:
        CredentialError: A file cannot be read or has an invalid key or value; the cause names file, line
            and key.
    """
    versions = {path: version(path) for path in paths.config_paths(environ)}
    present = [path for path, facts in versions.items() if facts]
    if not present:
        return Settings({}, versions)
    key = repr(versions)
    state = paths.state_directory(environ)
    compiled = os.path.join(state, "settings") if state else ""
    values = _read_compiled(compiled, key)
    if values is None:
        values = read(present)
        if compiled:
            _write_compiled(compiled, key, values)
    return Settings(values, versions)


def version(path: str) -> str:
    """Return what identifies this version of a configuration file; empty when it does not exist.

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
            cause = f"cannot read {path}: {error.strerror}"
            raise CredentialError(cause, remedy, fault="unreadable") from None
    return version


def read(configured: list[str]) -> dict[str, str]:
    """Return the settings of the files; a key of an earlier file overrides the same key of a later one.

    Raises:
        CredentialError: A file is not readable, not TOML, or has an invalid key or value.
    """
    values: dict[str, str] = {}
    counts = dict.fromkeys(_TABLES, 0)
    for path in configured:
        file = _File(path)
        for key, value in file.settings():
            values.setdefault(key, value)
        for name in _TABLES:
            for table in file.tables(name):
                for key, value in table.items():
                    values[f"{name}.{counts[name]}.{key}"] = value
                counts[name] += 1
    return values


class _File:
    def __init__(self, path: str) -> None:
        import tomllib

        from credhelpers import permissions

        self._path = path
        try:
            self._text = files.read_regular(path, _LARGEST).decode()
            self._content = tomllib.loads(self._text)
        except files.Untrusted as error:
            remedy = f"move it away: {permissions.to_move_away(path)}"
            raise CredentialError(str(error), remedy, fault="not-a-file") from None
        except OSError as error:
            remedy = permissions.to_read(path, error)
            cause = f"cannot read {path}: {error.strerror}"
            raise CredentialError(cause, remedy, fault="unreadable") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            cause = f"{path} is not valid TOML: {error}"
            raise CredentialError(cause, "correct the file", fault="invalid-toml") from None
        self._check_keys("", self._content)

    def settings(self) -> list[tuple[str, str]]:
        """Return the keys outside the tables that repeat."""
        found = []
        for key, default in DEFAULTS.items():
            value = self._lookup(key)
            if value is None:
                continue
            if isinstance(default, float) and type(value) is int:
                value = float(value)
            if type(value) is not type(default):
                self._complain(key, f"must be {_KINDS[type(default)]}")
            if key in _CHOICES and value not in _CHOICES[key]:
                self._complain(key, f"must be one of {', '.join(_CHOICES[key])}")
            if isinstance(value, (int, float)) and not isinstance(value, bool) and not 0 < value < 1e9:
                self._complain(key, "must be more than 0")
            if key == "auto.default":
                self._check_helper(key, str(value))
            found.append((key, str(value)))
        return found

    def tables(self, name: str) -> list[dict[str, str]]:
        """Return the tables that repeat under a name, checked."""
        tables = self._lookup(name)
        if tables is None:
            return []
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._complain(name, f"must be written as [[{name}]]")
        for index, table in enumerate(tables):
            self._check_table(name, table, index)
        return list(tables)

    def _check_table(self, name: str, table: dict[str, object], index: int) -> None:
        for key, value in table.items():
            if key not in _TABLES[name]:
                self._complain(f"{name}.{key}", "is not known", index, fault="unknown-key")
            if not isinstance(value, str) or not value or not value.isprintable():
                self._complain(f"{name}.{key}", "must be a line of text", index)
        for key in _REQUIRED[name]:
            if key not in table:
                self._complain(f"{name}.{key}", "is missing", index, fault="missing-key")
        if name == "auto.route":
            self._check_helper(f"{name}.helper", str(table["helper"]), index)
        elif "account" in table:
            self._check_account(table, index)

    def _check_account(self, table: dict[str, object], index: int) -> None:
        if "region" not in table:
            what = "is missing, and account needs it"
            self._complain("ecr.registry.region", what, index, fault="missing-key")
        if "." not in str(table["match"]).strip("*?."):
            self._complain("ecr.registry.match", "must name a domain beside account: it gets tokens", index)

    def _check_helper(self, key: str, name: str, index: int = 0) -> None:
        """Refuse what cannot follow ``docker-credential-``, and auto, which would start itself."""
        if not name or not _HELPER_CHARACTERS.issuperset(name):
            self._complain(key, "must be what follows docker-credential- in a helper's name", index)
        if name == "auto":
            self._complain(key, "must not be auto, which would start itself", index)

    def _check_keys(self, prefix: str, table: dict[str, object]) -> None:
        for name, value in table.items():
            key = prefix + name
            is_table = any(known.startswith(key + ".") for known in (*DEFAULTS, *_TABLES))
            if is_table and isinstance(value, dict):
                self._check_keys(key + ".", value)
            elif is_table and key not in _TABLES:
                self._complain(key, "must be a table")
            elif key not in DEFAULTS and key not in _TABLES:
                self._complain(key, "is not known", fault="unknown-key")

    def _lookup(self, key: str) -> object:
        value: object = self._content
        for name in key.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    def _complain(self, key: str, what: str, index: int = 0, fault: str = "") -> "NoReturn":
        line = self._line_of(key, index)
        raise CredentialError(
            f"{self._path}, line {line}: {key} {what}", "correct the file", fault=fault or "invalid-value"
        )

    def _line_of(self, key: str, index: int) -> int:
        """Return the line of a key, or the first one of its table; the parser does not keep lines."""
        table, _, name = key.rpartition(".")
        header, best, seen = "", 1, -1
        for number, line in enumerate(self._text.splitlines(), 1):
            text = line.strip()
            if text.startswith("["):
                header = text.partition("]")[0].strip("[ ")
                seen += header == table
                if header in (table, key) and seen in (index, -1):
                    best = number
            elif header == table and seen in (index, -1) and text.partition("=")[0].strip(" \"'") == name:
                return number
        return best


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
        return  # the next call parses again
