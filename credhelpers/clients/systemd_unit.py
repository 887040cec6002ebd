"""How systemd starts a service: the unit with its drop-ins, the user, the environment, what it may write.

Read from the files, so that it also works in an image that is not running. (systemd.unit(5), systemd.exec(5))
"""

import os
import pwd
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

DIRECTORIES = (
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
)
"""Where units and their drop-ins are, the most important first; below the root."""

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The ``PATH`` of a service whose unit does not set one."""

_HOMES = ("/home", "/root", "/run/user")
_LARGEST = 1 << 20  # characters of a file
_SPECIFIER = re.compile(r"%(.)")


@dataclass(frozen=True)
class Unit:
    """A service.

    Attributes:
        name: Such as ``nomad.service``.
        files: The unit file and its drop-ins, in the order in which they count.
        settings: The values of each key of ``[Service]``; an empty one has removed those before it.
        root: What the paths of the system's own files begin with.
        inherited: What every service of this machine gets in its environment.
        unread: Its files that cannot be read.
    """

    name: str
    files: tuple[str, ...]
    settings: Mapping[str, tuple[str, ...]]
    root: str = "/"
    inherited: Mapping[str, str] | None = None
    unread: tuple[str, ...] = ()

    def last(self, key: str) -> str:
        """Return the value of a key that counts; empty when it is not set."""
        return (self.settings.get(key) or ("",))[-1]

    def words(self, *keys: str) -> list[str]:
        """Return the words of all values of some keys, with quotes removed and specifiers filled in."""
        return [
            self._filled_in(word)
            for key in keys
            for value in self.settings.get(key, ())
            for word in _split(value)
        ]

    @property
    def command(self) -> str:
        """The command line that starts the service."""
        return self._filled_in(self.last("ExecStart").lstrip("@-:+!"))

    @cached_property
    def account(self) -> pwd.struct_passwd | None:
        """The user as whom it runs; None when that user does not exist."""
        name = self.last("User") or "root"
        try:
            return pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
        except KeyError:
            return None

    @property
    def home(self) -> str:
        """The home directory of its user; empty without one."""
        return self.account.pw_dir if self.account else ""

    @cached_property
    def environ(self) -> dict[str, str]:
        """The environment of its processes; there is no ``HOME`` in it unless the unit names a user."""
        environ = {"PATH": SEARCH_PATH, **(self.inherited or {})}
        if self.last("User") and self.account:
            name = self.account.pw_name
            environ |= {"HOME": self.home, "USER": name, "LOGNAME": name, "SHELL": self.account.pw_shell}
        if any(self.settings.get(key) for key in ("LoadCredential", "SetCredential")):
            environ["CREDENTIALS_DIRECTORY"] = f"/run/credentials/{self.name}"
        environ |= dict(word.split("=", 1) for word in self.words("Environment") if "=" in word)
        for path, _ in self.environment_files():
            environ |= _read_variables(self.below_root(path))
        for word in self.words("UnsetEnvironment"):
            name, equals, value = word.partition("=")
            if not equals or environ.get(name) == value:
                environ.pop(name, None)
        return environ

    def environment_files(self) -> list[tuple[str, bool]]:
        """Return the paths of its ``EnvironmentFile``, and whether the service needs each to start."""
        files = [self._filled_in(value) for value in self.settings.get("EnvironmentFile", ())]
        return [(path.removeprefix("-"), not path.startswith("-")) for path in files]

    def credentials(self) -> dict[str, str]:
        """Return the absolute paths of the credentials that it needs to start, by their names.

        A relative one is looked for in several places and may be missing; so may one that has a default.
        """
        defaults = {value.partition(":")[0] for value in self.settings.get("SetCredential", ())}
        pairs = [word.partition(":") for word in self.words("LoadCredential", "LoadCredentialEncrypted")]
        return {name: path for name, _, path in pairs if path.startswith("/") and name not in defaults}

    def hides(self, path: str) -> str:
        """Return the setting that hides a path from the service; empty when it sees the path."""
        if self.last("ProtectHome").lower() in ("yes", "true", "on", "1", "tmpfs") and _below(path, _HOMES):
            return f"ProtectHome={self.last('ProtectHome')}"
        hidden = [word.lstrip("-+") for word in self.words("InaccessiblePaths", "InaccessibleDirectories")]
        return f"InaccessiblePaths={' '.join(hidden)}" if _below(path, hidden) else ""

    def write_protects(self, path: str) -> str:
        """Return the setting that keeps the service from writing to a path; empty when none does."""
        writable = [word.lstrip("-+") for word in self.words("ReadWritePaths", "ReadWriteDirectories")]
        kept = {"CacheDirectory": "/var/cache", "StateDirectory": "/var/lib", "LogsDirectory": "/var/log"}
        writable += [os.path.join(base, word) for key, base in kept.items() for word in self.words(key)]
        read_only = [word.lstrip("-+") for word in self.words("ReadOnlyPaths", "ReadOnlyDirectories")]
        if _below(path, writable):
            return ""
        if hidden := self.hides(path):
            return hidden
        if self.last("ProtectHome").lower() == "read-only" and _below(path, _HOMES):
            return "ProtectHome=read-only"
        protected = self.last("ProtectSystem").lower()
        areas = {"strict": ["/"], "full": ["/usr", "/boot", "/etc"]}.get(protected, [])
        if areas and _below(path, areas) and not _below(path, ("/dev", "/proc", "/sys")):
            return f"ProtectSystem={self.last('ProtectSystem')}"
        return f"ReadOnlyPaths={' '.join(read_only)}" if _below(path, read_only) else ""

    def below_root(self, path: str) -> str:
        """Return where an absolute path of the service is for this process."""
        return os.path.join(self.root, path.lstrip("/"))

    def _filled_in(self, text: str) -> str:
        stem = self.name.removesuffix(".service")
        known = {
            "%": "%",
            "h": self.home if "%h" in text else "",
            "u": self.last("User") or "root",
            "n": self.name,
            "N": stem,
            "p": stem,
            "d": f"/run/credentials/{self.name}",
            "t": "/run",
            "S": "/var/lib",
            "C": "/var/cache",
            "L": "/var/log",
            "E": "/etc",
        }
        return _SPECIFIER.sub(lambda found: known.get(found[1], found[0]), text)


def read_unit(name: str, root: str = "/", inherited: Mapping[str, str] | None = None) -> Unit | None:
    """Read a unit; None when there is none, or when it is masked.

    Args:
        name: With its suffix.
        root: What the paths of the system's own files begin with.
        inherited: What every service gets in its environment; None for systemd's default.
    """
    directories = [os.path.join(root, directory) for directory in DIRECTORIES]
    unit = next((path for path in (f"{one}/{name}" for one in directories) if os.path.lexists(path)), None)
    if unit is None or not os.path.isfile(unit) or not os.path.getsize(unit):
        return None
    dropins: dict[str, str] = {}
    for directory in directories:
        for folder in (f"{directory}/{name}.d", f"{directory}/service.d"):
            for entry in os.listdir(folder) if os.path.isdir(folder) else ():
                if entry.endswith(".conf"):
                    dropins.setdefault(entry, f"{folder}/{entry}")
    files = [unit, *(dropins[entry] for entry in sorted(dropins))]
    settings: dict[str, tuple[str, ...]] = {}
    unread = []
    for path in files:
        try:
            for key, value in _assignments(path):
                settings[key] = (*settings.get(key, ()), value) if value else ()
        except OSError:
            unread.append(path)
    return Unit(name, tuple(files), settings, root, inherited, tuple(unread))


def _assignments(path: str) -> Iterator[tuple[str, str]]:
    """Yield the keys and values of ``[Service]``."""
    section = ""
    for line in _lines(path, "#;"):
        if line.startswith("["):
            section = line.strip()
        elif section == "[Service]" and "=" in line:
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def _lines(path: str, comments: str) -> Iterator[str]:
    """Yield the lines of a file without comments, continued ones as one line."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read(_LARGEST)
    begun = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped and stripped[0] in comments:
            continue
        if stripped.endswith("\\"):
            begun += stripped[:-1] + " "
        elif begun or stripped:
            yield begun + stripped
            begun = ""
    if begun:
        yield begun


def _read_variables(path: str) -> dict[str, str]:
    """Return the variables of an ``EnvironmentFile``; none when it cannot be read."""
    found = {}
    try:
        for line in _lines(path, "#;"):
            name, equals, value = line.partition("=")
            if equals:
                found[name.strip()] = (
                    "".join(_split(value.strip())) if value.strip()[:1] in "\"'" else value.strip()
                )
    except OSError:
        pass
    return found


def _split(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def _below(path: str, places: Sequence[str]) -> bool:
    return any(path == place or path.startswith(place.rstrip("/") + "/") for place in places if place)
