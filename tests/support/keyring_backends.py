"""Backends of the keyring package that keep their entries in memory, for tests of what is built on one."""

from keyring.credentials import SimpleCredential


class MemoryBackend:
    """A backend that finds an entry by service and username only, as most do."""

    def __init__(self, priority: float = 1) -> None:
        self.priority = priority
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]

    def get_credential(self, service: str, username: str | None) -> SimpleCredential | None:
        return None


class SearchingBackend(MemoryBackend):
    """A backend that also finds an entry without its username, as KWallet's does."""

    def get_credential(self, service: str, username: str | None) -> SimpleCredential | None:
        found = [(name, value) for (place, name), value in self.entries.items() if place == service]
        return SimpleCredential(*found[0]) if found else None
