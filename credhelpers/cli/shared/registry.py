"""What a registry answers to a credential, by its /v2/ API.

(OCI distribution-spec, "Determining Support"; distribution's docs/spec/auth/token.md and oauth.md)
"""

import base64
import json
import math
import re
from urllib.parse import urlencode, urljoin, urlsplit

from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError

from credhelpers.cli.shared import connection
from credhelpers.cli.shared.connection import Requests, Response, Trust
from credhelpers.clients.docker_config import TOKEN_USERNAME, hostname_of
from credhelpers.credential import Credential, CredentialError
from credhelpers.deadline import Deadline, OutOfTime
from credhelpers.servers import HUB_HOSTS, split_scheme

HUB_API = "registry-1.docker.io"
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
            api, first = connect(host, trust, scheme=scheme)
            if first.status == 200:
                return False
            api.check(api.get("/v2/", api.authorization(first, credential)))
            return True
    except OutOfTime:
        raise CredentialError(
            f"{host} did not answer within {_SECONDS:g} s", "try again; or store without asking: --no-check"
        ) from None


def connect(
    host: str, trust: Trust, *, scheme: str = "", deadline: float = math.inf
) -> "tuple[Api, Response]":
    """Ask a registry without a credential.

    Args:
        host: The host of its API, with the port.
        trust: Which registries are trusted; one without TLS is asked by HTTP when it does not speak HTTPS.
        scheme: The only scheme to try.
        deadline: When to give up, by `time.monotonic`.

    Returns:
        The API, and its first answer, whose status is 200, or 401 when it asks for a credential.

    Raises:
        CredentialError: It is not a registry, or cannot be reached safely.
    """
    requests = Requests(trust, deadline)
    try:
        api = Api(scheme or "https", host, requests)
        first = api.get("/v2/")
    except HTTPError as error:
        if scheme or not trust.insecure:
            raise connection.explain(error, host) from None
        return connect(host, trust, scheme="http", deadline=deadline)
    if first.status != 401:
        api.check(first)
    return api, first


def api_host(server: str) -> str:
    """Return the host of a registry's API, with its port."""
    host = hostname_of(server).partition("#")[0]
    return HUB_API if host in HUB_HOSTS else host


class Api:
    """The API of one registry; every method raises `CredentialError` when the registry cannot be reached.

    Args:
        scheme: How it is reached: ``https``, or ``http`` where that is trusted.
        host: Its host and port.
        requests: What makes the requests.
    """

    def __init__(self, scheme: str, host: str, requests: Requests) -> None:
        self.host = host
        self._url = f"{scheme}://{host}"
        self._requests = requests

    def get(self, path: str, authorization: str = "", method: str = "GET") -> Response:
        """Make a request to the registry; only the first raises urllib3's errors, for another scheme.

        Args:
            path: From the root, such as ``/v2/``.
            authorization: The header of that name.
            method: ``GET``, or ``HEAD`` for a manifest.
        """
        try:
            return self._get(self._url + path, authorization, method)
        except HTTPError as error:
            if not authorization:
                raise
            raise connection.explain(error, self.host) from None

    def authorization(self, asked: Response, credential: Credential | None, scope: str = "") -> str:
        """Return the header that the registry asks for, from its token service where it names one.

        Args:
            asked: The answer with status 401.
            credential: None to ask the token service for a token without a credential.
            scope: What the token is for, such as ``repository:team/app:pull``.
        """
        offered = challenges(asked.headers)
        if "bearer" in offered:
            return f"Bearer {self._token(offered['bearer'], credential, scope)}"
        if "basic" in offered and credential is None:
            raise self.refusal(asked.status)
        if "basic" in offered and credential and credential.username == TOKEN_USERNAME:
            raise CredentialError(
                f"{self.host} asks for a password, and the credential is an identity token",
                "log in with a password",
                fault="identity-token",
            )
        if "basic" in offered and credential:
            return _basic(credential)
        raise CredentialError(
            f"{self.host} has an unsupported authentication scheme",
            "see its documentation; or --no-check",
            fault="unsupported-scheme",
        )

    def wants_credential(self, first: Response) -> bool:
        """Return whether a registry lets in no client without a credential, by its first answer."""
        if first.status != 401:
            return False
        try:
            self.authorization(first, None)
        except CredentialError:
            return True  # there is no token without one
        return False

    def check(self, response: Response) -> None:
        """Raise the reason why a response is not a success."""
        if response.status != 200:
            raise self.refusal(response.status)

    def refusal(self, status: int) -> CredentialError:
        """Return what a status other than 200 says."""
        meant = _REFUSALS.get(status // 100 * 100 if status >= 500 else status, _OTHER)
        cause = meant.cause.format(host=self.host, status=status)
        return CredentialError(cause, meant.remedy, fault=meant.fault)

    def _token(self, challenge: dict[str, str], credential: Credential | None, scope: str) -> str:
        """Get a token from the token service that the registry names."""
        realm = urlsplit(challenge.get("realm", ""))
        if realm.scheme != "https" and not (realm.scheme == "http" and self._requests.trust.insecure):
            raise CredentialError(
                f"the token service of {self.host} is {realm.geturl() or 'not named'}, which is not https",
                "tell the registry's operator; or allow it: --insecure",
                fault="token-service",
            )
        query = {"client_id": "credhelpers"}
        query.update({"service": challenge["service"]} if "service" in challenge else {})
        query.update({"scope": scope} if scope else {})
        try:
            response = self._ask_for_token(realm.geturl(), query, credential)
        except HTTPError as error:
            found = connection.explain(error, realm.netloc.rpartition("@")[2])
            cause = f"the token service of {self.host} cannot be asked: {found.cause}"
            raise CredentialError(cause, found.remedy, fault="token-service") from None
        if response.status >= 500:
            cause = f"server error of {realm.hostname}, the token service of {self.host} ({response.status})"
            remedy = "try again later; or store without asking: --no-check"
            raise CredentialError(cause, remedy, fault="token-service")
        self.check(response)
        token = _token_in(response.body)
        if not token:
            raise CredentialError(
                f"unexpected response from {realm.netloc}, the token service of {self.host}",
                "tell the registry's operator; or store without asking: --no-check",
                fault="token-service",
            )
        return token

    def _ask_for_token(self, realm: str, query: dict[str, str], credential: Credential | None) -> Response:
        """Ask a token service as Docker does: with a password, with an identity token, or without either."""
        if credential and credential.username == TOKEN_USERNAME:
            grant = {"grant_type": "refresh_token", "refresh_token": credential.secret}
            return self._requests.make("POST", realm, _HEADERS, {**query, **grant})
        if credential:
            query = {"account": credential.username, **query}
        separator = "&" if "?" in realm else "?"
        url = f"{realm}{separator}{urlencode(query)}"
        return self._get(url, _basic(credential) if credential else "")

    def _get(self, url: str, authorization: str = "", method: str = "GET") -> Response:
        """Make a request; only redirects to the same scheme, host and port are followed."""
        headers = _MANIFESTS if "/manifests/" in url else _HEADERS
        headers = {**headers, "Authorization": authorization} if authorization else headers
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._requests.make(method, url, headers)
            if response.status not in (301, 302, 303, 307, 308):
                return response
            target = urljoin(url, response.headers.get("Location", ""))
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                here, other = urlsplit(url).netloc, urlsplit(target).netloc.rpartition("@")[2]
                raise CredentialError(
                    f"{here} redirects to {other}, and no password is sent there",
                    f"if that is the registry, log in there: credhelpers login {other}",
                    fault="redirect",
                )
            url = target
        raise CredentialError(
            f"redirect loop at {self.host}", "check the server's name and port", fault="not-a-registry"
        )


_HEADERS = {"User-Agent": "credhelpers", "Accept": "application/json"}
_MANIFESTS = {
    **_HEADERS,
    "Accept": "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json",
}
_OTHER = CredentialError(
    "{host} is not a registry: it answered {status}",
    "check the server's name and port",
    fault="not-a-registry",
)
_REFUSALS = {
    401: CredentialError(
        "{host} refuses this username and password",
        "check both; an account with two factors needs an access token in the password's place",
        fault="refused",
    ),
    403: CredentialError(
        "{host} denies access to this user or this machine (403)",
        "ask the registry's operator for access",
        fault="denied",
    ),
    404: CredentialError(
        "{host} is not a registry: it has no /v2/ (404)",
        "check the server's name and port",
        fault="not-a-registry",
    ),
    429: CredentialError(
        "too many requests to {host} (429)",
        "try again later; or store without asking: --no-check",
        fault="rate-limit",
    ),
    500: CredentialError(
        "server error of {host} ({status})",
        "try again later; or store without asking: --no-check",
        fault="server-error",
    ),
}
"""What a status means; its cause has holes."""


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
