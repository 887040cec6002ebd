"""Whom Docker asks about each server, and whom docker-credential-auto asks in its turn."""

from collections.abc import Mapping
from dataclasses import dataclass

from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.config import Settings
from credhelpers.credential import CredentialError
from credhelpers.log import Log
from credhelpers.stores.auto.store import AutoStore
from credhelpers.suite import AUTO, BUILT_IN

_ANY = "registry.invalid"  # stands for any server (RFC 2606)


@dataclass(frozen=True)
class Hop:
    """The way to one server's credential.

    Attributes:
        server: As Docker asks for it.
        helper: Whom Docker asks; empty when it looks into its own file.
        target: Who has it: the helper, or the one that auto asks.
    """

    server: str
    helper: str
    target: str


class Plan:
    """Every way that Docker may take.

    Args:
        config: Docker's configuration.
        server: The only server that matters; None for all that the configuration names.
        environ: The environment.
        settings: Have auto's routes.

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
        # The store for all other servers matters too, when no server of its own stands for it.
        others = [] if server else [config.helper_for("", self._search_path)]
        asked = [hop.helper for hop in self.hops]
        self.helpers = list(dict.fromkeys(filter(None, [*asked, *others])))

    def instead(self, helper: str, server: str = "") -> str:
        """Return how to name another helper in a helper's place, for one server or for all that name it."""
        own = self._config.cred_helpers.get(server) == helper
        if helper == self._config.creds_store and not own:
            return "let another one choose the store: credhelpers configure --store auto"
        if own or helper in self._config.cred_helpers.values():
            return f"name another one in credHelpers of {self._config.path}"
        return "correct auto.default or auto.route in config.toml"

    @property
    def all_helpers(self) -> list[str]:
        """The helpers that Docker asks, and those that auto asks."""
        behind = [hop.target for hop in self.hops if hop.target]
        if not self.hops and AUTO.name in self.helpers:
            behind = [routed(_ANY, self._environ, self._settings)]
        return list(dict.fromkeys([*self.helpers, *behind]))

    def _hop(self, server: str) -> Hop:
        helper = self._config.helper_for(docker_key(server), self._search_path)
        return Hop(
            server, helper, routed(server, self._environ, self._settings) if helper == AUTO.name else helper
        )


def routed(server: str, environ: Mapping[str, str], settings: Settings) -> str:
    """Return whom auto asks about a server; ``auto`` itself when it will refuse to ask anybody."""
    try:
        return (
            AutoStore(environ, settings, Log("credhelpers", None, settings), BUILT_IN).target(server).helper
        )
    except CredentialError:
        return AUTO.name


def _asked(server: str) -> str:
    """Return what Docker asks for; plain HTTP is kept, for it is a reason to get no token."""
    return server if server.lower().startswith("http://") else docker_key(server)
