"""The registry itself: whether it can be reached, and what it says to the credential that Docker gets."""

import json
import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from shlex import quote
from urllib.parse import quote as quote_path

from credhelpers.cli.doctor import ecr_registry
from credhelpers.cli.doctor.answer import Answer
from credhelpers.cli.shared.connection import Response, Trust
from credhelpers.cli.shared.plan import Hop
from credhelpers.cli.shared.registry import HUB_API, Api, api_host, challenges, connect
from credhelpers.clients.docker_daemon import DAEMON_JSON, insecure_registries, is_insecure
from credhelpers.config import Settings
from credhelpers.credential import Credential, CredentialError, Fix
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.servers import HUB_KEY, split_scheme
from credhelpers.stores.ecr.hosts import registry_for
from credhelpers.suite import ECR

REGISTRY = "registry"
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_LIMITED = "ratelimitpreview/test"
"""What Docker Hub tells its limits by (docs.docker.com, "Docker Hub usage and limits")."""
_LITTLE = 0.1  # of the pulls that Docker Hub allows


@dataclass(frozen=True)
class Target:
    """A registry that is asked.

    Attributes:
        server: As Docker asks for its credential.
        helper: The helper that has it; empty for config.json.
        repository: What is to be pulled, such as ``team/app:1``; empty to ask about the registry alone.
    """

    server: str
    helper: str = ""
    repository: str = ""

    @classmethod
    def of(cls, hop: Hop, asked: str | None) -> "Target":
        """Return the target of a hop.

        Args:
            hop: The way to its credential.
            asked: The server as the user has named it, perhaps with a repository.
        """
        repository = split_scheme(asked or "")[1].partition("/")[2].partition("#")[0].strip("/")
        if hop.server == HUB_KEY:
            repository = "" if repository in ("v1", "v2") else repository
            repository = f"library/{repository}" if repository and "/" not in repository else repository
        return cls(hop.server, hop.target, repository)

    @property
    def name(self) -> str:
        """The registry as commands name it."""
        return "docker.io" if self.host == HUB_API else self.server

    @property
    def host(self) -> str:
        """The host of its API, with the port."""
        return api_host(self.server)


def check_registry(
    target: Target,
    answer: Callable[[], Answer],
    environ: Mapping[str, str],
    settings: Settings,
    deadline: float,
) -> list[Finding]:
    """Ask a registry what it says to a credential; it is sent nowhere but where Docker sends it.

    Args:
        target: Which registry.
        answer: Waits for the credential.
        environ: Says where the daemon's configuration is.
        settings: The tables that name other hosts as ECR registries.
        deadline: When to give up, by `time.monotonic`.
    """
    if not _HOST.fullmatch(target.host):
        return [fail(REGISTRY, "dns", f"{target.host} is not a host name", "correct the name")]
    ecr, _ = registry_for(target.server, settings)
    trust = Trust(_is_insecure(target.host, environ))
    asking = _Asking(target, trust, is_ecr=ecr is not None and not ecr.public)
    found = []
    try:
        for finding in asking.findings(*connect(target.host, trust, deadline=deadline), answer):
            found.append(finding)  # one by one, to keep those before an error
    except CredentialError as error:
        found.append(asking.failed(error))
    return found


def silent(target: Target, seconds: float) -> Finding:
    """Return that a registry has not answered by the end of all checks."""
    cause = f"{target.host} did not answer within {seconds:g} s"
    return _Asking(target, Trust()).failed(CredentialError(cause, fault="unreachable"))


class _Asking:
    def __init__(self, target: Target, trust: Trust, *, is_ecr: bool = False) -> None:
        self._target = target
        self._trust = trust
        self._is_ecr = is_ecr

    def findings(self, api: Api, first: Response, answered: Callable[[], Answer]) -> Iterator[Finding]:
        """Yield what is found, once the registry has answered."""
        host = api.host
        if first.status == 200 and "html" in first.headers.get("Content-Type", ""):
            cause = f"{host} is not a registry: it answers with a web page"
            yield self.failed(CredentialError(cause, fault="not-a-registry"))
            return
        if first.status == 200:
            yield ok(REGISTRY, f"{host} lets in every user")
            yield from self._pull(api, first, None)
            return
        answer = answered()
        if not answer.is_known:
            yield ok(REGISTRY, f"{host} answers, and asks for a credential")
        elif answer.credential is None:
            yield from self._without(api, first)
        else:
            api.check(api.get("/v2/", api.authorization(first, answer.credential)))
            yield ok(REGISTRY, f"{host} accepts the credential")
            yield from self._pull(api, first, answer.credential)

    def failed(self, error: CredentialError) -> Finding:
        """Return an error as a finding, with the remedy that it has here."""
        fault = error.fault or "error"
        host, port = self._target.host, "" if ":" in self._target.host else ":443"
        remedy = _REMEDIES.get(fault, error.remedy).format(host=quote(host), address=quote(host + port))
        if self._is_ecr and fault in ("refused", "denied"):
            fault, remedy = "refused", self._for_ecr()
        elif fault == "refused":
            remedy = self._to_log_in()
        elif fault == "no-tls":
            remedy = _allow_no_tls(host)
        return fail(REGISTRY, fault, error.cause, remedy)

    def _for_ecr(self) -> str:
        """Return what renews a token of ECR's, which the registry refuses when it has expired."""
        if self._target.helper == ECR.name:
            return Fix(f"printf %s {quote(self._target.server)} | docker-credential-ecr-login erase")
        command = f"credhelpers configure --ecr {quote(self._target.server)}"
        return command if self._target.helper else Fix(command)  # a named helper stays

    def _to_log_in(self) -> str:
        name = quote(self._target.name)
        if not self._target.helper:
            return f"docker login {name}"  # which can also store it in config.json
        return f"credhelpers login --insecure {name}" if self._trust.insecure else f"credhelpers login {name}"

    def _without(self, api: Api, first: Response) -> Iterator[Finding]:
        """Ask what a client without a credential may do."""
        host, remedy = api.host, self._to_log_in()
        if "bearer" not in challenges(first.headers):
            yield fail(REGISTRY, "no-credential", f"{host} lets in no user without a credential", remedy)
            return
        try:
            api.check(api.get("/v2/", api.authorization(first, None)))
        except CredentialError as error:
            if error.fault not in ("refused", "denied"):
                raise
            text = f"{host} refuses clients without a credential; it may have public images all the same"
            yield warn(REGISTRY, "no-credential", text, remedy)
        else:
            yield ok(REGISTRY, f"{host} lets in clients without a credential, to public images")
        yield from self._pull(api, first, None)

    def _pull(self, api: Api, first: Response, credential: Credential | None) -> Iterator[Finding]:
        """Ask about the repository, and for the limits of Docker Hub."""
        if self._target.repository:
            yield self._repository(api, first, credential)
        if api.host == HUB_API:
            yield from self._limit(api, first, credential)

    def _repository(self, api: Api, first: Response, credential: Credential | None) -> Finding:
        """Ask for the image as a pull does first; a HEAD request does not count as a pull."""
        repository, tag = split_tag(self._target.repository)
        try:
            header = _authorization(api, first, credential, repository)
        except CredentialError as error:
            if error.fault not in ("refused", "denied"):
                raise
            return self._denied(api, repository)
        if self._is_ecr:
            return ecr_registry.check_repository(api, header, repository, tag or "latest")
        path = f"/v2/{quote_path(repository)}"
        status = api.get(f"{path}/manifests/{quote_path(tag or 'latest')}", header, "HEAD").status
        if status in (401, 403):
            return self._denied(api, repository)
        if status == 404:
            is_there = api.get(f"{path}/tags/list?n=1", header).status != 404
            if not is_there:
                text = f"{api.host} has no repository {repository}"
                return fail(REGISTRY, "repository-unknown", text, "check the name of the image")
            if tag:
                text = f"{repository} on {api.host} has no {tag}"
                return fail(REGISTRY, "tag-unknown", text, "check the tag or digest of the image")
        elif status != 200:
            raise api.refusal(status)
        return ok(REGISTRY, f"{repository} on {api.host} can be pulled")

    def _denied(self, api: Api, repository: str) -> Finding:
        text = f"{api.host} does not let this user pull {repository}, or does not have it"
        return fail(
            REGISTRY, "repository-denied", text, "check the name, or ask its owner for the right to pull"
        )

    def _limit(self, api: Api, first: Response, credential: Credential | None) -> Iterator[Finding]:
        header = _authorization(api, first, credential, _LIMITED)
        told = api.get(f"/v2/{_LIMITED}/manifests/latest", header, "HEAD")
        if told.status == 429:
            raise api.refusal(told.status)
        limit, left = (_pulls(told, name) for name in ("ratelimit-limit", "ratelimit-remaining"))
        if limit is None or left is None:
            return
        text = f"Docker Hub allows {left} of {limit} pulls until more are due"
        remedy = "wait, or use a mirror" if credential else self._to_log_in()
        if left == 0:
            yield fail(REGISTRY, "rate-limit", text, remedy)
        elif left <= limit * _LITTLE:
            yield warn(REGISTRY, "rate-limit-near", text, remedy)
        else:
            yield ok(REGISTRY, text)


def split_tag(image: str) -> tuple[str, str]:
    """Split a repository from its tag or digest, which is empty when there is none."""
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    return (repository, digest or tag) if colon else (name, digest)


def _authorization(api: Api, first: Response, credential: Credential | None, repository: str) -> str:
    """Return the header with which a client pulls from a repository; empty where the registry needs none."""
    if first.status == 200:
        return ""
    return api.authorization(first, credential, f"repository:{repository}:pull")


def _pulls(response: Response, header: str) -> int | None:
    """Return the number in one of Docker Hub's headers, such as ``ratelimit-limit: 100;w=21600``."""
    number = response.headers.get(header, "").partition(";")[0]
    return int(number) if number.isdecimal() else None


def _is_insecure(host: str, environ: Mapping[str, str]) -> bool:
    """Return whether Docker accepts any certificate of a registry, and does without TLS."""
    bare = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    try:
        found = socket.getaddrinfo(bare.strip("[]"), None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []  # the request says so
    addresses = [str(address[0]).partition("%")[0] for *_, address in found]
    return is_insecure(host, addresses, insecure_registries(environ))


def _allow_no_tls(host: str) -> str:
    """Return how Docker is told that a registry has no TLS."""
    if os.path.exists(DAEMON_JSON):
        return f"as root, if it is meant to have no TLS: add {host} to insecure-registries in {DAEMON_JSON}"
    content = quote(json.dumps({"insecure-registries": [host]}))
    return f"as root, if it is meant to have no TLS: echo {content} >{DAEMON_JSON} && systemctl reload docker"


_REMEDIES = {
    "authority": "replace it by one in PEM form, or move it away",
    "denied": "ask the registry's operator for access",
    "dns": "correct the name, or this machine's DNS; see what it finds: getent hosts {host}",
    "not-a-registry": "check the name and port of the registry",
    "proxy": "check HTTPS_PROXY; if the registry needs no proxy: export NO_PROXY=$NO_PROXY,{host}",
    "rate-limit": "wait, or use a mirror",
    "redirect": "name images by the host to which it redirects",
    "server-error": "tell the registry's operator, or try again later",
    "tls": "see what it answers: openssl s_client -connect {address} </dev/null",
    "tls-expired": "ask the registry's operator for a new one; or correct this machine's clock",
    "tls-name": "name images by a host that it names: "
    "openssl s_client -connect {address} </dev/null | openssl x509 -noout -ext subjectAltName",
    "tls-untrusted": "as root, with the certificate of its authority: "
    "install -D -m 644 FILE /etc/docker/certs.d/{host}/ca.crt",
    "token-service": "tell the registry's operator, or try again later",
    "unreachable": "check the port, firewalls on the way, and whether it runs: "
    "curl --max-time 10 -sS https://{host}/v2/",
    "unsupported-scheme": "see the documentation of the registry",
}
"""What mends a fault; ``host`` is that of the API, and ``address`` has its port in any case."""
