"""`credhelpers login` and `logout`, with a real registry, real stores and real config files."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY, traces_of_canary
from tests.e2e.registry import CertificateAuthority, Login
from tests.integration.pass_store import record_gpg
from tests.support.aws import HOST
from tests.support.client import Credentials
from tests.support.operator import Operator, Result
from tests.support.registries import free_port, real_registry
from tests.support.tools import require

LOGIN = Login("ada", f"pw-{CANARY}")
HUB = "https://index.docker.io/v1/"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[str]:
    """A registry with TLS that lets one user in."""
    with real_registry(tmp_path_factory.mktemp("registry") / "data", LOGIN, authority) as host:
        yield host


@pytest.fixture(scope="module")
def plain_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry without TLS that lets one user in."""
    with real_registry(tmp_path_factory.mktemp("plain") / "data", LOGIN, None) as host:
        yield host


@pytest.fixture
def operator(installed: Path, password_store_env: dict[str, str]) -> Operator:
    """A user of the password store whose Docker knows it."""
    user = Operator.at(installed, password_store_env)
    user.write(".docker/config.json", '{\n\t"credsStore": "pass",\n\t"psFormat": "table"\n}\n')
    return user


@pytest.fixture
def trusting(authority: CertificateAuthority) -> tuple[str, str]:
    return ("--ca", str(authority.certificate))


def log_in(operator: Operator, server: str, *options: str, password: str = LOGIN.password) -> Result:
    """Log in as a script does; no secret may show."""
    result = operator.run(
        "login", server, "--username", LOGIN.username, "--password-stdin", *options, stdin=password + "\n"
    )
    shown = (result.out + result.err).encode()
    logs = [path.read_bytes() for path in operator.home.rglob(".ecr/log/*")]
    assert not any(trace in text for trace in traces_of_canary() for text in (shown, *logs))
    return result


def config(operator: Operator) -> dict[str, object]:
    content = json.loads((operator.home / ".docker" / "config.json").read_text())
    assert isinstance(content, dict)
    return content


def test_an_accepted_credential_is_stored(
    operator: Operator, registry: str, trusting: tuple[str, str]
) -> None:
    result = log_in(operator, registry, *trusting)

    assert result.code == 0, result
    assert "accepted and stored by pass" in result.out.replace(f"the credential of {LOGIN.username} is ", "")
    assert operator.helper("pass").get(registry).credentials() == Credentials(registry, *_pair())
    assert config(operator) == {"credsStore": "pass", "psFormat": "table", "auths": {registry: {}}}


def test_a_refused_credential_is_not_stored(
    operator: Operator, registry: str, trusting: tuple[str, str]
) -> None:
    cause, remedy = log_in(operator, registry, *trusting, password=f"wrong-{CANARY}").complaint

    assert cause == f"{registry} refuses this username and password"
    assert "access token" in remedy
    assert operator.helper("pass").stored() == {}
    assert "auths" not in config(operator)


def test_a_refusal_leaves_the_former_credential(
    operator: Operator, registry: str, trusting: tuple[str, str]
) -> None:
    log_in(operator, registry, *trusting)

    assert log_in(operator, registry, *trusting, password="wrong").code == 1

    assert operator.helper("pass").get(registry).credentials().secret == LOGIN.password


def test_an_unknown_authority_is_not_trusted(operator: Operator, registry: str) -> None:
    cause, remedy = log_in(operator, registry).complaint

    assert cause.startswith(f"the certificate of {registry} is not trusted: ")
    assert "--ca FILE" in remedy
    assert operator.helper("pass").stored() == {}


def test_another_hosts_certificate_is_not_trusted(
    operator: Operator, registry: str, trusting: tuple[str, str]
) -> None:
    cause, _ = log_in(operator, registry.replace("localhost", "127.0.0.1"), *trusting).complaint

    assert "is not trusted: " in cause
    assert "127.0.0.1" in cause


def test_an_authority_in_certs_d_is_trusted(
    operator: Operator, registry: str, authority: CertificateAuthority
) -> None:
    operator.write(f".config/docker/certs.d/{registry}/ca.crt", authority.certificate.read_text())

    assert log_in(operator, registry).code == 0


def test_insecure_accepts_any_certificate(operator: Operator, registry: str) -> None:
    assert log_in(operator, registry, "--insecure").code == 0
    assert log_in(operator, registry, "--insecure", password="wrong").code == 1


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "spoilt"])
def test_an_invalid_ca_file_is_named(
    operator: Operator, registry: str, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)

    cause, remedy = log_in(operator, registry, "--ca", str(file)).complaint

    assert cause.startswith(f"cannot read certificates from {file}: ")
    assert "PEM" in remedy


def test_a_password_needs_tls_or_insecure(operator: Operator, plain_registry: str) -> None:
    cause, remedy = log_in(operator, plain_registry).complaint
    assert cause.startswith(f"no TLS connection to {plain_registry}")
    assert "--insecure" in remedy
    cause, remedy = log_in(operator, f"http://{plain_registry}").complaint
    assert "unencrypted" in cause
    assert "--insecure" in remedy

    assert log_in(operator, plain_registry, "--insecure").code == 0
    assert log_in(operator, f"http://{plain_registry}", "--insecure").code == 0
    assert log_in(operator, plain_registry, "--insecure", password="wrong").code == 1


def test_a_missing_registry_and_a_missing_host(operator: Operator) -> None:
    host = f"localhost:{free_port()}"
    assert log_in(operator, host).complaint[0] == f"cannot connect to {host}: Connection refused"
    cause, remedy = log_in(operator, "registry.invalid").complaint
    assert cause == "cannot resolve the host name registry.invalid"
    assert "DNS" in remedy


def test_no_check_stores_without_asking(operator: Operator) -> None:
    result = log_in(operator, "registry.invalid/team", "--no-check", "--json")

    assert result.json() == {
        "server": "registry.invalid",
        "username": "ada",
        "store": "pass",
        "checked": False,
        "used_by_docker": True,
    }
    assert operator.helper("pass").get("registry.invalid").found


@pytest.mark.parametrize("name", ["docker.io", "index.docker.io", "https://registry-1.docker.io/v2/", HUB])
def test_docker_hub_has_one_key_by_any_name(operator: Operator, name: str) -> None:
    assert log_in(operator, name, "--no-check").code == 0

    assert operator.helper("pass").stored() == {HUB: "ada"}
    assert config(operator)["auths"] == {HUB: {}}


def test_a_plaintext_secret_is_removed(operator: Operator) -> None:
    auth = base64.b64encode(f"ada:old-{CANARY}".encode()).decode()
    content = {"auths": {"a.example": {"auth": auth}, "b.example": {"auth": auth}}, "credsStore": "pass"}
    operator.write(".docker/config.json", json.dumps(content))

    assert log_in(operator, "a.example", "--no-check").code == 0

    assert config(operator)["auths"] == {"a.example": {}, "b.example": {"auth": auth}}


def test_the_helper_of_the_server_stores_it(operator: Operator, installed: Path, tmp_path: Path) -> None:
    content = {"credsStore": "pass", "credHelpers": {"special.example": "stub"}}
    operator.write(".docker/config.json", json.dumps(content))
    stub = tmp_path / "stub" / "docker-credential-stub"
    stub.parent.mkdir()
    stub.write_text(f"#!/bin/sh\ncat >{tmp_path}/stored\n")
    stub.chmod(0o755)
    user = operator.but(PATH=f"{stub.parent}:{operator.env['PATH']}")

    assert log_in(user, "special.example", "--no-check").code == 0

    stored = json.loads((tmp_path / "stored").read_text())
    assert stored == {"ServerURL": "special.example", "Username": "ada", "Secret": LOGIN.password}
    assert operator.helper("pass").stored() == {}


def test_without_a_helper_it_is_refused(
    operator: Operator,
) -> None:
    operator.write(".docker/config.json", '{"auths": {"other.example": {}}}')

    cause, remedy = log_in(operator, "registry.invalid", "--no-check").complaint

    assert "plain text" in cause
    assert "credhelpers configure --store pass" in remedy
    assert "--store NAME" in remedy


def test_another_store_may_be_named(operator: Operator) -> None:
    operator.write(".docker/config.json", '{"auths": {"other.example": {}}}')

    result = log_in(operator, "registry.invalid", "--no-check", "--store", "pass")

    assert result.code == 0
    assert "Docker does not ask pass yet: credhelpers configure --store pass" in result.out
    assert operator.helper("pass").stored() == {"registry.invalid": "ada"}
    assert config(operator) == {"auths": {"other.example": {}}}


def test_a_failing_store_is_an_error(operator: Operator) -> None:
    (operator.home / ".password-store" / ".gpg-id").unlink()

    result = log_in(operator, "registry.invalid", "--no-check")

    assert result.code == 1
    assert "there is no password store in" in result.err
    assert "auths" not in config(operator)


def test_a_malformed_config_is_refused_first(operator: Operator) -> None:
    operator.write(".docker/config.json", "{")

    result = log_in(operator, "registry.invalid", "--no-check")

    assert result.code == 1
    assert "is not valid JSON" in result.err
    assert operator.helper("pass").stored() == {}


@pytest.mark.parametrize(
    "given", ["", "\n", "two\nlines\n", "x" * 70_000], ids=["none", "empty", "two", "long"]
)
def test_standard_input_must_be_one_password(operator: Operator, given: str) -> None:
    result = operator.run("login", "r.example", "-u", "ada", "--password-stdin", "--no-check", stdin=given)

    assert result.complaint[0] == "standard input is not one line with a password"


def test_without_a_terminal_stdin_is_suggested(operator: Operator) -> None:
    cause, remedy = operator.run("login", "registry.example", "--username", "ada").complaint

    assert "no terminal" in cause
    assert "--password-stdin" in remedy


@pytest.mark.parametrize(
    "arguments",
    [
        ["login", "registry.example", "--password-stdin"],
        ["login", "registry.example", "-u", "ada", "--password", "secret"],
        ["login", "ada:secret@registry.example", "-u", "ada", "--password-stdin"],
        ["login", "registry example", "-u", "ada", "--password-stdin"],
        ["login", "https://", "-u", "ada", "--password-stdin"],
        ["logout", "https://"],
    ],
)
def test_a_wrong_command_line_is_exit_status_2(operator: Operator, arguments: list[str]) -> None:
    result = operator.run(*arguments, stdin="secret\n")

    assert (result.code, result.out) == (2, "")
    assert "Usage: " in result.err


def test_a_typed_password_is_hidden(operator: Operator, registry: str, trusting: tuple[str, str]) -> None:
    with operator.at_terminal("login", registry, *trusting) as terminal:
        terminal.expect(f"Username for {registry}: ")
        terminal.type("ada\n")
        terminal.expect("Password or access token: ")
        terminal.type(LOGIN.password + "\n")
        terminal.expect("accepted and stored")
        assert terminal.finish() == 0

    assert not any(trace.decode() in terminal.shown for trace in traces_of_canary())
    assert operator.helper("pass").get(registry).credentials().secret == LOGIN.password


def test_no_secret_in_arguments_or_environment(
    operator: Operator, registry: str, trusting: tuple[str, str], tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    record = record_gpg(tools)
    helper = tools / "docker-credential-pass"
    helper.write_text(
        f'#!/bin/sh\n{{ echo helper "$@"; env; }} >>{record}\n'
        f'exec {operator.bin}/docker-credential-pass "$@"\n'
    )
    helper.chmod(0o755)

    assert log_in(operator.but(PATH=f"{tools}:{operator.env['PATH']}"), registry, *trusting).code == 0

    seen = record.read_bytes()
    assert b"helper store" in seen
    assert b"started" in seen
    assert not any(trace in seen for trace in traces_of_canary())


def test_docker_finds_the_login_and_logs_out(operator: Operator) -> None:
    assert log_in(operator, "r.example", "--no-check").code == 0
    command = [require("docker", "docker.io"), "logout", "r.example"]

    done = subprocess.run(command, env=operator.env, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, ""), done
    assert operator.helper("pass").stored() == {}
    assert config(operator).get("auths", {}) == {}


def _pair() -> tuple[str, str]:
    return LOGIN.username, LOGIN.password


def test_without_a_server_it_is_docker_hub(operator: Operator) -> None:
    options = ("--no-check", "--username", "ada", "--password-stdin")

    report = operator.succeed("login", "--json", *options, stdin="secret\n").json()

    assert report["server"] == HUB
    assert operator.helper("pass").stored() == {HUB: "ada"}


@pytest.mark.parametrize(("configuration", "helper"), [("ecr-login", "ecr-login"), ("auto", "ecr-login")])
def test_ecr_needs_no_login(operator: Operator, configuration: str, helper: str) -> None:
    operator.write(".docker/config.json", json.dumps({"credsStore": configuration}))

    report = operator.succeed("login", f"https://{HOST}/team", "--json").json()

    assert report == {"server": HOST, "store": helper, "needed": False, "used_by_docker": True}


def test_a_route_of_auto_decides_for_a_cloud(operator: Operator) -> None:
    operator.write(".docker/config.json", '{"credsStore": "auto"}')
    operator.write(".config/credhelpers/config.toml", f'[[auto.route]]\nmatch = "{HOST}"\nhelper = "pass"\n')

    cause, _ = operator.run("login", HOST).complaint

    assert cause == "there is no terminal to ask for the password"
