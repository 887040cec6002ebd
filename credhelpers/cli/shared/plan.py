"""The helper that Docker asks for each server, and the one that docker-credential-auto asks in turn."""

from collections.abc import Mapping
from dataclasses import dataclass

from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.config import Settings
from credhelpers.credential import CredentialError
from credhelpers.log import Log
from credhelpers.stores.auto.routes import Target
from credhelpers.stores.auto.store import AutoStore
from credhelpers.suite import AUTO, BUILT_IN

ANY_SERVER = "registry.invalid"
"""Stands for a server that nothing is said of (RFC 2606)."""


@dataclass(frozen=True)
class Hop:
    """The way to one server's credential.

    Attributes:
        server: As Docker asks for it.
        helper: The helper that Docker asks; empty when it looks into its own file.
        target: The helper that has it: the same, or the one that auto asks.
    """

    server: str
    helper: str
    target: str


class Plan:
    """Every way that Docker may take to a credential.

    Args:
        config: Docker's configuration.
        server: The only server to follow; None for all that the configuration names.
        environ: The environment.
        settings: The routes of auto.

    Attributes:
        hops: The way to each server.
        helpers: All helpers that Docker asks, the one for every other server included.
    """

    def __init__(
        self, config: DockerConfig, server: str | None, environ: Mapping[str, str], settings: Settings
    ) -> None:
        self._config = config
        self._search_path = environ.get("PATH", "")
        self._environ = environ
        self._settings = settings
        named = [server] if server else [*config.cred_helpers, *config.auths]
        self.hops = [self._hop(key) for key in dict.fromkeys(map(_asked, named))]
        # The helper for all other servers belongs to it, unless one server is followed.
        others = [] if server else [config.helper_for("", self._search_path)]
        asked = [hop.helper for hop in self.hops]
        self.helpers = list(dict.fromkeys(filter(None, [*asked, *others])))

    def instead(self, helper: str, server: str = "") -> str:
        """Return how to replace a helper by another, for one server or for all."""
        own = self._config.cred_helpers.get(server) == helper
        if helper == self._config.creds_store and not own:
            return "use another helper: credhelpers configure --store auto"
        if own or helper in self._config.cred_helpers.values():
            return f"name another one in credHelpers of {self._config.path}"
        return "correct auto.default or auto.route in config.toml"

    @property
    def all_helpers(self) -> list[str]:
        """The helpers that Docker asks, and those that auto asks."""
        behind = [hop.target for hop in self.hops if hop.target]
        if not self.hops and AUTO.name in self.helpers:
            behind = [routed(ANY_SERVER, self._environ, self._settings)]
        return list(dict.fromkeys([*self.helpers, *behind]))

    def _hop(self, server: str) -> Hop:
        helper = self._config.helper_for(docker_key(server), self._search_path)
        return Hop(
            server, helper, routed(server, self._environ, self._settings) if helper == AUTO.name else helper
        )


def routed(server: str, environ: Mapping[str, str], settings: Settings) -> str:
    """Return the helper that auto asks for a server; ``auto`` itself when it has none to ask."""
    target = auto_target(server, environ, settings)
    return target.helper if target else AUTO.name


def auto_target(server: str, environ: Mapping[str, str], settings: Settings) -> Target | None:
    """Return what auto asks for a server, and why; None when it cannot say."""
    try:
        return AutoStore(environ, settings, Log("credhelpers", None, settings), BUILT_IN).target(server)
    except CredentialError:
        return None


def helpers_behind_auto(environ: Mapping[str, str], settings: Settings) -> list[str]:
    """Return the helpers that keep credentials for auto: its default, and those of its routes."""
    routes = (route["helper"] for route in settings.tables("auto.route"))
    return [
        name for name in dict.fromkeys([routed(ANY_SERVER, environ, settings), *routes]) if name != AUTO.name
    ]


def _asked(server: str) -> str:
    """Return the key that Docker asks for; plain HTTP is kept, because ECR then gives no token."""
    return server if server.lower().startswith("http://") else docker_key(server)
