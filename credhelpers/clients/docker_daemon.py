"""Docker's daemon.json: where it is, what it says, and which registries need no trusted certificate."""

import ipaddress
import json
import os
from collections.abc import Mapping
from contextlib import suppress

from credhelpers import files, paths
from credhelpers.clients.shared_file import LARGEST

_NAME = "daemon.json"
DAEMON_JSON = f"/etc/docker/{_NAME}"
INSECURE = "insecure-registries"
_ALWAYS = ("127.0.0.0/8", "::1/128")  # moby daemon/pkg/registry/config.go, loadInsecureRegistries


def folders(environ: Mapping[str, str], root: str = "/") -> list[str]:
    """Return where the daemon's configuration may be: root's, and that of this user's rootless daemon.

    Args:
        environ: The environment.
        root: What the path of root's folder begins with.
    """
    home = paths.home_directory(environ)
    base = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    own = [os.path.join(base, "docker")] if os.path.isabs(base) else []
    return [os.path.join(root, "etc", "docker"), *own]


def daemon_files(environ: Mapping[str, str], root: str = "/") -> list[str]:
    """Return the files of these folders, whether they exist or not."""
    return [os.path.join(folder, _NAME) for folder in folders(environ, root)]


def read(path: str) -> object:
    """Return what a daemon.json says, which should be an object; None for an empty file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not JSON.
        RecursionError: It is nested too deeply.
    """
    text = files.read_regular(path, LARGEST).decode("utf-8-sig")
    return json.loads(text) if text.strip() else None


def texts(content: object, key: str) -> list[str]:
    """Return the texts in a list of daemon.json."""
    value = content.get(key) if isinstance(content, dict) else None
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def insecure_registries(environ: Mapping[str, str]) -> list[str]:
    """Return the hosts and networks of `INSECURE`; none of a file that cannot be read."""
    named = []
    for path in daemon_files(environ):
        with suppress(OSError, ValueError, RecursionError):
            named += texts(read(path), INSECURE)
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
