"""What must stay as it is for the fast path to answer; packaging/ecr-login-fast-path.sh has the same list."""

from credhelpers.paths import state_directory
from credhelpers.stores.ecr.identity import (
    FILE_VARIABLES,
    LOGIN_CACHE_VARIABLE,
    PROXY_VARIABLES,
    SECRET_KEY,
    SECRET_VARIABLES,
    SELECTING_VARIABLES,
)
from credhelpers.stores.tokens.fast_path import (
    absolute_path,
    address,
    as_it_is,
    fingerprint,
    never,
    selection,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credhelpers.config import Settings
    from credhelpers.stores.ecr.identity import Identity

VARIABLES: "dict[str, Callable[[str], str | None]]" = {
    "HOME": as_it_is,
    "XDG_CONFIG_HOME": absolute_path,
    "AWS_ECR_CACHE_DIR": absolute_path,
    "AWS_ECR_DISABLE_CACHE": as_it_is,
    "AWS_ECR_IGNORE_CREDS_STORAGE": as_it_is,
    "CREDHELPERS_CONFIG": absolute_path,
    **dict.fromkeys(SELECTING_VARIABLES, as_it_is),
    **dict.fromkeys(PROXY_VARIABLES, address),
    **dict.fromkeys(SECRET_VARIABLES, never),
    SECRET_KEY: fingerprint,
    **dict.fromkeys(FILE_VARIABLES, absolute_path),
    LOGIN_CACHE_VARIABLE: absolute_path,
}
"""Every variable that counts, in the order of the shell's list, and what is compared of its value."""


def conditions(
    identity: "Identity", settings: "Settings", environ: "Mapping[str, str]"
) -> tuple[str, dict[str, str]] | None:
    """Return the variables and the files that must stay as they are; None when a shell cannot compare them.

    Args:
        identity: Says which files were read to know who asks.
        settings: Say which configuration files were read.
        environ: The environment as the shell sees it.
    """
    variables = selection(environ, VARIABLES)
    shells_directory = environ.get("AWS_ECR_CACHE_DIR") or f"{environ.get('HOME')}/.ecr"
    if variables is None or state_directory(environ) != shells_directory:
        return None
    return variables, {**settings.versions, **identity.files}
