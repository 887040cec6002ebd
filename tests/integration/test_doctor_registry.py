"""`credhelpers doctor` asks the registry: which fault it names, and that it ends in time.

Registries on localhost are insecure for Docker, and so for doctor; tests/gallery has those with TLS.
"""

import contextlib
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from credhelpers.cli.doctor import registry as registries
from tests.conformance.canary import CANARY
from tests.e2e.registry import Login
from tests.integration.doctor import Finding, Patient, Report, install
from tests.remedies.rule import commands
from tests.support.ahead import Ahead
from tests.support.aws import Misbehaving, drip, silence
from tests.support.registries import Asked, Reply, Stub, free_port, real_registry

PAIR = f"ada:{CANARY}"
BASIC = Reply(401, {"WWW-Authenticate": 'Basic realm="tests"'})


@pytest.fixture
def patient(installed: Path, private_env: dict[str, str]) -> Iterator[Patient]:
    """A user whose helper has one password, for every registry."""
    with user_of_helper(installed, private_env) as user:
        yield user


@contextmanager
def user_of_helper(installed: Path, env: dict[str, str]) -> Iterator[Patient]:
    user = Patient(installed, {**env, "PATH": f"{env['HOME']}/others:{installed}:/usr/bin:/bin"}).online
    answers(user, "ada", CANARY)
    user.configure(credsStore="x")
    yield user
    user.assert_no_secret_was_shown()


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Patient]]:
    """The same user."""
    with user_of_helper(installed, private_env) as user:
        yield (user,)


def answers(user: Patient, username: str, secret: str) -> None:
    """Let the helper give a credential for every server; none when the username is empty."""
    given = json.dumps({"ServerURL": "any", "Username": username, "Secret": secret})
    none = "echo credentials not found in native keychain; exit 1"
    script = (
        f'[ "$1" = get ] || exit 0\ncat >/dev/null\n{f"echo {chr(39)}{given}{chr(39)}" if username else none}'
    )
    install(user.home / "others", "x", script)


def registry(report: Report) -> list[Finding]:
    """Return what is found about the registry itself."""
    return [finding for finding in report.findings if finding.check == "registry"]


def faults(report: Report) -> list[str]:
    return [finding.id for finding in registry(report)]


def basic(asked: Asked) -> Reply:
    """Answer as a registry that knows one user."""
    return Reply(200) if asked.basic == PAIR else BASIC


@contextmanager
def with_tokens(
    token: Callable[[Asked], Reply], content: Mapping[str, Reply] | None = None, realm: str = ""
) -> Iterator[Stub]:
    """Run a registry that is its own token service, unless a realm is named."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/token":
            return token(asked)
        if asked.authorization != "Bearer good":
            service = f'Bearer realm="http://{realm or stub.host}/token",service="tests"'
            return Reply(401, {"WWW-Authenticate": service})
        other = Reply(200 if asked.path == "/v2/" else 404)
        return (content or {}).get(f"{asked.method} {asked.path}", other)

    with Stub(answer) as stub:
        yield stub


def for_ada(asked: Asked) -> Reply:
    return Reply(200, body=b'{"token": "good"}') if asked.basic == PAIR else Reply(401)


def test_a_real_registry_accepts(patient: Patient, tmp_path: Path) -> None:
    with real_registry(tmp_path / "registry", Login("ada", CANARY), None) as host:
        report = patient.doctor(host)
        checks = [finding.check for finding in report.findings if finding.subject == host]
        assert (report.code, checks) == (0, ["helper", "answer", "registry"])
        assert report.of("registry").text == f"{host} accepts the credential"
        answers(patient, "ada", f"old-{CANARY}")
        report = patient.doctor(host)
    report.assert_broken("registry", f"{host} refuses", f"credhelpers login --insecure {host}")
    assert faults(report) == ["registry.refused"]


def test_the_environment_comes_before_the_helper(patient: Patient) -> None:
    docker = patient.home / "others" / "docker"
    docker.write_text("#!/bin/sh\necho Docker version 28.3.0, build x\n")
    docker.chmod(0o755)
    with Stub(basic) as stub:
        auths = {"auths": {stub.host: {"auth": Login("ada", f"old-{CANARY}").encoded()}}}
        user = patient.but(DOCKER_AUTH_CONFIG=json.dumps(auths))
        assert faults(user.doctor(stub.host)) == ["registry.refused"]
        assert faults(patient.doctor(stub.host)) == ["registry"]
        docker.write_text("#!/bin/sh\necho Docker version 20.10.24, build x\n")
        assert faults(user.doctor(stub.host)) == ["registry"]


def test_a_plaintext_password_is_asked_about(patient: Patient, tmp_path: Path) -> None:
    with real_registry(tmp_path / "registry", Login("ada", CANARY), None) as host:
        patient.configure(auths={host: {"auth": Login("ada", f"old-{CANARY}").encoded()}})
        report = patient.doctor()
    report.assert_broken("registry", "refuses this username", f"docker login {host}")


def test_offline_asks_no_registry(patient: Patient) -> None:
    with Stub(basic) as stub:
        assert registry(patient.doctor("--offline", stub.host)) == []
    assert stub.asked == []


@pytest.mark.parametrize(
    ("reply", "fault", "words"),
    [
        (Reply(403), "denied", "denies access"),
        (Reply(404), "not-a-registry", "it has no /v2/"),
        (Reply(418), "not-a-registry", "it answered 418"),
        (Reply(200, {"Content-Type": "text/html"}), "not-a-registry", "a web page"),
        (Reply(302, {"Location": "/v2/"}), "not-a-registry", "redirect loop"),
        (Reply(302, {"Location": "https://else.example/v2/"}), "redirect", "redirects to else.example"),
        (Reply(429), "rate-limit", "too many requests"),
        (Reply(503), "server-error", "server error"),
        (Reply(401, {"WWW-Authenticate": "Negotiate"}), "unsupported-scheme", "unsupported"),
    ],
)
def test_each_answer_has_an_id(patient: Patient, reply: Reply, fault: str, words: str) -> None:
    with Stub(lambda _: reply) as stub:
        report = patient.doctor(stub.host)
    assert faults(report) == [f"registry.{fault}"]
    report.assert_broken("registry", words)
    assert not any(asked.authorization for asked in stub.asked)
    assert "--no-check" not in report.of("registry").remedy


def test_a_token_service_is_asked(patient: Patient) -> None:
    with with_tokens(for_ada) as stub:
        assert patient.doctor(stub.host).of("registry").text.endswith("accepts the credential")
        answers(patient, "ada", f"old-{CANARY}")
        assert faults(patient.doctor(stub.host)) == ["registry.refused"]


@pytest.mark.parametrize("reply", [Reply(503), Reply(200, body=b"{}"), None], ids=["503", "no token", "down"])
def test_a_token_service_that_fails(patient: Patient, reply: Reply | None) -> None:
    dead = f"localhost:{free_port()}"
    with with_tokens(lambda _: reply or Reply(500), realm="" if reply else dead) as stub:
        report = patient.doctor(stub.host)
    assert faults(report) == ["registry.token-service"]
    report.assert_broken("registry", f"the token service of {stub.host}")


def test_an_identity_token_is_exchanged(patient: Patient) -> None:
    def exchange(asked: Asked) -> Reply:
        assert asked.method == "POST"
        assert asked.query["grant_type"] == ["refresh_token"]
        return Reply(
            200, body=b'{"access_token": "good"}' if asked.query["refresh_token"] == [CANARY] else b""
        )

    answers(patient, "<token>", CANARY)
    with with_tokens(exchange) as stub:
        assert patient.doctor(stub.host).of("registry").text.endswith("accepts the credential")
    with Stub(lambda _: BASIC) as stub:
        assert faults(patient.doctor(stub.host)) == ["registry.identity-token"]


def test_without_a_credential(patient: Patient) -> None:
    answers(patient, "", "")
    with Stub(basic) as stub:
        report = patient.doctor(stub.host)
        report.assert_broken("registry", "lets in no user without", f"login --insecure {stub.host}")
        assert faults(report) == ["registry.no-credential"]
    with with_tokens(lambda _: Reply(200, body=b'{"token": "good"}')) as stub:
        report = patient.doctor(stub.host)
        assert (report.code, faults(report)) == (0, ["registry"])
    with with_tokens(lambda _: Reply(401)) as stub:
        report = patient.doctor(stub.host)
        assert (report.code, faults(report)) == (0, ["registry.no-credential"])


def test_an_open_registry_gets_no_password(patient: Patient) -> None:
    with Stub(lambda _: Reply(200)) as stub:
        assert patient.doctor(stub.host).of("registry").text == f"{stub.host} lets in every user"
    assert [asked.authorization for asked in stub.asked] == [""]


def test_a_failing_helper_leaves_the_registry_ok(patient: Patient) -> None:
    install(patient.home / "others", "x", "exit 3")
    with Stub(basic) as stub:
        report = patient.doctor(stub.host)
    assert report.state("answer") == "fail"
    assert report.of("registry").text == f"{stub.host} answers, and asks for a credential"


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        ("team/app", ""),
        ("team/app:1", ""),
        ("team/app:9", "tag-unknown"),
        ("team/none", "repository-unknown"),
        ("team/secret", "repository-denied"),
        ("team/broken", "server-error"),
    ],
)
def test_a_repository_is_asked_for(patient: Patient, image: str, fault: str) -> None:
    content = {
        "HEAD /v2/team/app/manifests/1": Reply(200),
        "GET /v2/team/app/tags/list": Reply(200),
        "HEAD /v2/team/secret/manifests/latest": Reply(403),
        "HEAD /v2/team/broken/manifests/latest": Reply(500),
    }
    with with_tokens(for_ada, content=content) as stub:
        report = patient.doctor(f"{stub.host}/{image}")
    assert faults(report) == ["registry", f"registry.{fault}" if fault else "registry"]
    scopes = {scope for asked in stub.asked for scope in asked.query.get("scope", [])}
    assert scopes == {f"repository:{image.partition(':')[0]}:pull"}


def test_a_token_refused_for_a_repository(patient: Patient) -> None:
    def token(asked: Asked) -> Reply:
        return Reply(403) if "scope" in asked.query else for_ada(asked)

    with with_tokens(token) as stub:
        assert faults(patient.doctor(f"{stub.host}/team/app")) == ["registry", "registry.repository-denied"]


@pytest.mark.parametrize("server", ["a..b", "[::1", "a:99999", "x" * 70 + ".example", "\N{BULLET}"])
def test_a_name_of_no_host(patient: Patient, server: str) -> None:
    patient.configure(credsStore="x", auths={server: {}})
    assert faults(patient.doctor()) == ["registry.dns"]


def test_an_unknown_host_name(patient: Patient) -> None:
    report = patient.doctor("registry.invalid")
    assert faults(report) == ["registry.dns"]
    report.assert_broken("registry", "cannot resolve the host name", "getent hosts registry.invalid")


def test_a_refused_connection(patient: Patient) -> None:
    host = f"localhost:{free_port()}"
    report = patient.doctor(host)
    assert faults(report) == ["registry.unreachable"]
    report.assert_broken("registry", "Connection refused", f"https://{host}/v2/")


def test_a_proxy_that_refuses(patient: Patient) -> None:
    with Stub(lambda _: Reply(407)) as proxy:
        user = patient.but(HTTPS_PROXY=f"http://user:{CANARY}@{proxy.host}")
        report = user.doctor("registry.invalid")
    assert faults(report) == ["registry.proxy"]
    report.assert_broken("registry", "the proxy", "NO_PROXY")


def test_an_unreachable_proxy(patient: Patient) -> None:
    report = patient.but(HTTPS_PROXY=f"http://localhost:{free_port()}").doctor("registry.invalid")
    assert faults(report) == ["registry.proxy"]


def test_a_daemon_json_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    daemon_json = tmp_path / "daemon.json"
    daemon_json.touch()
    monkeypatch.setattr(registries, "DAEMON_JSON", str(daemon_json))
    assert commands(registries._allow_no_tls("registry.example")) == []


@contextmanager
def blackhole() -> Iterator[str]:
    """Listen, but take no connection, so that the kernel drops all that come when a few wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        address = listener.getsockname()
        for _ in range(3):
            waiting = stack.enter_context(contextlib.closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield f"localhost:{address[1]}"


@ahead
def test_a_blackhole_is_given_up_in_time(patient: Patient) -> None:
    with blackhole() as host:
        assert faults(patient.doctor(host)) == ["registry.unreachable"]


@ahead
def test_silent_registries_are_given_up(patient: Patient) -> None:
    with Misbehaving(silence) as silent, Misbehaving(drip) as slow:
        hosts = [server.url.removeprefix("http://") for server in (silent, slow)]
        patient.configure(credsStore="x", auths={host: {} for host in hosts})
        report = patient.doctor()
    assert faults(report) == ["registry.unreachable"] * 2


@ahead
def test_a_hanging_helper_and_a_registry(patient: Patient) -> None:
    install(patient.home / "others", "x", "exec sleep 300")
    with Stub(basic) as stub:
        report = patient.doctor(stub.host)
    assert report.state("answer") == "fail"
    assert report.state("registry") == "ok"
