"""What is kept for an ECR registry, and which identity asks for it, in words; AWS is not asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from credhelpers.config import Settings
from credhelpers.credential import CredentialsNotFound
from credhelpers.log import Log
from credhelpers.state_fault import state_fault
from credhelpers.stores.ecr.hosts import Registry, registry_for
from credhelpers.stores.ecr.store import EcrStore
from credhelpers.stores.tokens.cache import Token


@dataclass(frozen=True)
class Cached:
    """What the cache has for a registry.

    Attributes:
        registry: The registry.
        chosen: What the configuration says of the identity that reads it.
        name: The name of the token's file, shared by all registries that the token opens.
        token: The token, if there is one that is valid.
        by_login: Whether `docker login` brought it.
        failure: What went wrong a moment ago, while that is the answer.
    """

    registry: Registry
    chosen: Mapping[str, str]
    name: str
    token: Token | None
    by_login: bool
    failure: CredentialsNotFound | None


def cached(server: str, environ: Mapping[str, str], settings: Settings) -> Cached | None:
    """Return what is kept for a registry; None for a server that is not ECR's.

    A cache that would not be used is not looked into either.
    """
    fault = state_fault(environ, "tokens")
    if fault and fault.is_distrusted:
        environ = {**environ, "AWS_ECR_DISABLE_CACHE": "1"}
    registry, chosen = registry_for(server, settings)
    kept = EcrStore(environ, settings, Log("credhelpers", None, settings)).peek(server)
    if registry is None or kept is None:
        return None
    return Cached(registry, chosen, kept.name, kept.token, kept.by_login, kept.failure)


def selected_identity(environ: Mapping[str, str], chosen: Mapping[str, str]) -> str:
    """Return in words what selects the AWS identity, as far as that is known without asking AWS.

    Args:
        environ: The environment.
        chosen: What the configuration says of the registry.
    """
    base = _base_identity(environ, chosen)
    return f"role {chosen['role_arn']} by {base}" if "role_arn" in chosen else base


def duration(seconds: float) -> str:
    """Return a length of time in words: ``11 h 59 min``."""
    minutes = max(0, int(seconds)) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def _base_identity(environ: Mapping[str, str], chosen: Mapping[str, str]) -> str:
    if "profile" in chosen:
        return f"profile {chosen['profile']}"
    # The order is that of the SDK's chain: a profile that is named counts over keys in the environment.
    profile = environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE")
    if profile:
        return f"profile {profile}"
    if environ.get("AWS_ACCESS_KEY_ID"):
        return f"access key {environ['AWS_ACCESS_KEY_ID']}"
    if environ.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return f"web identity as {environ.get('AWS_ROLE_ARN', 'a role')}"
    if any(environ.get(f"AWS_CONTAINER_CREDENTIALS_{kind}_URI") for kind in ("RELATIVE", "FULL")):
        return "the container's role"
    return "the AWS SDK's default chain"
