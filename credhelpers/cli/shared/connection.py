"""Requests to a registry: certificates, proxies, timeouts, and what their failures mean."""

import math
import os
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from glob import escape, glob
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import exceptions

from credhelpers import paths
from credhelpers.credential import CredentialError

_CONNECT_SECONDS, _READ_SECONDS, _SHORTEST = 5.0, 10.0, 0.1
_LARGEST = 1 << 20  # bytes of an answer; a token has a few thousand
_WITH_BODY = (200, 400, 403, 404)  # of these refusals ECR says the reason
_LONGEST_CAUSE = 200  # characters of an error of urllib3's
_EXPIRED, _NOT_YET_VALID, _OTHER_NAME = 10, 9, (62, 64)  # OpenSSL's x509_vfy.h
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")
"""OpenSSL's reasons when the first bytes of an answer are not TLS's."""


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
    """What a server answered; the body is read with a status of `_WITH_BODY` only."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes


class Requests:
    """Requests to servers, through a proxy where the environment names one; redirects are not followed.

    Args:
        trust: Which registries are trusted.
        deadline: When to give up, by `time.monotonic`; without one each wait has a bound of its own.
    """

    def __init__(self, trust: Trust, deadline: float = math.inf) -> None:
        self.trust = trust
        self._deadline = deadline

    def make(
        self, method: str, url: str, headers: Mapping[str, str], fields: Mapping[str, str] | None = None
    ) -> Response:
        """Make one request, with the fields of a form if there are any.

        Raises:
            CredentialError: A file of certificates cannot be read.
            urllib3.exceptions.HTTPError: The server cannot be reached, or breaks off.
        """
        body = urlencode(fields) if fields else None
        form = {"Content-Type": "application/x-www-form-urlencoded"} if fields else {}
        with self._pool(url) as pool:
            response = pool.request(
                method,
                url,
                body=body,
                headers={**headers, **form},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                content = (
                    response.read(_LARGEST, decode_content=True) if response.status in _WITH_BODY else b""
                )
            finally:
                response.close()
            return Response(response.status, response.headers, content)

    def _pool(self, url: str) -> urllib3.PoolManager:
        address = urlsplit(url)
        files = () if self.trust.insecure else tuple(_authorities(address.netloc, self.trust))
        context = _context(files, insecure=self.trust.insecure)
        left = max(_SHORTEST, self._deadline - time.monotonic())
        timeout = urllib3.Timeout(connect=min(_CONNECT_SECONDS, left), read=min(_READ_SECONDS, left))
        proxy = proxy_for(url)
        if proxy:
            return urllib3.ProxyManager(proxy, ssl_context=context, timeout=timeout)
        return urllib3.PoolManager(ssl_context=context, timeout=timeout)


def proxy_for(url: str) -> str:
    """Return the proxy by which the environment reaches a server; empty for none."""
    address = urlsplit(url)
    host = address.hostname or ""
    proxy = getproxies().get(address.scheme, "")
    is_loopback = host in ("localhost", "::1") or host.startswith("127.")
    return "" if is_loopback or not proxy or proxy_bypass(host) else proxy


def explain(error: exceptions.HTTPError, host: str) -> CredentialError:
    """Return the cause, the remedy and the fault of an error of urllib3's."""
    inner = error.args[0] if isinstance(error, exceptions.SSLError) and error.args else None
    if isinstance(inner, ssl.SSLCertVerificationError):
        return _distrust(inner, host)
    if isinstance(error, exceptions.SSLError):
        reason = getattr(inner, "reason", None) or "unknown reason"
        return CredentialError(
            f"no TLS connection to {host}: {reason}",
            "check the port; a registry without TLS needs --insecure",
            fault="no-tls" if reason in _NOT_TLS else "tls",
        )
    if isinstance(error, exceptions.ProxyError):
        refusal = str(error.original_error).partition("Tunnel connection failed: ")[2]
        reason = f": it answered {refusal[:_LONGEST_CAUSE]}" if refusal else ""
        return CredentialError(
            f"the proxy to {host} fails{reason}", "check HTTPS_PROXY and NO_PROXY", fault="proxy"
        )
    unresolved = (exceptions.NameResolutionError, exceptions.LocationValueError)
    if isinstance(error, unresolved) or isinstance(error.__cause__, socket.gaierror):
        return CredentialError(
            f"cannot resolve the host name {host}", "check the name, and this machine's DNS", fault="dns"
        )
    if isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError):
        return CredentialError(
            f"{host} does not answer", "check the port, and firewalls on the way", fault="unreachable"
        )
    reason = getattr(error.__cause__, "strerror", None) or str(error)[:_LONGEST_CAUSE]
    return CredentialError(
        f"cannot connect to {host}: {reason}",
        "check its name and port, and that it runs",
        fault="unreachable",
    )


def _distrust(error: ssl.SSLCertVerificationError, host: str) -> CredentialError:
    """Return why a certificate is not trusted (OpenSSL, X509_V_ERR_*)."""
    cause = f"the certificate of {host} is not trusted: {error.verify_message}"
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        remedy = "ask the registry's operator for a new one; or correct this machine's clock"
        return CredentialError(cause, remedy, fault="tls-expired")
    remedy = "name the authority that signed it: --ca FILE; or check the server's name"
    is_other = error.verify_code in _OTHER_NAME
    return CredentialError(cause, remedy, fault="tls-name" if is_other else "tls-untrusted")


@cache
def _context(files: tuple[str, ...], *, insecure: bool) -> ssl.SSLContext:
    """Return the client's side of TLS; one for many requests, because it reads all authorities."""
    context = ssl.create_default_context()
    if insecure:
        urllib3.disable_warnings(exceptions.InsecureRequestWarning)  # the user asked for it
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    for file in files:
        try:
            context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as error:
            raise CredentialError(
                f"cannot read certificates from {file}: {error.strerror or error}",
                "name a file in PEM form",
                fault="authority",
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
