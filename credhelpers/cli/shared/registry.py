"""Whether a registry accepts a username and a password, by its /v2/ API.

(OCI distribution-spec, "Determining Support"; distribution's docs/spec/auth/token.md)
"""

import base64
import json
import re
from typing import NoReturn
from urllib.parse import urlencode, urljoin, urlsplit

from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError

from credhelpers.cli.shared import connection
from credhelpers.cli.shared.connection import Response, Trust
from credhelpers.clients.docker_config import hostname_of
from credhelpers.credential import Credential, CredentialError
from credhelpers.deadline import Deadline, OutOfTime
from credhelpers.servers import HUB_HOSTS, split_scheme

_HUB_API = "registry-1.docker.io"
_SECONDS = 30.0  # for all requests together
_MOST_REDIRECTS = 3
_CHALLENGE = re.compile(r"\b(?=(?:basic|bearer)\s)", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def accepts(server: str, credential: Credential, trust: Trust) -> bool:
    """Ask a registry about a credential.

    Args:
        server: The registry as the user names it.
        credential: A username and a password or access token.
        trust: Which registries are trusted.

    Returns:
        True when the registry lets this user in; False when it lets in every user, so that nothing is known.

    Raises:
        CredentialError: It refuses the credential, is not a registry, or cannot be reached safely.
    """
    scheme, host = split_scheme(server)[0], api_host(server)
    if scheme not in ("", "https", "http"):
        raise CredentialError(f"a registry is not reached by {scheme}://", "name its host and port only")
    if scheme == "http" and not trust.insecure:
        raise CredentialError(
            f"{server} would get the password unencrypted", "name it without http://; or allow it: --insecure"
        )
    try:
        with Deadline(_SECONDS):
            return _Conversation(host, trust).ask(f"{scheme or 'https'}://{host}/v2/", credential)
    except OutOfTime:
        raise CredentialError(
            f"{host} did not answer within {_SECONDS:g} s", "try again; or store without asking: --no-check"
        ) from None
    except HTTPError as error:
        if trust.insecure and not scheme:
            return accepts(f"http://{server}", credential, trust)
        raise connection.explain(error, host) from None


def api_host(server: str) -> str:
    """Return the host of a registry's API, with its port."""
    host = hostname_of(server).partition("#")[0]
    return _HUB_API if host in HUB_HOSTS else host


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
        offered = challenges(first.headers)
        if "bearer" in offered:
            authorization = f"Bearer {self._token(offered['bearer'], credential)}"
        elif "basic" in offered:
            authorization = _basic(credential)
        else:
            raise CredentialError(
                f"{self._host} has an unsupported authentication scheme",
                "see its documentation; or --no-check",
            )
        second = self._get(url, authorization)
        if second.status != 200:
            self._refuse(second.status)
        return True

    def _token(self, challenge: dict[str, str], credential: Credential) -> str:
        """Get a token from the token service that the registry names."""
        realm = urlsplit(challenge.get("realm", ""))
        if realm.scheme != "https" and not (realm.scheme == "http" and self._trust.insecure):
            raise CredentialError(
                f"the token service of {self._host} is {realm.geturl() or 'not named'}, which is not https",
                "tell the registry's operator; or allow it: --insecure",
            )
        query = {"account": credential.username, "client_id": "credhelpers"}
        if "service" in challenge:
            query["service"] = challenge["service"]
        separator = "&" if realm.query else "?"
        response = self._get(f"{realm.geturl()}{separator}{urlencode(query)}", _basic(credential))
        if response.status != 200:
            self._refuse(response.status)
        token = _token_in(response.body)
        if not token:
            raise CredentialError(
                f"unexpected response from {realm.netloc}, the token service of {self._host}",
                "tell the registry's operator; or store without asking: --no-check",
            )
        return token

    def _get(self, url: str, authorization: str = "") -> Response:
        """Make a request; only redirects to the same scheme, host and port are followed."""
        headers = {"User-Agent": "credhelpers", "Accept": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        for _ in range(_MOST_REDIRECTS + 1):
            response = connection.get(url, headers, self._trust)
            if response.status not in (301, 302, 303, 307, 308):
                return response
            target = urljoin(url, response.headers.get("Location", ""))
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                here, other = urlsplit(url).netloc, urlsplit(target).netloc.rpartition("@")[2]
                raise CredentialError(
                    f"{here} redirects to {other}, and no password is sent there",
                    f"if that is the registry, log in there: credhelpers login {other}",
                )
            url = target
        raise CredentialError(f"redirect loop at {self._host}", "check the server's name and port")

    def _refuse(self, status: int) -> NoReturn:
        cause, remedy = _REFUSALS.get(status // 100 * 100 if status >= 500 else status, _OTHER)
        raise CredentialError(cause.format(host=self._host, status=status), remedy)


_OTHER = ("{host} is not a registry: it answered {status}", "check the server's name and port")
_REFUSALS = {
    401: (
        "{host} refuses this username and password",
        "check both; an account with two factors needs an access token in the password's place",
    ),
    403: (
        "{host} denies access to this user or this machine (403)",
        "ask the registry's operator for access",
    ),
    404: ("{host} is not a registry: it has no /v2/ (404)", "check the server's name and port"),
    429: ("too many requests to {host} (429)", "try again later; or store without asking: --no-check"),
    500: ("server error of {host} ({status})", "try again later; or store without asking: --no-check"),
}


def challenges(headers: HTTPHeaderDict) -> dict[str, dict[str, str]]:
    """Return the parameters of each authentication scheme that a server offers (RFC 9110, 11.6.1)."""
    offered = {}
    for header in headers.getlist("WWW-Authenticate"):
        for challenge in filter(None, _CHALLENGE.split(header)):
            scheme, _, parameters = challenge.partition(" ")
            offered[scheme.lower()] = dict(_PARAMETER.findall(parameters))
    return offered


def _token_in(body: bytes) -> str:
    """Return the token in a token service's answer; empty when there is none that can stand in a header."""
    try:
        answer = json.loads(body)
        token = answer.get("token") or answer.get("access_token")
    except (ValueError, RecursionError, AttributeError):
        return ""
    return token if isinstance(token, str) and token.isascii() and token.isprintable() else ""


def _basic(credential: Credential) -> str:
    pair = f"{credential.username}:{credential.secret}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
