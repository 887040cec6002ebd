"""Who asks: a line that changes with whatever selects the AWS identity, found without asking anybody."""

import os

from credhelpers.settings import home_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SELECTING_VARIABLES = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_ECR",
    "AWS_ENDPOINT_URL_ECR_PUBLIC",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
"""What botocore's credential chain and endpoints go by, except secrets: a key id stands for its secret."""

CHOICES = ("profile", "role_arn", "external_id", "session_name", "endpoint_url")
"""What a table ``[[ecr.registry]]`` may say of the identity and the way to it."""

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-")
"""Characters that mean nothing special to anybody."""

_CONFIG_FILES = (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials"))


def identity_key(environ: "Mapping[str, str]", chosen: "Mapping[str, str]") -> str:
    """Return a line that two calls share only if they would get their credentials from the same place.

    A role's temporary keys change every few hours and cost a request to learn; what selects the role is here
    at once and does not change. Files count by name, modification time and size.

    Args:
        environ: The environment of the call.
        chosen: What the configuration chooses for the registry: a profile, a role and so on.
    """
    versions = [f"{path!r}@{_version(path)}" for path in config_files(environ)]
    choices = [f"{name}={chosen[name]!r}" for name in CHOICES if name in chosen]
    return " ".join([selection(environ)[1:], *versions, *choices])


def selection(environ: "Mapping[str, str]") -> str:
    """Return the variables that select an identity, each with a space before it.

    The front in plain sh makes the same text; a value that could be taken for more than one is quoted here
    and handed over there.
    """
    text = ""
    for name in SELECTING_VARIABLES:
        value = environ.get(name)
        if value:
            text += f" {name}={value if PLAIN.issuperset(value) else repr(value)}"
    return text


def config_files(environ: "Mapping[str, str]") -> list[str]:
    """Return the paths of the AWS configuration and credentials, whether they exist or not."""
    home = home_directory(environ)
    paths = []
    for variable, name in _CONFIG_FILES:
        path = environ.get(variable) or (os.path.join(home, ".aws", name) if home else "")
        paths.append(os.path.expanduser(path) if path.startswith("~") else path)
    return paths


def _version(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return "-"
    return f"{status.st_mtime_ns}:{status.st_size}"
