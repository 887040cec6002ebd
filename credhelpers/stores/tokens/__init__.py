"""The token engine, for any issuer: a token from the cache while it is good, and from its issuer when not."""

import time

from credhelpers.credential import CredentialsNotFound
from credhelpers.stores.tokens.cache import Entry, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credhelpers.log import Log
    from credhelpers.stores.tokens.cache import Conditions


class Request:
    """A token that is wanted: how its issuer makes it, and where it is kept.

    Args:
        host: The host that it is wanted for.
        shared: The entry for the issuer's token, which may open other hosts too.
        login: The entry for the token that ``docker login`` brought for this host.
        fetch: Asks the issuer; raises `CredentialsNotFound` with the cause.
        unkept: Why the issuer's token must not be kept; empty when it may.
        anonymous: Whether the host serves clients without credentials.
        conditions: For the fast path: returns the variables and files that must stay as they are, see
            `fast_path.leave`, or None when a shell cannot compare them. Without it nothing is left for
            the fast path.
    """

    __slots__ = ("anonymous", "conditions", "fetch", "host", "login", "shared", "unkept")

    def __init__(
        self,
        host: str,
        shared: Entry,
        login: Entry,
        fetch: "Callable[[], Token]",
        *,
        unkept: str = "",
        anonymous: bool = False,
        conditions: "Callable[[], Conditions | None] | None" = None,
    ) -> None:
        self.host = host
        self.shared = shared
        self.login = login
        self.fetch = fetch
        self.unkept = unkept
        self.anonymous = anonymous
        self.conditions = conditions


class Kept:
    """What is kept for a request.

    Attributes:
        name: The name of the shared token's entry.
        token: The token that is valid now, if there is one.
        by_login: Whether ``docker login`` brought it.
        failure: What went wrong a moment ago, while that is the answer.
    """

    __slots__ = ("by_login", "failure", "name", "token")

    def __init__(
        self, name: str, token: Token | None, failure: CredentialsNotFound | None, *, by_login: bool
    ) -> None:
        self.name = name
        self.token = token
        self.by_login = by_login
        self.failure = failure


class TokenEngine:
    """Answers requests for tokens; all processes of a user share what is kept.

    Args:
        log: Gets what went wrong though the request was answered.
        last_seconds: How long before a token's end a caller waits for a new one.
        failure_seconds: How long a failure is the answer, before the issuer is asked again.
        lock_seconds: How long to wait for another process that asks the issuer.
    """

    def __init__(
        self, log: "Log", *, last_seconds: float, failure_seconds: float, lock_seconds: float
    ) -> None:
        self._log = log
        self._last_seconds = last_seconds
        self._failure_seconds = failure_seconds
        self._lock_seconds = lock_seconds

    def get(self, request: Request) -> Token:
        """Return a valid token; one past half its life is renewed in the background.

        Raises:
            CredentialsNotFound: The issuer gave none, just now or a moment ago.
        """
        now = time.time()
        token = request.login.load(now)
        if token:
            return token
        token = request.shared.load(now)
        if token and token.is_usable(now, self._last_seconds):
            self._note_host(request, token)
            if not token.is_fresh(now):
                from credhelpers.stores.tokens.background import in_background

                since = token.issued + 1
                in_background(lambda: self._newer(request, since, self._fetch_or_old))
        else:
            token = self._newer(request, token.issued + 1 if token else 0, self._fetch_or_old)
        if request.conditions and token.is_fresh(now):
            from credhelpers.stores.tokens import fast_path

            fast_path.leave(request.shared, request.host, request.conditions(), now)
        return token

    def refresh(self, request: Request, since: float) -> Token | None:
        """Return a kept token that was issued since a moment, fetched unless there is one.

        Args:
            request: The request.
            since: Seconds since the epoch; hosts that share a token cost one call that way.

        Returns:
            None when the new token could not be kept.

        Raises:
            CredentialsNotFound: The issuer gave none.
        """
        self._newer(request, since, self._fetch)
        token = request.shared.load(time.time())
        return token if token and token.issued >= since else None

    def peek(self, request: Request) -> Kept:
        """Return what is kept for a request, without asking the issuer."""
        now = time.time()
        login = request.login.load(now)
        failure = request.shared.load_failure(now, self._failure_seconds)
        token = login or request.shared.load(now)
        return Kept(request.shared.name, token, failure, by_login=login is not None)

    def keep(self, request: Request, token: Token) -> bool:
        """Keep a token that ``docker login`` brings; return whether it is kept."""
        return self._save(request.login, token)

    def forget(self, request: Request) -> None:
        """Forget what is kept for a request; a renewal that is under way does not bring it back."""
        request.login.drop()
        request.shared.drop()

    def _newer(
        self, request: Request, since: float, fetch: "Callable[[Request, Token | None], Token]"
    ) -> Token:
        """Return a token issued since a moment: another process's, or what `fetch` makes of the old one."""
        from credhelpers.stores.tokens.single_flight import SingleFlight

        def has_come() -> bool:
            token = request.shared.load(time.time())
            return token is not None and token.issued >= since

        with SingleFlight(request.shared, self._lock_seconds, has_come):
            token = request.shared.load(time.time())
            if token and token.issued >= since:
                self._note_host(request, token)
                return token
            return fetch(request, token)

    def _fetch(self, request: Request, old: Token | None) -> Token:
        erasure = request.shared.erasure()
        token = request.fetch()
        token.hosts = tuple(dict.fromkeys([*(old.hosts if old else ()), request.host]))
        self._save(request.shared, token, erasure)
        return token

    def _save(self, entry: Entry, token: Token, erasure: str | None = None) -> bool:
        """Save a token, and remove files of the cache that are too old to be used."""
        from credhelpers.stores.tokens.upkeep import prune

        prune(entry.storage, token.issued - 2 * entry.longest_life)
        return entry.save(token, erasure)

    def _fetch_or_old(self, request: Request, old: Token | None) -> Token:
        """Return a new token; the old one while it is valid and the issuer gives no other."""
        now = time.time()
        failure = request.shared.load_failure(now, self._failure_seconds)
        if failure is None:
            try:
                return self._fetch(request, old)
            except CredentialsNotFound as error:
                request.shared.save_failure(error, now)
                failure = error
        if old is None:
            failure.anonymous = request.anonymous
            raise failure
        self._log.warning("No new token; the old one is still good", error=failure.cause)
        return old

    def _note_host(self, request: Request, token: Token) -> None:
        """Keep with a token that it was used for this host too, for `list`."""
        if request.host in token.hosts:
            return
        erasure = request.shared.erasure()
        current = request.shared.load(time.time())
        if current:
            current.hosts = tuple(dict.fromkeys([*current.hosts, request.host]))
            request.shared.save(current, erasure)
