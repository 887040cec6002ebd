"""docker-credential-ecr-login's store: tokens from the cache while they are good, and from AWS when not."""

import os
import time

from credhelpers import settings
from credhelpers.credential import BadRequest, Credential, CredentialsNotFound
from credhelpers.stores.ecr.hosts import Registry, host_of, registry_at
from credhelpers.stores.ecr.identity import identity_key
from credhelpers.stores.ecr.tokens import NoCache, Token, TokenCache, shared_name, stored_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.log import Log

LAST_SECONDS = 300.0
"""How long before its end a token is no longer given out without trying for a new one."""
FAILURE_SECONDS = 60.0
"""How long a failure is told again without asking AWS again."""
_LOCK_SECONDS = 12.0  # a little more than the longest call to AWS takes
_TRUE = ("1", "t", "T", "true", "True", "TRUE")


class EcrStore:
    """Tokens for Amazon ECR by whatever identity the environment selects.

    Args:
        environ: The environment that selects the identity. ``AWS_ECR_DISABLE_CACHE``, ``AWS_ECR_CACHE_DIR``
            and ``AWS_ECR_IGNORE_CREDS_STORAGE`` mean what they mean to amazon-ecr-credential-helper.
        log: Is told of every token that is fetched, and why one is not.
    """

    def __init__(self, environ: "Mapping[str, str]", log: "Log") -> None:
        self._environ = environ
        self._log = log
        state = None if environ.get("AWS_ECR_DISABLE_CACHE") else settings.state_directory(environ)
        self._cache = TokenCache(os.path.join(state, "tokens"), log) if state else NoCache()
        self._ignores_storage = environ.get("AWS_ECR_IGNORE_CREDS_STORAGE", "") in _TRUE

    def get(self, server: str) -> Credential:
        """Return the token for a registry.

        Raises:
            CredentialsNotFound: The server is not ECR's, or AWS gave no token; then the cause says why.
        """
        host = host_of(server)
        registry = registry_at(host)
        if registry is None:
            self._log.warning("Not an Amazon ECR registry", serverURL=server)
            raise CredentialsNotFound
        now = time.time()
        stored = None if self._ignores_storage else self._cache.load(stored_name(host), "")
        token = stored if stored and stored.is_valid(now) else self._shared(registry, now)
        return Credential(token.username, token.password)

    def store(self, server: str, credential: Credential) -> None:
        """Keep a token that ``docker login`` brings, and give it out until it ends.

        Raises:
            BadRequest: The server is not ECR's.
        """
        host = host_of(server)
        if registry_at(host) is None:
            raise BadRequest(
                f"{server} is not an Amazon ECR registry, and this helper keeps nothing else",
                "name another helper for it in credHelpers of Docker's config.json",
            )
        if self._ignores_storage:
            return
        now = time.time()
        token = Token(credential.username, credential.secret, now, _end_of(credential.secret, now), (host,))
        self._cache.save(stored_name(host), "", token)

    def erase(self, server: str) -> None:
        """Forget the token that was stored for a server, and the shared one of its region and identity."""
        host = host_of(server)
        registry = registry_at(host)
        if registry is None or self._ignores_storage:
            return
        self._cache.drop(stored_name(host))
        name, _ = self._place(registry)
        self._cache.drop(name)

    def list(self) -> dict[str, str]:
        """Return the registries that there are tokens for; asks nobody."""
        return {"https://" + host: username for host, username in self._cache.hosts(time.time()).items()}

    def _place(self, registry: Registry) -> tuple[str, str]:
        kind = "-public" if registry.public else "-fips" if registry.fips else ""
        key = identity_key(self._environ, settings.home_directory(self._environ))
        return shared_name(registry.region + kind, key), key

    def _shared(self, registry: Registry, now: float) -> Token:
        name, key = self._place(registry)
        token = self._cache.load(name, key)
        if token and token.is_valid(now) and now < token.expires - LAST_SECONDS:
            if registry.host not in token.hosts:
                token.hosts = (*token.hosts, registry.host)
                self._cache.save(name, key, token)
            if not token.is_fresh(now):
                from credhelpers.stores.ecr.refresh import in_background

                in_background(lambda: self._fetch(registry, name, key, token.issued))
            return token
        return self._fetch(registry, name, key, token.issued if token else 0.0)

    def _fetch(self, registry: Registry, name: str, key: str, issued: float) -> Token:
        """Return a token newer than the one issued then: from AWS, or from whoever asked it meanwhile."""
        from credhelpers.stores.ecr.refresh import Turn

        with Turn(self._cache, name, _LOCK_SECONDS):
            now = time.time()
            old = self._cache.load(name, key)
            if old and not old.is_valid(now):
                old = None
            if old and old.issued > issued:
                return old
            failure = self._cache.load_failure(name, key, now, FAILURE_SECONDS)
            if failure is None:
                try:
                    return self._ask(registry, name, key, old)
                except CredentialsNotFound as error:
                    self._cache.save_failure(name, key, error, now)
                    failure = error
            if old is None:
                raise failure
            self._log.warning("No new token; the old one is still good", error=failure.cause)
            return old

    def _ask(self, registry: Registry, name: str, key: str, old: Token | None) -> Token:
        from credhelpers.stores.ecr.api import fetch_token

        token = fetch_token(registry)
        self._log.info("Got a token", region=registry.region, registry=registry.host)
        if old:
            token.hosts = tuple(dict.fromkeys(old.hosts + token.hosts))
        self._cache.save(name, key, token)
        return token


def _end_of(secret: str, now: float) -> float:
    """Return when a token ends: as it says itself, being JSON in base64; else after the longest life."""
    import base64
    import json

    from credhelpers.stores.ecr.tokens import LONGEST_LIFE

    latest = now + LONGEST_LIFE
    try:
        return min(latest, float(json.loads(base64.b64decode(secret, validate=True))["expiration"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return latest
