"""All files of the cache together: the hosts that they are for, and which are too old to be used."""

import os

from credhelpers.stores.tokens.cache import ERASED, FAILED, FAST_PATH, STORED, load
from credhelpers.stores.tokens.storage import LOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.stores.tokens.storage import Storage

_NOT_TOKENS = (FAILED, LOCK, ".tmp", ERASED)
_HEXADECIMAL = frozenset("0123456789abcdef")


def cached_hosts(storage: "Storage", longest_life: float, now: float) -> dict[str, str]:
    """Return the username for each host that a valid token was used or stored for."""
    hosts: dict[str, str] = {}
    for name in filter(_is_ours, storage.names()):
        if not name.startswith(FAST_PATH) and not name.endswith(_NOT_TOKENS):
            found = load(storage, name, longest_life)
            if found and found[1].is_valid(now):
                hosts.update(dict.fromkeys(found[1].hosts, found[1].username))
    return hosts


def prune(storage: "Storage", before: float) -> None:
    """Remove the files that were last changed before a time, in seconds since the epoch."""
    for name in filter(_is_ours, storage.names()):
        try:
            is_old = os.lstat(storage.path(name)).st_ctime < before
        except FileNotFoundError:
            continue  # another process prunes too
        if is_old:
            storage.remove(name)


def _is_ours(name: str) -> bool:
    """Return whether a file has a name of the cache's; others are not ours to remove."""
    key = name.partition(".")[0].rpartition("-")[2]
    return name.startswith((STORED, *FAST_PATH)) or (len(key) == 8 and _HEXADECIMAL.issuperset(key))
