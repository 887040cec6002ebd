"""What is kept for an ECR registry, and who asks for it, in words; AWS is not asked."""

from collections.abc import Mapping

from credhelpers.config import Settings
from credhelpers.log import Log
from credhelpers.state_fault import state_fault
from credhelpers.stores.ecr.store import Cached, EcrStore


def cached(server: str, environ: Mapping[str, str], settings: Settings) -> Cached | None:
    """Return what is kept for a registry; None for a server that is not ECR's.

    A cache that would not be used is not looked into either.
    """
    fault = state_fault(environ, "tokens")
    if fault and fault.is_distrusted:
        environ = {**environ, "AWS_ECR_DISABLE_CACHE": "1"}
    return EcrStore(environ, settings, Log("credhelpers", None, settings)).cached(server)


def selected_identity(environ: Mapping[str, str], chosen: Mapping[str, str]) -> str:
    """Say in words what selects the AWS identity, as far as that can be told without asking anybody.

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
