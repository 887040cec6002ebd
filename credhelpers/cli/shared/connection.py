"""Requests to a registry: certificates, proxies, timeouts, and what their failures mean."""

import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from glob import escape, glob
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import exceptions

from credhelpers import paths
from credhelpers.credential import CredentialError

_TIMEOUT = urllib3.Timeout(connect=5.0, read=10.0)
_LARGEST = 1 << 20  # bytes of an answer; a token has a few thousand
_LONGEST_CAUSE = 200  # characters of an error of urllib3's


@dataclass(frozen=True)
class Trust:
    """Which registries are trusted.

    Attributes:
        insecure: Whether a registry may have any certificate, or no TLS.
        authority: A PEM file with the certificates of more authorities; empty for none.
    """

    insecure: bool = False
    authority: str = ""


@dataclass(frozen=True)
class Response:
    """What a server answered; the body is read only with status 200."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes


def get(url: str, headers: dict[str, str], trust: Trust) -> Response:
    """Make one request, through a proxy where the environment names one; redirects are not followed.

    Raises:
        CredentialError: A file of certificates cannot be read.
        urllib3.exceptions.HTTPError: The server cannot be reached, or breaks off.
    """
    with _pool(url, trust) as pool:
        response = pool.request(
            "GET", url, headers=headers, redirect=False, retries=False, preload_content=False
        )
        try:
            body = response.read(_LARGEST, decode_content=True) if response.status == 200 else b""
        finally:
            response.close()
        return Response(response.status, response.headers, body)


def explain(error: exceptions.HTTPError, host: str) -> CredentialError:
    """Return the cause and remedy of an error of urllib3's."""
    inner = error.args[0] if isinstance(error, exceptions.SSLError) and error.args else None
    if isinstance(inner, ssl.SSLCertVerificationError):
        return CredentialError(
            f"the certificate of {host} is not trusted: {inner.verify_message}",
            "name the authority that signed it: --ca FILE; or check the server's name",
        )
    if isinstance(error, exceptions.SSLError):
        return CredentialError(
            f"no TLS connection to {host}: {getattr(inner, 'reason', None) or 'unknown reason'}",
            "check the port; a registry without TLS needs --insecure",
        )
    if isinstance(error, exceptions.ProxyError):
        return CredentialError(f"the proxy to {host} fails", "check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, exceptions.NameResolutionError) or isinstance(error.__cause__, socket.gaierror):
        return CredentialError(
            f"cannot resolve the host name {host}", "check the name, and this machine's DNS"
        )
    if isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError):
        return CredentialError(f"{host} does not answer", "check the port, and firewalls on the way")
    reason = getattr(error.__cause__, "strerror", None) or str(error)[:_LONGEST_CAUSE]
    return CredentialError(f"cannot connect to {host}: {reason}", "check its name and port, and that it runs")


def _pool(url: str, trust: Trust) -> urllib3.PoolManager:
    address = urlsplit(url)
    host = address.hostname or ""
    context = _context(address.netloc, trust)
    proxy = getproxies().get(address.scheme)
    is_loopback = host in ("localhost", "::1") or host.startswith("127.")
    if proxy and not is_loopback and not proxy_bypass(host):
        return urllib3.ProxyManager(proxy, ssl_context=context, timeout=_TIMEOUT)
    return urllib3.PoolManager(ssl_context=context, timeout=_TIMEOUT)


def _context(host: str, trust: Trust) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if trust.insecure:
        urllib3.disable_warnings(exceptions.InsecureRequestWarning)  # the user asked for it
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    for file in _authorities(host, trust):
        try:
            context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as error:
            raise CredentialError(
                f"cannot read certificates from {file}: {error.strerror or error}", "name a file in PEM form"
            ) from None
    return context


def _authorities(host: str, trust: Trust) -> Iterator[str]:
    """Yield the files of authorities: the user's, and those of Docker's daemon for the host.

    (docs.docker.com, "Verify repository client with certificates"; "Rootless mode: tips")
    """
    if trust.authority:
        yield trust.authority
    home = paths.home_directory(os.environ)
    base = os.environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    own = [os.path.join(base, "docker")] if os.path.isabs(base) else []
    for directory in ("/etc/docker", *own):
        yield from sorted(glob(os.path.join(escape(directory), "certs.d", escape(host), "*.crt")))
