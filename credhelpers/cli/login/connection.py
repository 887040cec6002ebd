"""The way to a registry: certificates, proxies, timeouts, and what their failures mean."""

import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from glob import escape, glob
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import exceptions

from credhelpers import paths
from credhelpers.credential import CredentialError

_TIMEOUT = urllib3.Timeout(connect=5.0, read=10.0)
_LONGEST_CAUSE = 200  # characters of somebody else's words


@dataclass(frozen=True)
class Trust:
    """Whom to believe.

    Attributes:
        insecure: Whether to go on without TLS, or without knowing whose certificate it is.
        authority: A file with the certificates of more authorities; empty for none.
        certificates: Directories as Docker's ``certs.d``, with such files for single hosts.
    """

    insecure: bool = False
    authority: str = ""
    certificates: tuple[str, ...] = ()


def certificate_directories(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return where Docker's daemon, rootless or not, has the authorities of single registries.

    (docs.docker.com, "Verify repository client with certificates"; "Rootless mode: tips")
    """
    home = paths.home_directory(environ)
    base = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    own = (os.path.join(base, "docker", "certs.d"),) if os.path.isabs(base) else ()
    return ("/etc/docker/certs.d", *own)


def open_pool(url: str, trust: Trust) -> urllib3.PoolManager:
    """Return what makes requests to a URL, by a proxy where the environment names one.

    Raises:
        CredentialError: A file of certificates cannot be read.
    """
    address = urlsplit(url)
    context = _context(address.netloc, trust)
    proxy = getproxies().get(address.scheme)
    if proxy and not _is_loopback(address.hostname or "") and not proxy_bypass(address.hostname or ""):
        return urllib3.ProxyManager(proxy, ssl_context=context, timeout=_TIMEOUT)
    return urllib3.PoolManager(ssl_context=context, timeout=_TIMEOUT)


def explain(error: exceptions.HTTPError, host: str) -> CredentialError:
    """Return the error in words for the person who must act."""
    inner = error.args[0] if isinstance(error, exceptions.SSLError) and error.args else None
    if isinstance(inner, ssl.SSLCertVerificationError):
        return CredentialError(
            f"the certificate of {host} is not trusted: {inner.verify_message}",
            "name the authority that signed it: --ca FILE; or check the server's name",
        )
    if isinstance(error, exceptions.SSLError):
        return CredentialError(
            f"{host} does not speak TLS as it should: {getattr(inner, 'reason', None) or 'no reason given'}",
            "check the port; a registry without TLS needs --insecure",
        )
    if isinstance(error, exceptions.ProxyError):
        return CredentialError(f"the proxy on the way to {host} fails", "check HTTPS_PROXY and NO_PROXY")
    if isinstance(error, exceptions.NameResolutionError) or isinstance(error.__cause__, socket.gaierror):
        return CredentialError(f"there is no host {host}", "check the name, and this machine's DNS")
    if isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError):
        return CredentialError(f"{host} does not answer", "check the port, and firewalls on the way")
    reason = getattr(error.__cause__, "strerror", None) or str(error)[:_LONGEST_CAUSE]
    return CredentialError(f"cannot talk to {host}: {reason}", "check its name and port, and that it runs")


def _context(host: str, trust: Trust) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if trust.insecure:
        urllib3.disable_warnings(exceptions.InsecureRequestWarning)  # it was asked for
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    files = [trust.authority] if trust.authority else []
    for directory in trust.certificates:
        files += sorted(glob(os.path.join(escape(directory), escape(host), "*.crt")))
    for file in files:
        try:
            context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as error:
            raise CredentialError(
                f"cannot read certificates from {file}: {error.strerror or error}", "name a file in PEM form"
            ) from None
    return context


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"
