"""`credhelpers doctor --fix`: runs the remedies that are safe, and no others."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.e2e.registry import Login
from tests.integration.doctor import Patient, install
from tests.remedies.conftest import powerless
from tests.support.aws import HOST, Aws, failing
from tests.support.client import Answer
from tests.support.operator import Operator
from tests.support.registries import free_port

__all__ = ["powerless"]

SERVER = "registry.example:5000"
PLAIN = {SERVER: {"auth": Login("ada", CANARY).encoded()}}


@pytest.fixture
def patient(installed: Path, password_store_env: dict[str, str]) -> Iterator[Patient]:
    """A user of a password store that has a credential for the server."""
    user = Patient(installed, {**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"})
    assert user.helper("pass").store(SERVER, "ada", CANARY).code == 0
    user.configure(credsStore="pass")
    yield user
    user.assert_no_secret_was_shown()


@pytest.fixture
def user(patient: Patient) -> Patient:
    """The same user, by the name that `powerless` has for it."""
    return patient


def fix(patient: Patient, *arguments: str) -> Answer:
    options = ["--offline", "--client", "docker", "--fix", "--yes"]
    return patient.run("doctor", *options, *arguments, SERVER)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_modes_are_closed(patient: Patient) -> None:
    patient.config.chmod(0o666)
    settings = patient.set("[log]\nlevel = 'debug'\n")
    settings.chmod(0o666)
    store = patient.home / ".password-store"
    store.chmod(0o777)

    answer = fix(patient)

    assert answer.code == 0, answer
    assert (mode(patient.config), mode(settings), mode(store)) == (0o600, 0o644, 0o700)
    shown = answer.out.decode()
    assert f"Running: chmod 600 {patient.config}" in shown
    assert shown.splitlines()[-1].startswith("0 failed, 0 warnings")
    assert shown.partition("Nothing remains.")[2].strip() == shown.splitlines()[-1]
    assert "What remains" not in shown


def test_an_executable_is_closed(patient: Patient, tmp_path: Path) -> None:
    executable = install(tmp_path / "others", "x", "echo x 1")
    executable.chmod(0o777)
    patient.configure(credsStore="x")
    fix(patient.but(PATH=f"{tmp_path}/others:{patient.env['PATH']}"))
    assert mode(executable) == 0o775


def _no_file(log: Path) -> None:
    log.unlink()
    log.symlink_to("/dev/null")


def _closed(log: Path) -> None:
    log.chmod(0o400)


@pytest.mark.parametrize("spoil", [_no_file, _closed])
def test_a_log_is_put_right(powerless: Patient, spoil: Callable[[Path], None]) -> None:
    log = powerless.home / ".ecr" / "log" / "pass.log"
    spoil(log)
    assert powerless.doctor(SERVER).state("log") != "ok"
    assert fix(powerless).code == 0
    assert powerless.doctor(SERVER).state("log") == "ok"
    assert bool(list(log.parent.glob("*.aside"))) is (spoil is _no_file)


def test_an_unsafe_directory_is_moved_away(patient: Patient) -> None:
    directory = patient.home / ".ecr" / "log"
    directory.chmod(0o777)
    assert fix(patient).code == 0
    assert directory.with_name("log.aside").is_dir()


@pytest.mark.parametrize("store", [{"credsStore": "pass"}, {}])
def test_plaintext_is_migrated(patient: Patient, store: dict[str, str]) -> None:
    patient.configure(**store, auths={"other.example": {"auth": Login("eve", CANARY).encoded()}})
    assert fix(patient).code == 0
    assert patient.helper("pass").get("other.example").credentials().secret == CANARY
    assert CANARY not in patient.config.read_text()
    assert patient.doctor(SERVER).state("answer") == "ok"


def test_a_helper_is_configured(patient: Patient) -> None:
    patient.configure(auths={SERVER: {}})
    assert fix(patient).code == 0
    assert json.loads(patient.config.read_text())["credsStore"] == "auto"


def test_no_helper_hides_plaintext(patient: Patient) -> None:
    patient.configure(auths={"other.example": PLAIN[SERVER]})
    found = patient.doctor(SERVER).of("helper")
    assert (found.id, found.fixable) == ("helper.none", False)


def test_a_remembered_failure_is_erased(patient: Patient, aws: Aws) -> None:
    user = patient.but(**aws.environment())
    user.configure(credHelpers={HOST: "ecr-login"})
    aws.fault = failing(400, "AccessDeniedException")
    assert user.helper("ecr-login").get(HOST).code == 1
    aws.fault = None

    answer = user.run("doctor", "--offline", "--fix", "--yes", "--json", HOST)

    report = json.loads(answer.out)
    command = f"printf %s {HOST} | docker-credential-ecr-login erase"
    assert report["fixes"] == [{"command": command, "succeeded": True}]
    assert report["ok"]
    assert user.helper("ecr-login").get(HOST).found


def test_the_named_config_is_fixed(patient: Patient, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text(json.dumps({"credsStore": "pass", "auths": PLAIN}))
    (other / "config.json").chmod(0o600)
    before = patient.config.read_text()

    assert fix(patient, "--docker-config", str(other)).code == 0

    assert CANARY not in (other / "config.json").read_text()
    assert 'auth":' not in (other / "config.json").read_text()
    assert patient.config.read_text() == before


def test_credhelpers_need_not_be_on_path(patient: Patient) -> None:
    patient.configure(credsStore="pass", auths=PLAIN)
    helpers = patient.home / "helpers"
    helpers.mkdir()
    (helpers / "docker-credential-pass").symlink_to(patient.bin / "docker-credential-pass")
    fix(patient.but(PATH=f"{helpers}:/usr/bin:/bin"))
    assert 'auth":' not in patient.config.read_text()


@pytest.mark.parametrize(
    ("content", "id"),
    [
        ({"credsStore": "absent"}, "on-path.missing"),
        ({"credsStore": "pass", "auths": {SERVER: {"auth": "!"}}}, "plaintext.unreadable"),
        ({"credsStore": "pass", "credHelpers": {f"https://{SERVER}": "x"}}, "credhelpers.never-asked"),
    ],
)
def test_nothing_else_is_run(patient: Patient, content: dict[str, object], id: str) -> None:  # noqa: A002
    before = patient.configure(**content).read_text()
    (found,) = [finding for finding in patient.doctor(SERVER).findings if finding.id == id]
    assert not found.fixable
    answer = fix(patient)
    assert "Running: " not in answer.out.decode()
    assert "Nothing was run." in answer.out.decode()
    assert patient.config.read_text() == before


def test_no_login_is_run(patient: Patient) -> None:
    report = patient.doctor("other.example")
    assert not report.of("answer").fixable
    unreachable = patient.online.doctor(f"localhost:{free_port()}")
    assert not any(finding.fixable for finding in unreachable.findings)


def test_a_failing_fix_is_named(patient: Patient) -> None:
    patient.configure(auths={"other.example": {"auth": Login("eve", CANARY).encoded()}})
    (patient.home / ".password-store" / ".gpg-id").unlink()
    answer = fix(patient)
    assert b"this fix has failed: credhelpers migrate --to pass" in answer.err
    assert CANARY not in answer.err.decode()


def test_without_a_terminal_yes_is_needed(patient: Patient) -> None:
    patient.config.chmod(0o666)
    answer = patient.run("doctor", "--offline", "--fix", SERVER)
    assert answer.code == 1
    assert b"credhelpers doctor --fix --yes" in answer.err
    assert mode(patient.config) == 0o666
    patient.run("doctor", "--fix", "--yes", "--offline", SERVER)
    assert mode(patient.config) == 0o600


@pytest.mark.parametrize("options", [["--yes"], ["--fix", "--json"]])
def test_options_that_go_together(patient: Patient, options: list[str]) -> None:
    assert patient.run("doctor", *options).code == 2


@pytest.mark.parametrize(("typed", "expected"), [("y\n", 0o600), ("n\n", 0o666), ("\n", 0o666)])
def test_each_fix_is_asked_for(patient: Patient, typed: str, expected: int) -> None:
    patient.config.chmod(0o666)
    operator = Operator(patient.bin, patient.env)
    with operator.at_terminal("doctor", "--offline", "--fix", SERVER) as terminal:
        terminal.expect("This can be fixed by:")
        terminal.expect(f"chmod 600 {patient.config}")
        terminal.expect("Run it? [y/N]")
        terminal.type(typed)
        terminal.expect(" failed, ")
        assert terminal.finish() == (0 if expected == 0o600 else 1)
    assert mode(patient.config) == expected
