"""Credentials in the Linux Secret Service, as the same items that docker-credential-secretservice keeps.

Attributes and label are those of docker-credential-helpers 0.9 (secretservice/secretservice.c and .go).
"""

from credhelpers.credential import Credential, CredentialsNotFound, StoreUnavailable
from credhelpers.servers import candidate_keys
from credhelpers.stores.listing import listable
from credhelpers.stores.os_keyring.bus import Gone
from credhelpers.stores.os_keyring.service import CREATE, SecretService

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_WRITERS = "credhelpers.KeyringWriters"
_WRITER_SECONDS = 20.0
_ATTEMPTS = 10


class SecretServiceStore:
    """Credentials as items of the Secret Service; the keyring itself is the only index.

    Args:
        environ: Says where the session bus is, and whether there is a display to prompt on.

    Raises:
        NoService: There is no session bus, or no Secret Service on it.
        StoreUnavailable: It does not answer.
    """

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self._service = SecretService(environ)

    def close(self) -> None:
        """Leave the bus."""
        self._service.bus.close()

    def get(self, server: str) -> Credential:
        """Return the credential for a server, its other spellings included (`candidate_keys`).

        Items that the ``keyring`` package made, which lack Docker's attributes, are found after all others.

        Raises:
            CredentialsNotFound: There is none.
            StoreUnavailable: It is locked, or the keyring fails.
        """
        for _ in range(_ATTEMPTS):
            try:
                return self._look_up(server)
            except Gone:
                continue  # another process replaced the item after it was found
        raise StoreUnavailable(f"the credentials for {server} keep changing", "try again")

    def store(self, server: str, credential: Credential) -> None:
        """Keep a credential in the default collection in place of any older one for the same server.

        Raises:
            StoreUnavailable: No collection, a locked one, or the keyring fails; the old credential stands.
        """
        collection = self._service.default_collection()
        if collection is None:
            raise StoreUnavailable("the keyring has no default collection to store in", CREATE)
        if self._service.is_locked(collection):
            self._service.unlock([collection])
        try:
            # Two writers at once could each remove the other's item.
            with self._service.bus.lock(_WRITERS, _WRITER_SECONDS):
                self._replace(collection, server, credential)
        except TimeoutError:
            raise StoreUnavailable(
                f"other processes have been writing to the keyring for {_WRITER_SECONDS:g} s", "try again"
            ) from None

    def erase(self, server: str) -> None:
        """Forget the items of exactly this server, those of the ``keyring`` package included.

        Raises:
            StoreUnavailable: They are locked, or the keyring fails.
        """
        for unlocked, locked in self._service.search([_docker(server), _keyring_package(server)]):
            self._service.delete(unlocked + self._service.unlock(locked))

    def _look_up(self, server: str) -> Credential:
        keys = candidate_keys(server)
        queries = [_docker(key) for key in keys] + [_keyring_package(key) for key in keys]
        for batch in (queries[:1], queries[1:]):  # the first is nearly always the one
            for unlocked, locked in self._service.search(batch):
                if unlocked or locked:
                    # The reference helper keeps one item for each username that ever logged in.
                    item = self._service.newest(unlocked or self._service.unlock(locked))
                    return _credential(*self._service.reveal(item))
        raise self._not_found()

    def _not_found(self) -> CredentialsNotFound:
        """Return the error, with a hint: some keyrings do not show what is in a locked collection."""
        collection = self._service.default_collection()
        if collection is not None and self._service.is_locked(collection):
            return CredentialsNotFound(
                "nothing was found, but the keyring is locked", "unlock the keyring to see all of it"
            )
        return CredentialsNotFound()

    def _replace(self, collection: str, server: str, credential: Credential) -> None:
        """Write first, then remove older items, so that a failure never leaves none."""
        attributes = {
            **_docker(server),
            "xdg:schema": "io.docker.Credentials",
            "label": "Docker Credentials",
            "username": credential.username,
        }
        # The reference helper's `list` returns the label as the server URL, so the label is the URL here. Its
        # own, since 0.9.0 "Registry credentials for <URL>", is only for people to read.
        written = self._service.create(collection, server, attributes, credential.secret.encode())
        ((older, _),) = self._service.search([_docker(server)])
        self._service.delete([item for item in older if item != written])

    def list(self) -> dict[str, str]:
        """Return the username of each server; an item that no client could take is named on standard error.

        Raises:
            StoreUnavailable: Some are locked, or the keyring fails.
        """
        ((unlocked, locked),) = self._service.search([{"docker_cli": "1"}])
        items = unlocked + self._service.unlock(locked)
        items_of: dict[str, list[str]] = {}
        usernames: dict[str, str] = {}
        for item, attributes in zip(items, self._service.attributes(items), strict=True):
            if attributes and "server" in attributes:
                items_of.setdefault(attributes["server"], []).append(item)
                usernames[item] = attributes.get("username", "")
        newest = ((server, usernames[self._service.newest(items)]) for server, items in items_of.items())
        return listable(newest, "the keyring")


def _docker(server: str) -> dict[str, str]:
    return {"docker_cli": "1", "server": server}


def _keyring_package(server: str) -> dict[str, str]:
    """Return the attributes of the keyring package's own items (keyring.backends.SecretService)."""
    return {"application": "Python keyring library", "service": server}


def _credential(attributes: dict[str, str], secret: bytes) -> Credential:
    try:
        return Credential(attributes.get("username", ""), secret.decode())
    except UnicodeDecodeError:
        raise StoreUnavailable(
            "the secret in the keyring is not valid UTF-8", "log in again to replace it"
        ) from None
