"""A credential, and the errors about credentials."""

NOT_FOUND = "credentials not found in native keychain"
"""The sentence that means "not found" to clients (docker-credential-helpers credentials/error.go)."""

REPORT = "please report it, with this line"
"""The remedy for a bug."""


class Credential:
    """A username and its secret; the secret never shows in a repr, so in no log or traceback either."""

    __slots__ = ("secret", "username")

    def __init__(self, username: str, secret: str) -> None:
        self.username = username
        self.secret = secret

    def __repr__(self) -> str:
        return f"Credential(username={self.username!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Credential):
            return NotImplemented
        return (self.username, self.secret) == (other.username, other.secret)

    def __hash__(self) -> int:
        return hash((self.username, self.secret))


class Fix(str):
    """A remedy that is one command of the shell, and safe enough for ``doctor --fix`` to run.

    This user can run it as it is; it has nothing to fill in, and takes away neither a file nor a secret. A
    text that is made from it, such as one with words before it, is not a fix.
    """

    __slots__ = ()


class CredentialError(Exception):
    """A request that cannot be answered, worded for the person who must act.

    Args:
        cause: One line that names what failed; never a secret.
        remedy: One line that says what to do about it; empty when the cause makes that clear.
        fault: The fault's name in the ids of ``doctor``'s findings (docs/findings.md); empty for one without.
    """

    def __init__(self, cause: str, remedy: str = "", *, fault: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.fault = fault


class BadRequest(CredentialError):
    """The client sent something that the protocol or the store does not allow."""


class CredentialsNotFound(CredentialError):
    """There are no credentials for the server; clients go on without.

    Args:
        cause: As for every error; may be empty.
        remedy: As for every error.
        fault: As for every error.
        anonymous: Whether the server may allow access without credentials.
    """

    def __init__(self, cause: str = "", remedy: str = "", *, fault: str = "", anonymous: bool = True) -> None:
        super().__init__(cause, remedy, fault=fault)
        self.anonymous = anonymous


class StoreUnavailable(CredentialError):
    """The store is missing, locked or broken."""
