"""The freedesktop.org Secret Service API, version 0.2, as far as credentials need it."""

from credhelpers.credential import StoreUnavailable
from credhelpers.stores.os_keyring.bus import START_GNOME, Call, Gone, SessionBus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Attributes = dict[str, str]

_BUS_NAME = "org.freedesktop.secrets"
_ROOT = "/org/freedesktop/secrets"
_SERVICE = "org.freedesktop.Secret.Service"
_COLLECTION = "org.freedesktop.Secret.Collection"
_ITEM = "org.freedesktop.Secret.Item"
_PROMPT = "org.freedesktop.Secret.Prompt"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_NOTHING = "/"  # the object path that stands for no object
_PROMPT_SECONDS = 60.0  # for a person to find a password; without a display there is no prompt
UNLOCK = f"unlock it, and type its password: {START_GNOME}"
CREATE = f"create one, and type a password for it: {START_GNOME}"
"""What to do about a locked collection, and about a missing one."""


class SecretService:
    """The keyring on the session bus. Items and collections are named by their D-Bus object paths.

    Args:
        environ: Says where the session bus is, and whether there is a display to prompt on.

    Raises:
        NoService: There is no session bus, or no Secret Service on it.
        StoreUnavailable: It does not answer. Every method may raise this too.
    """

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.bus = SessionBus(environ, _BUS_NAME)
        self._can_prompt = bool(environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY"))
        # Secrets pass unencrypted over a socket that only this user and root can reach, and each of these
        # can ask the keyring itself. The encrypted session would protect from no one else, and it would cost
        # the import of a cryptography library, which takes longer than the rest of an answer.
        plain = Call(_ROOT, _SERVICE, "OpenSession", "sv", ("plain", ("s", "")))
        _, self._session = self.bus.call(plain)

    def search(self, queries: "list[Attributes]") -> list[tuple[list[str], list[str]]]:
        """Return for each query the unlocked and the locked items that have these attributes."""
        calls = [Call(_ROOT, _SERVICE, "SearchItems", "a{ss}", (query,)) for query in queries]
        return [(reply[0], reply[1]) if reply else ([], []) for reply in self.bus.call_all(calls)]

    def attributes(self, items: list[str]) -> "list[Attributes | None]":
        """Return the attributes of each item; None for one that is gone."""
        replies = self.bus.call_all([_get(item, _ITEM, "Attributes") for item in items])
        return [reply[0][1] if reply else None for reply in replies]

    def newest(self, items: list[str]) -> str:
        """Return the item that was changed last."""
        if len(items) == 1:
            return items[0]
        replies = self.bus.call_all([_get(item, _ITEM, "Modified") for item in items])
        changed = [reply[0][1] if reply else -1 for reply in replies]
        # The times are in whole seconds; within one the higher number in the path is newer (GNOME).
        return max(zip(changed, map(len, items), items, strict=True))[2]

    def reveal(self, item: str) -> "tuple[Attributes, bytes]":
        """Return the attributes and the secret of an item; raises `Gone`."""
        get_secret = Call(item, _ITEM, "GetSecret", "o", (self._session,))
        attributes, secret = self.bus.call_all([_get(item, _ITEM, "Attributes"), get_secret])
        if attributes is None or secret is None:
            raise Gone("the item is gone from the keyring", "try again")
        return attributes[0][1], bytes(secret[0][2])

    def create(self, collection: str, label: str, attributes: "Attributes", secret: bytes) -> str:
        """Make an item, or replace the one that has the same attributes, and return it."""
        properties = {f"{_ITEM}.Label": ("s", label), f"{_ITEM}.Attributes": ("a{ss}", attributes)}
        value = (self._session, b"", secret, "text/plain")
        item: str
        item, prompt = self.bus.call(
            Call(collection, _COLLECTION, "CreateItem", "a{sv}(oayays)b", (properties, value, True))
        )
        if prompt != _NOTHING:
            item = self._ask(prompt, "to store in the keyring")[1]
        return item

    def delete(self, items: list[str]) -> None:
        """Delete items; ones that are gone already are skipped."""
        for reply in self.bus.call_all([Call(item, _ITEM, "Delete") for item in items]):
            if reply is not None and reply[0] != _NOTHING:
                self._ask(reply[0], "to delete from the keyring")

    def default_collection(self) -> str | None:
        """Return the collection that new items go to; None when there is none."""
        path: str = self.bus.call(Call(_ROOT, _SERVICE, "ReadAlias", "s", ("default",)))[0]
        return None if path == _NOTHING else path

    def create_default_collection(self, label: str) -> str:
        """Make the collection that new items go to, by a prompt for its password, and return it.

        Raises:
            StoreUnavailable: There is no display, or the prompt was dismissed or not answered.
        """
        if not self._can_prompt:
            raise StoreUnavailable("the keyring has no default collection to store in", CREATE)
        properties = {f"{_COLLECTION}.Label": ("s", label)}
        collection: str
        call = Call(_ROOT, _SERVICE, "CreateCollection", "a{sv}s", (properties, "default"))
        collection, prompt = self.bus.call(call)
        if prompt != _NOTHING:
            collection = self._ask(prompt, "to make the keyring's default collection")[1]
        return collection

    def is_locked(self, collection: str) -> bool:
        """Return whether a collection is locked."""
        return bool(self.bus.call(_get(collection, _COLLECTION, "Locked"))[0][1])

    def unlock(self, paths: list[str]) -> list[str]:
        """Unlock items or collections, by a prompt where there is a display, and return their paths.

        Raises:
            StoreUnavailable: They stay locked: no display, or the prompt was dismissed or not answered.
        """
        if paths:
            _, prompt = self.bus.call(Call(_ROOT, _SERVICE, "Unlock", "ao", (paths,)))
            if prompt != _NOTHING:
                self._ask(prompt, "to unlock the keyring")
        return paths

    def _ask(self, prompt: str, purpose: str) -> "tuple[str, str]":
        """Show a prompt and return the signature and the value of its result."""
        if not self._can_prompt:
            cause = "the keyring is locked, and there is no display to ask for its password on"
            raise StoreUnavailable(cause, UNLOCK)
        self.bus.subscribe(prompt, _PROMPT, "Completed")
        self.bus.call(Call(prompt, _PROMPT, "Prompt", "s", ("",)))
        try:
            dismissed, result = self.bus.wait_for(prompt, "Completed", _PROMPT_SECONDS)
        except TimeoutError:
            self.bus.call(Call(prompt, _PROMPT, "Dismiss"))
            cause = f"the prompt {purpose} was not answered within {_PROMPT_SECONDS:g} s"
            raise StoreUnavailable(cause, "try again and answer it") from None
        if dismissed:
            raise StoreUnavailable(f"the prompt {purpose} was dismissed", "try again and answer it")
        signature, value = result
        return signature, value


def _get(path: str, interface: str, name: str) -> Call:
    return Call(path, _PROPERTIES, "Get", "ss", (interface, name))
