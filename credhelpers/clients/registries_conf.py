"""registries.conf of podman, buildah and skopeo, with its drop-ins: read in their order, as they merge it.

(containers-registries.conf(5), containers-registries.conf.d(5), containers/image pkg/sysregistriesv2)
"""

import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn

from credhelpers import permissions
from credhelpers.clients import sed_command
from credhelpers.clients.shared_file import read_if_exists
from credhelpers.credential import CredentialError
from credhelpers.paths import home_directory

AUTH_FILES = "containers-auth.json"
"""What stands for the auth files in ``credential-helpers``."""

_NAME, _DROP_INS = "registries.conf", "registries.conf.d"


@dataclass(frozen=True)
class Registry:
    """One ``[[registry]]`` table.

    Attributes:
        prefix: Of the images that it is for, such as ``registry.example/team``.
        location: What they are pulled from in the prefix's place.
        mirrors: Locations that are tried before it.
        insecure: Whether any certificate is accepted, and plain HTTP.
        blocked: Whether nothing is pulled.
        path: The file that it is in.
    """

    prefix: str
    location: str
    mirrors: tuple[str, ...]
    insecure: bool
    blocked: bool
    path: str


@dataclass
class RegistriesConf:
    """What all files say together.

    Attributes:
        paths: The files that are read, the last one wins.
        helpers: The files that set ``credential-helpers``, and what they set; the last one counts.
        hidden: The same of drop-ins that are not read, because the user has a registries.conf of their own.
        search: ``unqualified-search-registries``.
        registries: The tables by their prefix.
        old_format: The file that is in the format of version 1; empty for none.
    """

    paths: list[str]
    helpers: list[tuple[str, list[str]]] = field(default_factory=list)
    hidden: list[tuple[str, list[str]]] = field(default_factory=list)
    search: list[str] = field(default_factory=list)
    registries: dict[str, Registry] = field(default_factory=dict)
    old_format: str = ""

    @property
    def asked(self) -> list[str]:
        """The helpers that are asked, in this order; `AUTH_FILES` alone when no file names one."""
        return (self.helpers[-1][1] if self.helpers else []) or [AUTH_FILES]

    def registry_for(self, server: str) -> Registry | None:
        """Return the table for a registry as a whole; None when there is none."""
        if server in self.registries:
            return self.registries[server]
        below = [
            prefix for prefix in self.registries if prefix.startswith("*.") and server.endswith(prefix[1:])
        ]
        return self.registries[max(below, key=len)] if below else None


def read(environ: Mapping[str, str], root: str) -> RegistriesConf:
    """Read all files.

    Args:
        environ: The environment, which leads to the user's files and may name the main one.
        root: What the paths of the system's files begin with.

    Raises:
        CredentialError: podman refuses a file, and with it every pull; or it cannot be read.
    """
    paths, hidden = _files(environ, root)
    config = RegistriesConf(paths)
    for path in paths:
        _add(config, path)
    unread = RegistriesConf(hidden)
    for path in hidden:
        with suppress(CredentialError):
            _add(unread, path)
    config.hidden = unread.helpers
    return config


def _files(environ: Mapping[str, str], root: str) -> tuple[list[str], list[str]]:
    """Return the files that are read, and the drop-ins that are not."""
    system = os.path.join(root, "etc", "containers")
    named, home = environ.get("CONTAINERS_REGISTRIES_CONF", ""), home_directory(environ)
    own = os.path.join(home, ".config", "containers") if home else ""  # whatever XDG_CONFIG_HOME says
    mine = os.path.join(own, _NAME) if own else ""
    system_drop_ins, own_drop_ins = _drop_ins(system), _drop_ins(own) if own else []
    if named:
        main, hidden = os.path.abspath(named), []
    elif mine and os.path.exists(mine):
        main, hidden, system_drop_ins = mine, system_drop_ins, []
    else:
        main, hidden = os.path.join(system, _NAME), []
    return [*([main] if os.path.exists(main) else []), *system_drop_ins, *own_drop_ins], hidden


def _drop_ins(directory: str) -> list[str]:
    try:
        names = sorted(os.listdir(os.path.join(directory, _DROP_INS)))
    except OSError:
        return []
    found = [os.path.join(directory, _DROP_INS, name) for name in names if name.endswith(".conf")]
    return [path for path in found if os.path.isfile(path)]


def _add(config: RegistriesConf, path: str) -> None:
    content = _load(path)
    tables = content.get("registries")
    is_old = isinstance(tables, dict) and bool(tables)
    if is_old and (content.keys() - {"registries"} or os.path.dirname(path).endswith(_DROP_INS)):
        _refuse(path, "mixes the formats of version 1 and 2")
    if is_old:
        config.old_format = path
    for table in _tables(path, content):
        config.registries[table.prefix] = table
    for key, texts in (("credential-helpers", None), ("unqualified-search-registries", config)):
        value = content.get(key)
        if value is None:
            continue
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            _refuse(path, f"is not valid: {key} must be a list of texts")
        if texts is None:
            config.helpers.append((path, value))
        else:
            config.search = [_location(path, item) for item in value]


def _tables(path: str, content: dict[str, object]) -> list[Registry]:
    tables = content.get("registry", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        _refuse(path, "is not valid: registry must be a list of tables")
    found = []
    for table in tables:
        location = _location(path, str(table.get("location", "")))
        prefix = _location(path, str(table.get("prefix", ""))) or location
        if not prefix or not (location or prefix.startswith("*.")):
            _refuse(path, "has a registry without a location")
        mirrors = table.get("mirror", [])
        if not isinstance(mirrors, list) or not all(isinstance(mirror, dict) for mirror in mirrors):
            _refuse(path, "is not valid: mirror must be a list of tables")
        ends = tuple(_location(path, str(mirror.get("location", ""))) for mirror in mirrors)
        insecure, blocked = table.get("insecure") is True, table.get("blocked") is True
        found.append(Registry(prefix, location, ends, insecure, blocked, path))
    return found


def _location(path: str, text: str) -> str:
    if text.startswith(("http://", "https://")):
        scheme = text.partition("://")[0]
        raise CredentialError(
            f"{path} has the location {text}, and a location is a host without {scheme}://",
            sed_command.replace(path, f"{scheme}://", ""),
            fault="scheme",
        )
    return text.rstrip("/")


def _load(path: str) -> dict[str, object]:
    try:
        return tomllib.loads((read_if_exists(path) or b"").decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        _refuse(path, f"is not valid TOML: {error}")


def _refuse(path: str, what: str) -> NoReturn:
    remedy = permissions.for_owner(permissions.to_move_away(path), path)
    raise CredentialError(f"{path} {what}", remedy, fault="invalid") from None
