"""docker-credential-ecr-login's store: an issuer of tokens for Amazon ECR, on top of the token engine."""

import os
import time

from credhelpers.credential import BadRequest, Credential, CredentialsNotFound, StoreUnavailable
from credhelpers.paths import state_directory
from credhelpers.stores.ecr.hosts import LONGEST_LIFE, Registry, registry_for
from credhelpers.stores.ecr.identity import Identity, identify
from credhelpers.stores.tokens import Request, TokenEngine
from credhelpers.stores.tokens.cache import Entry, Token, shared_name, stored_name
from credhelpers.stores.tokens.storage import Directory, Nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.config import Settings
    from credhelpers.log import Log
    from credhelpers.stores.tokens import Kept
    from credhelpers.stores.tokens.cache import Conditions

_EXECUTABLE = "docker-credential-ecr-login"
_LOCK_SLACK = 2.0  # seconds beyond the longest call for which another process may hold the lock
_TRUE = ("1", "t", "T", "true", "True", "TRUE")


class EcrStore:
    """Tokens for Amazon ECR by the identity that the environment selects.

    Args:
        environ: The environment that selects the identity. ``AWS_ECR_DISABLE_CACHE``, ``AWS_ECR_CACHE_DIR``
            and ``AWS_ECR_IGNORE_CREDS_STORAGE`` mean what they mean to amazon-ecr-credential-helper.
        settings: The limits, and which identity reads which registry.
        log: Gets every token that is fetched, without the secret, and why one is not.
    """

    def __init__(self, environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> None:
        self._environ = environ
        self._settings = settings
        self._log = log
        state = None if environ.get("AWS_ECR_DISABLE_CACHE") else state_directory(environ)
        path = os.path.join(state, "tokens") if state else ""
        self._storage = Directory(path, log, _EXECUTABLE) if path else Nothing()
        self._ignores_logins = environ.get("AWS_ECR_IGNORE_CREDS_STORAGE", "") in _TRUE
        self._engine = TokenEngine(
            log,
            last_seconds=settings.number("ecr.last_seconds"),
            failure_seconds=settings.number("ecr.failure_seconds"),
            lock_seconds=settings.number("ecr.call_seconds") + _LOCK_SLACK,
        )

    def get(self, server: str) -> Credential:
        """Return the token for a registry.

        Raises:
            CredentialsNotFound: The server is not ECR's, or AWS gave no token; then the cause says why.
        """
        request = self._request(server)
        if request is None:
            self._log.warning("Not an Amazon ECR registry", serverURL=server)
            raise CredentialsNotFound
        token = self._engine.get(request)
        return Credential(token.username, token.password)

    def store(self, server: str, credential: Credential) -> None:
        """Keep a token that ``docker login`` brings, and answer with it until it ends.

        Raises:
            BadRequest: The server is not ECR's.
            StoreUnavailable: The token cannot be kept.
        """
        if self._ignores_logins:
            return
        request = self._request(server)
        if request is None:
            raise BadRequest(
                f"{server} is not an Amazon ECR registry, and this helper keeps nothing else",
                "let docker-credential-auto keep the others: credhelpers configure --store auto",
            )
        end = _end_of(credential.secret)
        now = time.time()
        hosts = (request.host,)
        token = Token(credential.username, credential.secret, now, max(now, end), LONGEST_LIFE, hosts)
        if not self._engine.keep(request, token):
            raise self._not_kept()

    def erase(self, server: str) -> None:
        """Forget the token that was stored for a server, and the shared one of its region and identity."""
        request = None if self._ignores_logins else self._request(server)
        if request:
            self._engine.forget(request)

    def list(self) -> dict[str, str]:
        """Return the registries that tokens are kept for, and those that are configured; AWS is not asked."""
        from credhelpers.stores.tokens.upkeep import cached_hosts

        hosts = [table["match"].lower() for table in self._settings.tables("ecr.registry")]
        found = {host: "AWS" for host in hosts if "*" not in host and "?" not in host}
        found.update(cached_hosts(self._storage, LONGEST_LIFE, time.time()))
        return {"https://" + host: username for host, username in found.items()}

    def peek(self, server: str) -> "Kept | None":
        """Return what is kept for a registry; None for a server that is not ECR's. AWS is not asked."""
        request = self._request(server)
        return self._engine.peek(request) if request else None

    def refresh(self, server: str, since: float) -> Token:
        """Fetch a token, even if a good one is kept, unless that was issued since a moment.

        Args:
            server: The registry.
            since: Seconds since the epoch; registries that share a token cost one call that way.

        Raises:
            BadRequest: The server is not ECR's.
            CredentialsNotFound: AWS gave no token; the cause says why.
            StoreUnavailable: The token cannot be kept.
        """
        request = self._request(server)
        if request is None:
            raise BadRequest(
                f"{server} is not an Amazon ECR registry",
                "refresh those that are known: credhelpers refresh --all",
            )
        token = self._engine.refresh(request, since)
        if token is None:
            raise self._not_kept(request.unkept)
        return token

    def _request(self, server: str) -> Request | None:
        """Return the request for a server's token; None for a server that is not ECR's."""
        registry, chosen = registry_for(server, self._settings)
        if registry is None:
            return None
        kind = "-public" if registry.public else "-fips" if registry.fips else ""
        trusts_processes = self._settings.flag("ecr.cache_process_credentials")
        identity = identify(self._environ, chosen, trusts_processes=trusts_processes)

        def fetch() -> Token:
            return self._fetch(registry, chosen, identity)

        def conditions() -> "Conditions | None":
            from credhelpers.stores.ecr.conditions import conditions

            return conditions(identity, self._settings, self._environ)

        host, key, nothing = registry.host, identity.key, Nothing()
        has_fast_path = server == host and "CREDHELPERS_FAST_PATH" in self._environ
        shared_storage = nothing if identity.unseen else self._storage
        login_storage = nothing if self._ignores_logins else self._storage
        return Request(
            host,
            Entry(shared_storage, shared_name(registry.region + kind, key), key, LONGEST_LIFE),
            Entry(login_storage, stored_name(host), "", LONGEST_LIFE),
            fetch,
            unkept=identity.unseen,
            anonymous=registry.public,
            conditions=conditions if has_fast_path else None,
        )

    def _fetch(self, registry: Registry, chosen: "Mapping[str, str]", identity: Identity) -> Token:
        from credhelpers.stores.ecr.api import fetch_token

        token = fetch_token(registry, chosen, self._settings, identity.environ)
        self._log.info("Got a token", region=registry.region, registry=registry.host)
        return token

    def _not_kept(self, unkept: str = "") -> StoreUnavailable:
        """Return why a token could not be kept: `unkept`, or what is wrong with the cache."""
        from credhelpers.state_fault import state_fault

        if unkept:
            return StoreUnavailable(
                f"the token is not kept: {unkept}",
                "if it always returns the same one, set [ecr] cache_process_credentials = true in config.toml"
                if "credential_process" in unkept
                else "write the whole path, without a variable",
            )
        cause = "the token cannot be kept"
        if self._environ.get("AWS_ECR_DISABLE_CACHE"):
            return StoreUnavailable(
                f"{cause}: AWS_ECR_DISABLE_CACHE is set", "let it be kept: unset AWS_ECR_DISABLE_CACHE"
            )
        fault = state_fault(self._environ, "tokens")
        if fault is None:
            cause += ": the token cache cannot be written"
            return StoreUnavailable(cause, "see why: credhelpers logs")
        return StoreUnavailable(f"{cause}: {fault.cause}", fault.remedy)


def _end_of(secret: str) -> float:
    """Return when a token ends, in seconds since the epoch; infinity where it does not say so.

    AWS documents only that it is 12 hours after its making; the password of a token is JSON in base64 with
    ``payload``, ``datakey``, ``version``, ``type`` and this ``expiration``.
    """
    import base64
    import json

    try:
        return float(json.loads(base64.b64decode(secret, validate=True))["expiration"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return float("inf")
