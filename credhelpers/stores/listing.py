"""The entries of a store that can be listed: a bad entry does not keep the others from the list."""

from credhelpers.log import warn
from credhelpers.servers import flaw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def listable(entries: "Iterable[tuple[str, object]]", store: str) -> dict[str, str]:
    """Return the username of each server, without the entries that clients could not use.

    Those are named on standard error.

    Args:
        entries: Server URLs and what should be usernames.
        store: The store's name for messages.
    """
    usernames: dict[str, str] = {}
    for server, username in entries:
        fault = _fault(server, username)
        if fault:
            skip(store, server, fault)
        elif isinstance(username, str):
            usernames[server] = username
    return usernames


def skip(store: str, entry: str, fault: str) -> None:
    """Warn that an entry is not listed."""
    warn(f"{store}: {entry or 'an entry'} is not listed: {fault}")


def _fault(server: str, username: object) -> str:
    if not server:
        return "it has no server URL"
    if flaw(server):
        return f"the server URL {flaw(server)}"
    if not isinstance(username, str):
        return "its username is not a string"
    return f"its username {flaw(username)}" if flaw(username) else ""
