"""The identity: one value, made once for each request, with all that the AWS SDK uses to select an identity.

The cache's key, the fast path, the call to AWS and a renewal in the background all use this value, so a token
is given only to the identity that it was issued to. It needs no network: the keys of a role change every few
hours and cost a request to learn; what selects the role is known at once.
"""

import os

from credhelpers import files
from credhelpers.paths import home_directory
from credhelpers.stores.tokens.cache import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What selects botocore's credentials and endpoints (its configprovider, credentials, utils and regions).
# fmt: off
SELECTING_VARIABLES = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_EC2_METADATA_V1_DISABLED", "AWS_IMDS_USE_IPV6",
    "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL_ECR_PUBLIC", "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SIGNIN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT", "AWS_DATA_PATH", "BOTOCORE_EXPERIMENTAL__PLUGINS",
)
# fmt: on
"""Variables that count by their value; an empty one counts as missing."""

PROXY_VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
"""They lead to another metadata service, or another AWS; their values may have a password in them."""

SECRET_KEY = "AWS_SECRET_ACCESS_KEY"  # noqa: S105  a name, no secret
SECRET_VARIABLES = (
    SECRET_KEY,
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
)
"""Variables that count by a hash."""

FILE_VARIABLES = {
    "AWS_CONFIG_FILE": ("~/.aws/config",),
    "AWS_SHARED_CREDENTIALS_FILE": ("~/.aws/credentials",),
    "BOTO_CONFIG": ("/etc/boto.cfg", "~/.boto"),
    "AWS_CREDENTIAL_FILE": (),
    "AWS_WEB_IDENTITY_TOKEN_FILE": (),
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": (),
}
"""Variables that name a file, and the files that count without the variable; each counts by `files.facts`."""

_AS_WRITTEN = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
"""In these the SDK takes ``~`` and ``$`` as they are."""

LOGIN_CACHE_VARIABLE = "AWS_LOGIN_CACHE_DIRECTORY"

CHOICES = ("profile", "role_arn", "external_id", "session_name", "endpoint_url")
"""The keys of a table ``[[ecr.registry]]`` that select the identity or the endpoint."""

_LARGEST = 1 << 20  # bytes of a configuration file


class Identity:
    """The identity that asks, as far as it is known without the network.

    Attributes:
        environ: The environment of the call to AWS; every path in it is absolute, so it means the same in
            every directory.
        key: A line that two requests share only if they would get their credentials from the same place.
        files: Each file that counts, and its `files.facts` when it was looked at.
        unseen: Why tokens of this identity must not be kept: something that cannot be seen from here may
            select it; empty when there is no such thing.
    """

    __slots__ = ("environ", "files", "key", "unseen")

    def __init__(self, environ: "Mapping[str, str]", key: str, seen: dict[str, str], unseen: str) -> None:
        self.environ = environ
        self.key = key
        self.files = seen
        self.unseen = unseen


def identify(
    environ: "Mapping[str, str]", chosen: "Mapping[str, str]", *, trusts_processes: bool = False
) -> Identity:
    """Return the identity that asks.

    Args:
        environ: The environment of the request.
        chosen: The registry's table in the configuration: a profile, a role and so on.
        trusts_processes: Whether a ``credential_process`` returns the same identity as long as the AWS
            configuration stays the same.
    """
    own = dict(environ)
    home = home_directory(environ)
    if home:
        own["HOME"] = home  # the SDK would follow any HOME
    paths, unseen = _paths(own, home)
    seen = {path: files.facts(path) for path in paths}
    paths, runs_process = _leads(own, home, chosen, seen)
    seen |= {path: files.facts(path) for path in paths}
    if runs_process and not trusts_processes:
        unseen = unseen or "a credential_process may return another identity at any time"
    words = [f"{name}={_plain(own[name])}" for name in SELECTING_VARIABLES if own.get(name)]
    words += [
        f"{name}=#{_hash(own[name])}" for name in (*SECRET_VARIABLES, *PROXY_VARIABLES) if own.get(name)
    ]
    words += [f"{name}={_plain(own[name])}" for name in FILE_VARIABLES if name in own]
    words += [f"{_plain(path)}@{facts.replace(' ', ',') or '-'}" for path, facts in seen.items()]
    words += [f"{name}={chosen[name]!r}" for name in CHOICES if name in chosen]
    return Identity(own, " ".join(words), seen, unseen)


def _paths(own: dict[str, str], home: str | None) -> tuple[list[str], str]:
    """Make the paths in an environment absolute; return those that count, and why there may be others."""
    paths, unseen = [], ""
    for name, defaults in FILE_VARIABLES.items():
        if name not in own:
            paths += [_absolute(path, home) for path in defaults if home or path.startswith("/")]
        elif "$" in own[name] and name not in _AS_WRITTEN:
            unseen = f"{name} has another variable in it"
        elif own[name]:  # an empty name means no file to the SDK
            own[name] = _absolute(own[name], None if name in _AS_WRITTEN else home)
            paths.append(own[name])
    if own.get(LOGIN_CACHE_VARIABLE):
        own[LOGIN_CACHE_VARIABLE] = _absolute(own[LOGIN_CACHE_VARIABLE], home)
    return paths, unseen


def _absolute(path: str, home: str | None) -> str:
    if home and (path == "~" or path.startswith("~/")):
        return home + path[1:]
    if home and path.startswith("~"):
        path = os.path.expanduser(path)
    return path if path.startswith("/") else os.path.abspath(path)


def _leads(
    own: dict[str, str], home: str | None, chosen: "Mapping[str, str]", seen: dict[str, str]
) -> tuple[list[str], bool]:
    """Return the files that the AWS configuration leads to, and whether it leads to a process."""
    names = (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
    own_files = [own.get(variable, f"{home}/.aws/{name}") for variable, name in names]
    texts = [_text(path) for path in own_files if seen.get(path)]
    if not texts:
        return [], False
    from credhelpers.stores.ecr import profiles

    lowered = "\n".join(texts).lower()
    if not any(word in lowered for word in profiles.LEADING):
        return [], False
    paths, runs_process = [], False
    variables = [own[name] for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if own.get(name)]
    named = [chosen["profile"]] if "profile" in chosen else variables or ["default"]
    for key, value in profiles.leading(texts, named):
        if key == "credential_process":
            runs_process = True
        elif key == "web_identity_token_file":
            paths.append(_absolute(value, None))
        elif home:
            folder = own.get(LOGIN_CACHE_VARIABLE) or f"{home}/.aws/login/cache"
            paths += _below(f"{home}/.aws/sso/cache" if key.startswith("sso_") else folder)
    return paths, runs_process


def _text(path: str) -> str:
    try:
        return files.read_regular(path, _LARGEST).decode(errors="replace")
    except OSError:
        return ""  # the SDK says what is wrong with it


def _below(directory: str) -> list[str]:
    try:
        return [f"{directory}/{name}" for name in sorted(os.listdir(directory))]
    except OSError:
        return [directory]


def _plain(value: str) -> str:
    return value if PLAIN.issuperset(value) else repr(value)


def _hash(secret: str) -> str:
    """Return a hash from the interpreter's own module: hashlib loads OpenSSL, which takes 2 ms."""
    try:
        from _sha2 import sha256  # type: ignore[import-not-found]  # Python 3.12 and newer
    except ImportError:
        from _sha256 import sha256  # type: ignore[import-not-found]
    digest: str = sha256(secret.encode(errors="surrogateescape")).hexdigest()
    return digest[:32]
