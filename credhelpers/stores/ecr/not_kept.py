"""Why a token that is there cannot be kept, and what mends it."""

from collections.abc import Mapping

from credhelpers.credential import StoreUnavailable
from credhelpers.state_fault import state_fault


def not_kept(environ: Mapping[str, str], unseen: str) -> StoreUnavailable:
    """Return the error for a token that the cache did not take.

    Args:
        environ: The environment, which says whether there is a cache, and where.
        unseen: What of the identity cannot be told, so that nothing is kept for it; may be empty.
    """
    cause = "the token cannot be kept"
    if unseen:
        return StoreUnavailable(
            f"the token is not kept: {unseen}",
            "if it does not, say so in config.toml: [ecr] cache_process_credentials = true",
        )
    if environ.get("AWS_ECR_DISABLE_CACHE"):
        return StoreUnavailable(
            f"{cause}: AWS_ECR_DISABLE_CACHE is set", "let it be kept: unset AWS_ECR_DISABLE_CACHE"
        )
    fault = state_fault(environ, "tokens")
    if fault is None:
        return StoreUnavailable(f"{cause}: the token cache cannot be written", "see why: credhelpers logs")
    return StoreUnavailable(f"{cause}: {fault.cause}", fault.remedy)
