"""Which helper keeps the credential of which server: pure rules over the configuration."""

from credhelpers.servers import HUB_HOSTS, host_of, matches, split_scheme

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credhelpers.config import Settings
    from credhelpers.store import Serves

# Hosts whose credentials a cloud's own helper makes, and those helpers, in order of preference.
_CLOUDS = (
    ("gcr.io", ("gcr", "gcloud")),
    ("*.gcr.io", ("gcr", "gcloud")),
    ("*.pkg.dev", ("gcr", "gcloud")),
    ("*.azurecr.io", ("acr-env",)),
)
_HUB = "docker.io"
_HUB_PATH = "v1"  # of the Hub's key, which stands for the whole Hub
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_:[]%")


def cloud_helpers(server: str) -> tuple[str, ...]:
    """Return the helpers of the cloud that a server belongs to, the preferred one first; else none."""
    host = host_of(server)  # empty for plain HTTP or another port, where there is no cloud
    return next((helpers for pattern, helpers in _CLOUDS if host and matches(pattern, host)), ())


class Target:
    """The helper to ask for a server's credential.

    Attributes:
        helper: The helper's name, which is what follows ``docker-credential-``.
        key: The key to ask it for.
        reason: ``route``, ``as`` (the key that a route names), ``host``, ``cloud`` or ``default``.
        match: The ``match`` of the route, if a route decided.
    """

    __slots__ = ("helper", "key", "match", "reason")

    def __init__(self, helper: str, key: str, reason: str, match: str = "") -> None:
        self.helper = helper
        self.key = key
        self.reason = reason
        self.match = match


class Routes:
    """The decision for each server.

    Args:
        settings: The routes and, for custom domains, the registries of ECR.
        issuers: The helpers that make the credentials of certain hosts, and which those are.
        is_installed: Returns whether a helper is installed; called for clouds only.
        default: Returns the name of the helper for everything else; called only when it is needed.
    """

    def __init__(
        self,
        settings: "Settings",
        issuers: "Mapping[str, Serves]",
        is_installed: "Callable[[str], bool]",
        default: "Callable[[], str]",
    ) -> None:
        self._issuers = issuers
        self._settings = settings
        self._is_installed = is_installed
        self._default = default
        self._routes = settings.tables("auto.route")

    @property
    def helpers(self) -> list[str]:
        """The helpers that routes name, each once."""
        return list(dict.fromkeys(route["helper"] for route in self._routes))

    def target(self, server: str) -> Target:
        """Return the helper for a server: by a route, else by the host, else the default."""
        host, place = _place(server)
        for route in self._routes:
            if host and _is_matched(route["match"], host, place):
                return Target(route["helper"], route.get("as", server), "route", route["match"])
        for route in self._routes:
            if route.get("as") == server:
                return Target(route["helper"], server, "as", route["match"])
        for helper, serves in self._issuers.items() if host else ():
            if serves(server, self._settings):
                return Target(helper, server, "host")
        cloud = self._cloud(server) if host else ""
        return Target(cloud, server, "cloud") if cloud else Target(self._default(), server, "default")

    def names(self, helper: str, key: str) -> list[str]:
        """Return the servers for which a helper is asked for a key; may be none.

        For a route with ``as`` that is the route's match, unless it is a glob. So a client that lists the
        names and asks for each gets the key's credential.
        """
        literal = [
            route["match"]
            for route in self._routes
            if route["helper"] == helper and route.get("as") == key and not _is_glob(route["match"])
        ]
        names = [name for name in dict.fromkeys(literal) if self._reaches(name, helper, key)]
        if key not in names and (not names or _place(key)[0]) and self._reaches(key, helper, key):
            names.append(key)
        return names

    def _reaches(self, server: str, helper: str, key: str) -> bool:
        target = self.target(server)
        return (target.helper, target.key) == (helper, key)

    def _cloud(self, server: str) -> str:
        return next(filter(self._is_installed, cloud_helpers(server)), "")


def _is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def _is_matched(pattern: str, host: str, place: str) -> bool:
    """Return whether a route's match includes a place; without a slash it includes the whole host."""
    pattern = _normalised(split_scheme(pattern)[1])
    if "/" not in pattern:
        return matches(pattern, host)
    return matches(pattern, place) or matches(pattern, place + "/")  # team/* includes team itself


def _place(server: str) -> tuple[str, str]:
    """Return the host, and host and path, of a server URL; empty when it is not an address."""
    place = _normalised(split_scheme(server)[1].partition("?")[0])
    host = place.partition("/")[0].lower()
    return (host, place) if _is_address(host) else ("", "")


def _is_address(host: str) -> bool:
    """Return whether this is a host name or an IP address, with at most one port."""
    if host.startswith("["):
        _, _, port = host.rpartition("]")
    else:
        _, colon, port = host.partition(":")
        port = colon + port
    has_port = port.startswith(":") and port[1:].isascii() and port[1:].isdecimal()
    return _HOST_CHARACTERS.issuperset(host) and (not port or has_port)


def _normalised(place: str) -> str:
    """Return host and path without a slash at the end, and one name for Docker Hub."""
    host, _, path = place.partition("/")
    path = path.rstrip("/")
    if host.lower() in HUB_HOSTS:
        host = _HUB
        path = "" if path == _HUB_PATH else path
    return f"{host}/{path}" if path else host
