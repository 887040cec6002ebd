"""The proxies in daemon.json: whether dockerd gets a connection to them, without which every pull fails."""

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from credhelpers.clients import sed_command
from credhelpers.finding import Finding, fail, ok

CHECK = "dockerd proxy"

_SECONDS = 3.0
_PORTS = {"http": 80, "https": 443, "socks5": 1080}


def check(path: str, content: dict[str, object], seconds: float) -> Iterator[Finding]:
    """Connect to each proxy, as dockerd does since version 23.

    Args:
        path: The daemon.json.
        content: What it says.
        seconds: How long all proxies may take; none is asked when it is 0.
    """
    proxies = content.get("proxies")
    named = proxies if isinstance(proxies, dict) else {}
    deadline = time.monotonic() + seconds
    for url in dict.fromkeys(named.get(key) for key in ("https-proxy", "http-proxy")):
        if isinstance(url, str) and url and seconds > 0:
            yield _connect(path, url, min(_SECONDS, max(0.1, deadline - time.monotonic())))


def _connect(path: str, url: str, seconds: float) -> Finding:
    address = urlsplit(url if "://" in url else f"http://{url}")
    shown = address.netloc.rpartition("@")[2]  # without a password
    try:
        place = (address.hostname or "", address.port or _PORTS.get(address.scheme, 80))
        socket.create_connection(place, seconds).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        text = f"dockerd cannot reach the proxy {shown} in {path} ({reason}), so every pull fails"
        return fail(CHECK, "unreachable", text, sed_command.drop_member(path, "proxies"))
    return ok(CHECK, f"the proxy {shown} can be reached")
