"""docker-credential-ecr-login's store: tokens from the cache while they are good, and from AWS when not."""

import os
import time

from credhelpers.credential import BadRequest, Credential, CredentialsNotFound, StoreUnavailable
from credhelpers.paths import state_directory
from credhelpers.stores.ecr.hosts import Registry, host_of
from credhelpers.stores.ecr.identity import Identity, identify
from credhelpers.stores.ecr.mapping import registry_for
from credhelpers.stores.ecr.tokens import NoCache, Token, TokenCache, shared_name, stored_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credhelpers.config import Settings
    from credhelpers.log import Log
    from credhelpers.stores.ecr.refresh import Turn

_LOCK_SLACK = 2.0  # seconds; whoever holds the lock longer than a call may take has other troubles
_TRUE = ("1", "t", "T", "true", "True", "TRUE")


class EcrStore:
    """Tokens for Amazon ECR by whatever identity the environment selects.

    Args:
        environ: The environment that selects the identity. ``AWS_ECR_DISABLE_CACHE``, ``AWS_ECR_CACHE_DIR``
            and ``AWS_ECR_IGNORE_CREDS_STORAGE`` mean what they mean to amazon-ecr-credential-helper.
        settings: The limits, and which identity reads which registry.
        log: Is told of every token that is fetched, and why one is not.
    """

    def __init__(self, environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> None:
        self._environ = environ
        self._settings = settings
        self._log = log
        state = None if environ.get("AWS_ECR_DISABLE_CACHE") else state_directory(environ)
        self._cache = TokenCache(os.path.join(state, "tokens"), log) if state else NoCache()
        self._ignores_storage = environ.get("AWS_ECR_IGNORE_CREDS_STORAGE", "") in _TRUE

    def get(self, server: str) -> Credential:
        """Return the token for a registry.

        Raises:
            CredentialsNotFound: The server is not ECR's, or AWS gave no token; then the cause says why.
        """
        place = self._place(server)
        if place is None:
            self._log.warning("Not an Amazon ECR registry", serverURL=server)
            raise CredentialsNotFound
        now = time.time()
        token = self._stored(place, now)
        if token:
            return Credential(token.username, token.password)
        token = self._shared(place, now)
        wanted = server == place.host and "CREDHELPERS_FAST_PATH" in self._environ
        if wanted and place.cache.keeps and token.is_fresh(now):
            from credhelpers.stores.ecr import fast_path

            fast_path.leave(
                place.cache, place.name, place.host, place.identity, self._settings, self._environ
            )
        return Credential(token.username, token.password)

    def store(self, server: str, credential: Credential) -> None:
        """Keep a token that ``docker login`` brings, and give it out until it ends.

        Raises:
            BadRequest: The server is not ECR's.
            StoreUnavailable: The token cannot be kept.
        """
        if self._ignores_storage:
            return
        place = self._place(server)
        if place is None:
            raise BadRequest(
                f"{server} is not an Amazon ECR registry, and this helper keeps nothing else",
                "let docker-credential-auto keep the others: credhelpers configure --store auto",
            )
        now = time.time()
        token = Token(
            credential.username, credential.secret, now, _end_of(credential.secret, now), (place.host,)
        )
        if not self._cache.save(stored_name(place.host), "", token):
            raise self._not_kept(place)

    def erase(self, server: str) -> None:
        """Forget the token that was stored for a server, and the shared one of its region and identity."""
        place = self._place(server)
        if place is None or self._ignores_storage:
            return
        self._cache.drop(stored_name(place.host))
        place.cache.drop(place.name)

    def list(self) -> dict[str, str]:
        """Return the registries that there are tokens for, and those that are configured; asks nobody."""
        hosts = [table["match"].lower() for table in self._settings.tables("ecr.registry")]
        found = {host: "AWS" for host in hosts if "*" not in host and "?" not in host}
        found.update(self._cache.hosts(time.time()))
        return {"https://" + host: username for host, username in found.items()}

    def cached(self, server: str) -> "Cached | None":
        """Return what is kept for a registry, without asking anybody; None for a server that is none."""
        place = self._place(server)
        if place is None:
            return None
        now = time.time()
        stored = self._stored(place, now)
        token = stored or place.load()
        seconds = self._settings.number("ecr.failure_seconds")
        failure = place.cache.load_failure(place.name, place.identity.key, now, seconds)
        return Cached(
            place, token if token and token.is_valid(now) else None, failure, by_login=stored is not None
        )

    def refresh(self, server: str, since: float) -> Token:
        """Fetch a token, however good the cached one is, unless that one has come since a moment.

        Args:
            server: The registry.
            since: Seconds since the epoch; registries that share a token cost one request that way.

        Raises:
            BadRequest: The server is not ECR's.
            CredentialsNotFound: AWS gave no token; the cause says why.
            StoreUnavailable: The token cannot be kept.
        """
        place = self._place(server)
        if place is None:
            raise BadRequest(
                f"{server} is not an Amazon ECR registry",
                "refresh those that are known: credhelpers refresh --all",
            )

        with self._turn(place, lambda token: token.issued >= since):
            token = place.load()
            if token and not token.is_valid(time.time()):
                token = None
            if token is None or token.issued < since:
                self._ask(place, token)
            else:
                self._note_host(place)
            token = place.load()
        if token is None or token.issued < since:
            raise self._not_kept(place)
        return token

    def _place(self, server: str) -> "_Place | None":
        host = host_of(server)
        registry, chosen = registry_for(host, self._settings)
        if registry is None:
            return None
        kind = "-public" if registry.public else "-fips" if registry.fips else ""
        identity = identify(
            self._environ, chosen, trusts_processes=self._settings.flag("ecr.cache_process_credentials")
        )
        name = shared_name(registry.region + kind, identity.key)
        return _Place(registry, chosen, identity, NoCache() if identity.unseen else self._cache, name)

    def _not_kept(self, place: "_Place") -> StoreUnavailable:
        from credhelpers.stores.ecr.not_kept import not_kept

        return not_kept(self._environ, place.identity.unseen)

    def _stored(self, place: "_Place", now: float) -> Token | None:
        """Return the token that somebody brought with ``docker login``, while it is good."""
        stored = None if self._ignores_storage else self._cache.load(stored_name(place.host), "")
        return stored if stored and stored.is_valid(now) else None

    def _note_host(self, place: "_Place") -> None:
        """Keep with a token that it is used for this registry too, which `list` tells."""
        erasure = place.cache.erasure(place.name)
        token = place.load()
        if token and place.host not in token.hosts:
            token.hosts = (*token.hosts, place.host)
            place.cache.save(place.name, place.identity.key, token, erasure)

    def _turn(self, place: "_Place", is_new: "Callable[[Token], bool]") -> "Turn":
        """Return the turn to fetch a token, which nobody needs any more once a new one is in the cache."""
        from credhelpers.stores.ecr.refresh import Turn

        def has_come() -> bool:
            token = place.load()
            return token is not None and is_new(token)

        seconds = self._settings.number("ecr.call_seconds") + _LOCK_SLACK
        return Turn(place.cache, place.name, seconds, has_come)

    def _shared(self, place: "_Place", now: float) -> Token:
        token = place.load()
        if token and token.is_usable(now, self._settings.number("ecr.last_seconds")):
            if place.host not in token.hosts:
                self._note_host(place)
            if not token.is_fresh(now):
                from credhelpers.stores.ecr.refresh import in_background

                in_background(lambda: self._fetch(place, token.issued))
            return token
        return self._fetch(place, token.issued if token else 0.0)

    def _fetch(self, place: "_Place", issued: float) -> Token:
        """Return a token newer than the one issued then: from AWS, or from whoever asked it meanwhile."""
        with self._turn(place, lambda token: token.issued > issued):
            now = time.time()
            old = place.load()
            if old and not old.is_valid(now):
                old = None
            if old and old.issued > issued:
                return old
            seconds = self._settings.number("ecr.failure_seconds")
            failure = place.cache.load_failure(place.name, place.identity.key, now, seconds)
            if failure is None:
                try:
                    return self._ask(place, old)
                except CredentialsNotFound as error:
                    place.cache.save_failure(place.name, place.identity.key, error, now)
                    failure = error
            if old is None:
                failure.anonymous = place.registry.public
                raise failure
            self._log.warning("No new token; the old one is still good", error=failure.cause)
            return old

    def _ask(self, place: "_Place", old: Token | None) -> Token:
        import gc

        gc.disable()  # the SDK is a hundred thousand objects, and none of them is garbage before this ends
        from credhelpers.stores.ecr.api import fetch_token

        erasure = place.cache.erasure(place.name)
        token = fetch_token(place.registry, place.chosen, self._settings, place.identity.environ)
        self._log.info("Got a token", region=place.registry.region, registry=place.host)
        if old:
            token.hosts = tuple(dict.fromkeys(old.hosts + token.hosts))
        place.cache.save(place.name, place.identity.key, token, erasure)
        return token


class Cached:
    """What the cache has for a registry.

    Attributes:
        registry: The registry.
        chosen: What the configuration says of the identity that reads it.
        name: The name of the token's file, shared by all registries that this token opens.
        token: The token, if there is one that is good.
        by_login: Whether somebody brought it with ``docker login``.
        failure: What went wrong a moment ago, while it is told again without asking.
    """

    __slots__ = ("by_login", "chosen", "failure", "name", "registry", "token")

    def __init__(
        self, place: "_Place", token: Token | None, failure: CredentialsNotFound | None, *, by_login: bool
    ) -> None:
        self.registry = place.registry
        self.chosen = place.chosen
        self.name = place.name
        self.token = token
        self.by_login = by_login
        self.failure = failure


class _Place:
    """A registry, who reads it, and where in the cache their token is."""

    __slots__ = ("cache", "chosen", "host", "identity", "name", "registry")

    def __init__(
        self, registry: Registry, chosen: dict[str, str], identity: Identity, cache: TokenCache, name: str
    ) -> None:
        self.registry = registry
        self.chosen = chosen
        self.identity = identity
        self.cache = cache
        self.name = name
        self.host = registry.host

    def load(self) -> Token | None:
        """Return the token that is kept for this identity."""
        return self.cache.load(self.name, self.identity.key)


def _end_of(secret: str, now: float) -> float:
    """Return when a token ends: as it says itself, being JSON in base64; else after the longest life."""
    import base64
    import json

    from credhelpers.stores.ecr.tokens import LONGEST_LIFE

    latest = now + LONGEST_LIFE
    try:
        end = float(json.loads(base64.b64decode(secret, validate=True))["expiration"])
        return min(latest, max(now, end))
    except (ValueError, TypeError, KeyError, RecursionError):
        return latest
