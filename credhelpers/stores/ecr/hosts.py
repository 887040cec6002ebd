"""Which hosts are Amazon ECR registries, in which region, with which kind of endpoint and identity."""

from credhelpers.servers import host_of, matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.config import Settings

PUBLIC_HOSTS = ("public.ecr.aws", "ecr-public.aws.com")
PUBLIC_REGION = "us-east-1"
"""Where ECR Public's API is, whatever region the caller is in."""

LONGEST_LIFE = 12 * 3600.0
"""Seconds; the ECR API reference promises a token no longer life."""

# The domain of registries in each partition, with what the names of its regions begin with
# (botocore's partitions.json and the ECR user guide's list of endpoints).
_DOMAINS = {
    "amazonaws.com": "",
    "amazonaws.com.cn": "cn-",
    "amazonaws.eu": "eusc-",
    "c2s.ic.gov": "us-iso-",
    "sc2s.sgov.gov": "us-isob-",
    "cloud.adc-e.uk": "eu-isoe-",
    "csp.hci.ic.gov": "us-isof-",
}
_DUAL_STACK_DOMAINS = {"on.aws": "", "on.amazonwebservices.com.cn": "cn-", "on.amazonwebservices.eu": "eusc-"}
_DIGITS = frozenset("0123456789")
_REGION_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class Registry:
    """An ECR registry, as its host name says.

    Attributes:
        host: The host name in lower case, without a port.
        region: The region for which a request for its token is signed.
        fips: Whether the token must come from a FIPS endpoint.
        dual_stack: Whether the token must come from an endpoint that has IPv6 too.
        public: Whether it is ECR Public, which serves clients without credentials.
    """

    __slots__ = ("dual_stack", "fips", "host", "public", "region")

    def __init__(
        self, host: str, region: str, *, fips: bool = False, dual_stack: bool = False, public: bool = False
    ) -> None:
        self.host = host
        self.region = region
        self.fips = fips
        self.dual_stack = dual_stack
        self.public = public

    @property
    def service(self) -> str:
        """The service that gives its token, as messages name it."""
        return "ECR Public" if self.public else f"ECR in {self.region}"


def registry_at(host: str) -> Registry | None:
    """Return the registry at a host; None for a host that is not Amazon ECR's, even if it looks like one."""
    if host in PUBLIC_HOSTS:
        return Registry(host, PUBLIC_REGION, public=True)
    account, _, rest = host.partition(".")
    service, _, rest = rest.partition(".")
    dual_stack = service in ("dkr-ecr", "dkr-ecr-fips")
    if service == "dkr":
        service, _, rest = rest.partition(".")
        if service not in ("ecr", "ecr-fips"):
            return None
    elif not dual_stack:
        return None
    region, _, domain = rest.partition(".")
    start = (_DUAL_STACK_DOMAINS if dual_stack else _DOMAINS).get(domain)
    if start is None or not region.startswith(start) or not _is_region(region) or not _is_account(account):
        return None
    return Registry(host, region, fips=service.endswith("-fips"), dual_stack=dual_stack)


def registry_for(server: str, settings: "Settings") -> tuple[Registry | None, dict[str, str]]:
    """Return the registry that a server URL names, and the first ``[[ecr.registry]]`` that matches its host.

    A host that is not Amazon's by its name, such as a PrivateLink endpoint or a custom domain, is a registry
    when its table names the account; its table names the region too. A host of Amazon's names its own region.
    """
    host = host_of(server)
    registry = registry_at(host)
    for table in settings.tables("ecr.registry"):
        if host and matches(table["match"], host):
            if registry is None and "account" in table:
                registry = Registry(host, table["region"])
            return registry, table
    return registry, {}


def _is_account(text: str) -> bool:
    return len(text) == 12 and _DIGITS.issuperset(text)


def _is_region(text: str) -> bool:
    parts = text.split("-")
    return len(parts) > 2 and all(parts) and parts[-1] in _DIGITS and _REGION_CHARACTERS.issuperset(text)
