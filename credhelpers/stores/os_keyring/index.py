"""Which servers a keyring that cannot enumerate holds: one more entry in that same keyring."""

from credhelpers.stores.listing import listable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.stores.os_keyring.parts import Parts

_SERVICE = "credhelpers: servers and usernames"
_USERNAME = "index"


def read_index(entries: "Parts") -> dict[str, str]:
    """Return the username of each server; empty when the index is missing or damaged, as it is repaired.

    Names that no client could take are left out and named on standard error.
    """
    import json

    try:
        index = json.loads(entries.read(_SERVICE, _USERNAME) or "{}")
    except ValueError:
        return {}
    if not isinstance(index, dict):
        return {}
    return listable(index.items(), "the keyring's index")


def write_index(entries: "Parts", index: dict[str, str]) -> None:
    """Write the index, which holds no secret; an empty one leaves nothing behind."""
    if not index:
        entries.delete(_SERVICE, _USERNAME)
        return
    import json

    entries.write(_SERVICE, _USERNAME, json.dumps(index, ensure_ascii=False, separators=(",", ":")))
