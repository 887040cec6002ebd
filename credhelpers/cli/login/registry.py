"""Whether a registry accepts a username and a password, by its /v2/ API.

(OCI distribution-spec, "Determining Support"; distribution's docs/spec/auth/token.md)
"""

import base64
import json
import re
import ssl
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from credhelpers.cli.login import connection
from credhelpers.cli.login.connection import Trust
from credhelpers.clients.docker_config import hostname_of
from credhelpers.credential import Credential, CredentialError
from credhelpers.deadline import Deadline, OutOfTime
from credhelpers.servers import HUB_HOSTS, split_scheme

_HUB_API = "registry-1.docker.io"
_SECONDS = 30.0  # for all requests together
_LARGEST = 1 << 20  # bytes of an answer; a token has a few thousand
_MOST_REDIRECTS = 3
_CHALLENGE = re.compile(r"\b(?=(?:basic|bearer)\s)", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def accepts(server: str, credential: Credential, trust: Trust) -> bool:
    """Ask a registry about a credential.

    Args:
        server: The registry as a person names it.
        credential: A username and a password or access token.
        trust: Whom to believe that it is the registry.

    Returns:
        True when the registry lets this user in; False when it lets in anybody, so that nothing is known.

    Raises:
        CredentialError: It refuses the credential, is no registry, or cannot be reached safely.
    """
    scheme = split_scheme(server)[0]
    host = api_host(server)
    if scheme not in ("", "https", "http"):
        raise CredentialError(f"a registry is not reached by {scheme}://", "name its host and port only")
    if scheme == "http" and not trust.insecure:
        raise CredentialError(
            f"{server} would get the password unencrypted", "name it without http://; or allow it: --insecure"
        )
    schemes = [scheme or "https"]
    if trust.insecure and not scheme:
        schemes.append("http")
    for scheme in schemes:
        try:
            with Deadline(_SECONDS):
                return _Conversation(host, trust).ask(f"{scheme}://{host}/v2/", credential)
        except OutOfTime:
            raise CredentialError(
                f"{host} did not answer within {_SECONDS:g} s",
                "try again; or store without asking: --no-check",
            ) from None
        except HTTPError as error:
            if scheme != schemes[-1] and not _is_certificate_fault(error):
                continue
            raise connection.explain(error, host) from None
    raise AssertionError  # the last scheme has returned or raised


def api_host(server: str) -> str:
    """Return the host, with its port, at which a registry's API is."""
    host = hostname_of(server).partition("#")[0]
    return _HUB_API if host in HUB_HOSTS else host


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytes


class _Conversation:
    def __init__(self, host: str, trust: Trust) -> None:
        self._host = host
        self._trust = trust

    def ask(self, url: str, credential: Credential) -> bool:
        first = self._get(url)
        if first.status == 200:
            return False
        if first.status != 401:
            self._refuse(first.status)
        challenges = dict(_challenges(first.headers))
        if "bearer" in challenges:
            authorization = f"Bearer {self._token(challenges['bearer'], credential)}"
        elif "basic" in challenges:
            authorization = _basic(credential)
        else:
            raise CredentialError(
                f"{self._host} asks for another proof than a password", "see its documentation; or --no-check"
            )
        second = self._get(url, authorization)
        if second.status != 200:
            self._refuse(second.status)
        return True

    def _token(self, challenge: dict[str, str], credential: Credential) -> str:
        """Let the token service that the registry names say who this is."""
        realm = urlsplit(challenge.get("realm", ""))
        if realm.scheme != "https" and not (realm.scheme == "http" and self._trust.insecure):
            raise CredentialError(
                f"{self._host} sends passwords to {realm.geturl() or 'nowhere'}, which is not https",
                "tell whoever runs it; or allow it: --insecure",
            )
        query = {"account": credential.username, "client_id": "credhelpers"}
        if "service" in challenge:
            query["service"] = challenge["service"]
        separator = "&" if realm.query else "?"
        answer = self._get(f"{realm.geturl()}{separator}{urlencode(query)}", _basic(credential))
        if answer.status != 200:
            self._refuse(answer.status)
        token = _token_in(answer.body)
        if not token:
            raise CredentialError(
                f"the token service {realm.netloc} of {self._host} gave no token",
                "tell whoever runs it; or store without asking: --no-check",
            )
        return token

    def _get(self, url: str, authorization: str = "") -> _Answer:
        """Make a request; a redirect is followed at the same place only, whoever else it leads to."""
        headers = {"User-Agent": "credhelpers", "Accept": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        for _ in range(_MOST_REDIRECTS + 1):
            answer = _request(url, headers, self._trust)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            target = urljoin(url, answer.headers.get("Location", ""))
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                here, elsewhere = urlsplit(url).netloc, urlsplit(target).netloc.rpartition("@")[2]
                raise CredentialError(
                    f"{here} sends its clients on to {elsewhere}, which gets no password from here",
                    f"if that is the registry, log in there: credhelpers login {elsewhere}",
                )
            url = target
        raise CredentialError(f"{self._host} leads in a circle", "check the server's name and port")

    def _refuse(self, status: int) -> NoReturn:
        cause, remedy = _REFUSALS.get(status // 100 * 100 if status >= 500 else status, _OTHER)
        raise CredentialError(cause.format(host=self._host, status=status), remedy)


_UNWELL = ("{host} is not well: it answered {status}", "try again later; or store without asking: --no-check")
_OTHER = ("{host} answered {status}, which no registry does", "check the server's name and port")
_REFUSALS = {
    401: (
        "{host} refuses this username and password",
        "check both; an account with two factors needs an access token in the password's place",
    ),
    403: (
        "{host} knows this user but does not let them in, or blocks this machine (403)",
        "ask whoever runs it for access",
    ),
    404: ("{host} is no registry: it has no /v2/ (404)", "check the server's name and port"),
    429: ("{host} has had too many requests (429)", "try again later; or store without asking: --no-check"),
    500: _UNWELL,
}


def _request(url: str, headers: dict[str, str], trust: Trust) -> _Answer:
    pool = connection.open_pool(url, trust)
    try:
        response = pool.request(
            "GET", url, headers=headers, redirect=False, retries=False, preload_content=False
        )
        try:
            body = response.read(_LARGEST, decode_content=True) if response.status == 200 else b""
        finally:
            response.close()
        return _Answer(response.status, response.headers, body)
    finally:
        pool.clear()


def _token_in(body: bytes) -> str:
    """Return the token in a token service's answer; empty when there is none that can stand in a header."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    table = content if isinstance(content, dict) else {}
    token = table.get("token") or table.get("access_token")
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else ""


def _challenges(headers: urllib3.HTTPHeaderDict) -> list[tuple[str, dict[str, str]]]:
    """Return the ways in which a server lets people in, each with its parameters (RFC 9110, 11.6.1)."""
    found = []
    for header in headers.getlist("WWW-Authenticate"):
        for challenge in _CHALLENGE.split(header):
            scheme, _, parameters = challenge.strip().partition(" ")
            found.append((scheme.lower(), dict(_PARAMETER.findall(parameters))))
    return found


def _basic(credential: Credential) -> str:
    pair = f"{credential.username}:{credential.secret}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def _is_certificate_fault(error: HTTPError) -> bool:
    return isinstance(error, SSLError) and isinstance(error.args[0], ssl.SSLCertVerificationError)
