"""The interface between the protocol and a store, and what the table of helpers knows of each helper."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from credhelpers.config import Settings
    from credhelpers.credential import Credential
    from credhelpers.finding import Finding
    from credhelpers.log import Log

    class Store(Protocol):
        """Where credentials are kept; every method raises `CredentialError` when it fails."""

        def get(self, server: str) -> Credential:
            """Return the credential for a server; raises `CredentialsNotFound`."""

        def store(self, server: str, credential: Credential) -> None:
            """Keep a credential for a server in place of any older one."""

        def erase(self, server: str) -> None:
            """Erase the credential of exactly this server; that there is none is not an error."""

        def list(self) -> dict[str, str]:
            """Return the username of each server."""

    OpenStore = Callable[[Mapping[str, str], Settings, Log], Store]
    Check = Callable[[Mapping[str, str]], list[Finding]]
    Serves = Callable[[str, Settings], bool]


class Place:
    """Where a helper keeps credentials.

    Attributes:
        name: In words, such as "password store".
        check: What ``credhelpers doctor`` checks about it.
        remedy: What to do when it does not answer ``doctor``.
        others: Helpers of other projects that keep credentials there.
    """

    __slots__ = ("check", "name", "others", "remedy")

    def __init__(self, name: str, check: "Check", remedy: str, others: tuple[str, ...] = ()) -> None:
        self.name = name
        self.check = check
        self.remedy = remedy
        self.others = others


class Helper:
    """One helper of the suite.

    Attributes:
        name: What follows ``docker-credential-`` in the executable's name.
        purpose: What it is for, in a few words.
        open: Opens its store.
        serves: For a helper that makes the credentials of certain hosts: returns whether a server is one of
            them. None for one that keeps any credential.
        place: Where it keeps credentials, for ``doctor``; None if that is not its own.
        init: The click command behind ``credhelpers init <name>``, as ``module:attribute``; may be empty.
    """

    __slots__ = ("init", "name", "open", "place", "purpose", "serves")

    def __init__(
        self,
        name: str,
        purpose: str,
        open_store: "OpenStore",
        *,
        serves: "Serves | None" = None,
        place: Place | None = None,
        init: str = "",
    ) -> None:
        self.name = name
        self.purpose = purpose
        self.open = open_store
        self.serves = serves
        self.place = place
        self.init = init
