"""What `credhelpers login` does with registries that answer in other ways; the registries are imitations."""

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.e2e.registry import CertificateAuthority
from tests.support.aws import Misbehaving, flood, reset
from tests.support.operator import Operator, Result
from tests.support.registries import Asked, Reply, Stub, tls_context

PASSWORD = f"pw-{CANARY}"
PAIR = f"ada:{PASSWORD}"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls(authority: CertificateAuthority) -> ssl.SSLContext:
    return tls_context(authority)


@pytest.fixture
def operator(
    installed: Path, password_store_env: dict[str, str], authority: CertificateAuthority
) -> Operator:
    user = Operator.at(installed, password_store_env)
    user.write(".docker/config.json", '{"credsStore": "pass"}')
    user.write("ca.pem", authority.certificate.read_text())
    return user


def log_in(operator: Operator, host: str, *options: str, password: str = PASSWORD) -> Result:
    ca = str(operator.home / "ca.pem")
    arguments = ["login", host, "--username", "ada", "--password-stdin", "--ca", ca, *options]
    result = operator.run(*arguments, stdin=password + "\n")
    assert CANARY not in result.out + result.err
    assert bool(operator.helper("pass").stored()) == (result.code == 0)
    return result


def token_service(asked: Asked, *, body: bytes = b'{"token": "opaque.token"}') -> Reply:
    """Answer as a token service that knows one user."""
    return Reply(200, body=body) if asked.basic == PAIR else Reply(401)


def registry_with(service: Callable[[], str], *, header: str = "") -> Callable[[Asked], Reply]:
    """Return what a registry does that sends its users to a token service."""
    challenge = header or 'Bearer realm="https://{}/token",service="tests",scope="registry:catalog:*"'

    def answer(asked: Asked) -> Reply:
        if asked.path == "/token":
            return token_service(asked)
        if asked.authorization == "Bearer opaque.token":
            return Reply(200)
        return Reply(401, {"WWW-Authenticate": challenge.format(service())})

    return answer


def test_a_token_service_is_asked(operator: Operator, tls: ssl.SSLContext) -> None:
    with Stub(token_service, tls) as service, Stub(registry_with(lambda: service.host), tls) as registry:
        assert log_in(operator, registry.host).code == 0

    assert [asked.authorization for asked in registry.asked] == ["", "Bearer opaque.token"]
    (asked,) = service.asked
    assert asked.basic == PAIR
    assert (asked.query["service"], asked.query["account"]) == (["tests"], ["ada"])


def test_a_user_unknown_to_the_token_service(operator: Operator, tls: ssl.SSLContext) -> None:
    with Stub(token_service, tls) as service, Stub(registry_with(lambda: service.host), tls) as registry:
        cause, _ = log_in(operator, registry.host, password="wrong").complaint

    assert cause == f"{registry.host} refuses this username and password"
    assert len(registry.asked) == 1


@pytest.mark.parametrize(
    "header",
    [
        'Basic realm="tests", Bearer realm="https://{0}/token",service="tests"',
        'bearer service="tests", realm="https://{0}/token?x=1"',
    ],
    ids=["among others", "in another order"],
)
def test_a_bearer_challenge_is_found(operator: Operator, tls: ssl.SSLContext, header: str) -> None:
    with (
        Stub(token_service, tls) as service,
        Stub(registry_with(lambda: service.host, header=header), tls) as registry,
    ):
        assert log_in(operator, registry.host).code == 0

    assert service.asked[0].query["service"] == ["tests"]


def test_a_token_service_needs_tls(operator: Operator, tls: ssl.SSLContext) -> None:
    header = 'Bearer realm="http://{0}/token",service="tests"'
    with (
        Stub(token_service) as service,
        Stub(registry_with(lambda: service.host, header=header), tls) as registry,
    ):
        cause, remedy = log_in(operator, registry.host).complaint
        assert not service.asked
        assert log_in(operator, registry.host, "--insecure").code == 0

    assert "which is not https" in cause
    assert "--insecure" in remedy


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token": 1}', b'{"token": "a\\r\\nb"}', b"[" * 5000])
def test_an_answer_without_a_token_is_an_error(operator: Operator, tls: ssl.SSLContext, body: bytes) -> None:
    with (
        Stub(lambda asked: token_service(asked, body=body), tls) as service,
        Stub(registry_with(lambda: service.host), tls) as registry,
    ):
        cause, _ = log_in(operator, registry.host).complaint

    assert cause == f"unexpected response from {service.host}, the token service of {registry.host}"


@pytest.mark.parametrize(
    ("status", "cause", "remedy"),
    [
        (403, "denies access to this user", "ask the registry's operator"),
        (404, "is not a registry", "check the server's name and port"),
        (429, "too many requests", "try again later"),
        (503, "server error of ", "--no-check"),
        (418, "is not a registry: it answered 418", "check the server's name"),
    ],
)
def test_each_refusal_has_a_remedy(
    operator: Operator, tls: ssl.SSLContext, status: int, cause: str, remedy: str
) -> None:
    with Stub(lambda _: Reply(status), tls) as registry:
        complaint = log_in(operator, registry.host).complaint

    assert cause in complaint[0]
    assert remedy in complaint[1]


def test_an_unsupported_scheme_gets_no_password(operator: Operator, tls: ssl.SSLContext) -> None:
    with Stub(lambda _: Reply(401, {"WWW-Authenticate": "Negotiate"}), tls) as registry:
        assert "unsupported authentication scheme" in log_in(operator, registry.host).complaint[0]

    assert [asked.authorization for asked in registry.asked] == [""]


def test_an_open_registry_gets_no_password(operator: Operator, tls: ssl.SSLContext) -> None:
    with Stub(lambda _: Reply(200), tls) as registry:
        result = log_in(operator, registry.host)

    assert result.code == 0
    assert "lets in every user" in result.err
    assert "not verified" in result.out
    assert [asked.authorization for asked in registry.asked] == [""]


def _basic_or(redirect: Reply) -> Callable[[Asked], Reply]:
    challenge = Reply(401, {"WWW-Authenticate": 'Basic realm="tests"'})
    return lambda asked: redirect if asked.authorization else challenge


def test_no_password_to_another_host(operator: Operator, tls: ssl.SSLContext) -> None:
    with Stub(lambda _: Reply(200), tls) as thief:
        redirect = Reply(307, {"Location": f"https://x:y@{thief.host}/v2/"})
        with Stub(_basic_or(redirect), tls) as registry:
            cause, remedy = log_in(operator, registry.host).complaint

    assert cause == f"{registry.host} redirects to {thief.host}, and no password is sent there"
    assert f"credhelpers login {thief.host}" in remedy
    assert thief.asked == []


def test_no_password_from_tls_to_plain_http(operator: Operator, tls: ssl.SSLContext) -> None:
    with (
        Stub(lambda _: Reply(200)) as thief,
        Stub(_basic_or(Reply(307, {"Location": f"http://{thief.host}/v2/"})), tls) as registry,
    ):
        assert "no password is sent there" in log_in(operator, registry.host, "--insecure").complaint[0]

    assert thief.asked == []


def test_redirects_within_the_host(operator: Operator, tls: ssl.SSLContext) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/v2/":
            return Reply(301, {"Location": "/real/v2/"})
        if asked.basic == PAIR:
            return Reply(200)
        return Reply(401, {"WWW-Authenticate": 'Basic realm="tests"'})

    with Stub(answer, tls) as registry:
        assert log_in(operator, registry.host).code == 0
    operator.helper("pass").erase(registry.host)
    with Stub(lambda _: Reply(302, {"Location": "/v2/"}), tls) as circle:
        assert "redirect loop" in log_in(operator, circle.host).complaint[0]
    assert len(circle.asked) < 10


def test_an_endless_answer_is_cut(operator: Operator, tls: ssl.SSLContext) -> None:
    huge = json.dumps({"token": "x" * (4 << 20)}).encode()
    with (
        Stub(lambda asked: token_service(asked, body=huge), tls) as service,
        Stub(registry_with(lambda: service.host), tls) as registry,
    ):
        assert "unexpected response from" in log_in(operator, registry.host).complaint[0]


def test_a_reset_connection_is_an_error(operator: Operator) -> None:
    with Misbehaving(reset) as server:
        host = server.url.removeprefix("http://")
        cause, _ = log_in(operator, f"http://{host}", "--insecure").complaint

    assert cause.startswith(f"cannot connect to {host}: ")


def test_a_flood_is_not_waited_for(operator: Operator) -> None:
    with Misbehaving(flood) as server:
        host = server.url.removeprefix("http://")
        assert log_in(operator, f"http://{host}", "--insecure").code == 0  # it lets in every user
