"""Which identity reads which registry, as ``[[ecr.registry]]`` of the configuration says."""

from credhelpers.servers import matches
from credhelpers.stores.ecr.hosts import Registry, registry_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.config import Settings


def registry_for(host: str, settings: "Settings") -> tuple[Registry | None, dict[str, str]]:
    """Return the registry at a host and what the first table that matches the host says of it.

    A host that is not Amazon's by its name, such as a PrivateLink endpoint or a domain of one's own, is a
    registry when its table names the account; its table names the region too. A host of Amazon's names its
    region itself.
    """
    registry = registry_at(host)
    for table in settings.tables("ecr.registry"):
        if host and matches(table["match"], host):
            if registry is None and "account" in table:
                registry = Registry(host, table["region"])
            return registry, table
    return registry, {}
