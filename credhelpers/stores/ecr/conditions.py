"""What must stay as it is for the fast path to answer; packaging/ecr-login-fast-path.sh has the same list."""

from credhelpers.paths import state_directory
from credhelpers.stores.ecr import identity
from credhelpers.stores.tokens import fast_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.config import Settings
    from credhelpers.stores.tokens.cache import Conditions
    from credhelpers.stores.tokens.fast_path import Comparison

VARIABLES: "dict[str, Comparison]" = {
    "HOME": fast_path.as_it_is,
    "XDG_CONFIG_HOME": fast_path.absolute_path,
    "AWS_ECR_CACHE_DIR": fast_path.absolute_path,
    "AWS_ECR_DISABLE_CACHE": fast_path.as_it_is,
    "AWS_ECR_IGNORE_CREDS_STORAGE": fast_path.as_it_is,
    "CREDHELPERS_CONFIG": fast_path.absolute_path,
    **dict.fromkeys(identity.SELECTING_VARIABLES, fast_path.as_it_is),
    **dict.fromkeys(identity.PROXY_VARIABLES, fast_path.address),
    **dict.fromkeys(identity.SECRET_VARIABLES, fast_path.never),
    identity.SECRET_KEY: fast_path.fingerprint,
    **dict.fromkeys(identity.FILE_VARIABLES, fast_path.absolute_path),
    identity.LOGIN_CACHE_VARIABLE: fast_path.absolute_path,
}
"""Every variable that counts, in the order of the shell's list, and what is compared of its value."""


def conditions(
    who: identity.Identity, settings: "Settings", environ: "Mapping[str, str]"
) -> "Conditions | None":
    """Return the variables and the files that must stay as they are; None when a shell cannot compare them.

    Args:
        who: Has the files that select the identity.
        settings: Have the configuration files that were read.
        environ: The environment as the shell sees it.
    """
    variables = fast_path.selection(environ, VARIABLES)
    shells_directory = environ.get("AWS_ECR_CACHE_DIR") or f"{environ.get('HOME')}/.ecr"
    if variables is None or state_directory(environ) != shells_directory:
        return None
    return variables, {**settings.versions, **who.files}
