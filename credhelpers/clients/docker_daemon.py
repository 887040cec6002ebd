"""What Docker's daemon is told in its daemon.json: the registries that need no trusted certificate."""

import ipaddress
import json
import os
from collections.abc import Mapping

from credhelpers import paths
from credhelpers.clients.shared_file import read_if_exists
from credhelpers.credential import CredentialError

DAEMON_JSON = "/etc/docker/daemon.json"
_ALWAYS = ("127.0.0.0/8", "::1/128")  # moby daemon/pkg/registry/config.go, loadInsecureRegistries


def daemon_files(environ: Mapping[str, str]) -> list[str]:
    """Return where the daemon's configuration may be: root's, and that of this user's rootless daemon."""
    home = paths.home_directory(environ)
    base = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    return [DAEMON_JSON, *([os.path.join(base, "docker", "daemon.json")] if os.path.isabs(base) else [])]


def insecure_registries(environ: Mapping[str, str]) -> list[str]:
    """Return the hosts and networks of ``insecure-registries``; none of a file that cannot be read."""
    named = []
    for path in daemon_files(environ):
        try:
            value = json.loads(read_if_exists(path) or b"{}")
        except (CredentialError, ValueError, RecursionError):
            continue
        listed = value.get("insecure-registries") if isinstance(value, dict) else None
        named += [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return named


def is_insecure(host: str, addresses: list[str], named: list[str]) -> bool:
    """Return whether the daemon accepts any certificate of a registry, and does without TLS.

    (docs.docker.com, "dockerd", "Insecure registries": by the host with its port, or by the network of one of
    its addresses; loopback always)

    Args:
        host: The registry's host, with its port.
        addresses: The addresses to which its name leads.
        named: What `insecure_registries` returns.
    """
    if host in named:
        return True
    networks = [network for network in map(_network, [*_ALWAYS, *named]) if network]
    return any(
        address.version == network.version and address in network
        for address in map(ipaddress.ip_address, addresses)
        for network in networks
    )


def _network(text: str) -> "ipaddress.IPv4Network | ipaddress.IPv6Network | None":
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None
