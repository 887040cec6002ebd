"""`credhelpers doctor` on Docker's configuration, the helpers on PATH, their state, and the answer itself."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from credhelpers import __version__
from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient, install
from tests.support.ahead import Ahead
from tests.support.gpg import password_store_of, throwaway_gpg_home

SERVER = "registry.example:5000"
PLAIN = {SERVER: {"auth": "YWRhOmNhbmFyeTdkMWZlMDJh"}}  # ada, and the canary


@pytest.fixture
def patient(installed: Path, password_store_env: dict[str, str]) -> Iterator[Patient]:
    """A user whose password store has a credential for the server, and whose Docker asks for it."""
    with user_of_store(installed, password_store_env) as user:
        yield user


@contextmanager
def user_of_store(installed: Path, env: dict[str, str]) -> Iterator[Patient]:
    user = Patient(installed, {**env, "PATH": f"{installed}:/usr/bin:/bin"})
    assert user.helper("pass").store(SERVER, "ada", CANARY).code == 0
    user.configure(credsStore="pass")
    yield user
    user.assert_no_secret_was_shown()


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Patient]]:
    """The same user, with a key of their own."""
    with throwaway_gpg_home() as home, user_of_store(installed, password_store_of(private_env, home)) as user:
        yield (user,)


def test_all_checks_are_ok(patient: Patient) -> None:
    report = patient.doctor("--client", "docker", SERVER)

    assert (report.code, {finding.state for finding in report.findings}) == (0, {"ok"}), report
    assert [finding.check for finding in report.findings] == [
        "config file",
        "config mode",
        "plaintext",
        "config.toml",
        "log",
        "on PATH",
        "executable",
        "gpg",
        "password store",
        "store mode",
        "encryption",
        "decryption",
        "helper",
        "answer",
    ]
    assert f"gives a credential for {SERVER}: that of ada" in report.of("answer").text
    assert "credsStore is pass" in report.of("config file").text


def test_the_text_report_has_findings_and_fixes(patient: Patient) -> None:
    patient.configure(credsStore="pass", auths=PLAIN)
    answer = patient.run("doctor", "--offline", "--client", "docker", SERVER)

    lines = answer.out.decode().splitlines()
    assert answer.code == 0
    assert lines[0] == "Docker"
    assert f"  warn  plaintext: it holds secrets in plain text: {SERVER}" in lines
    assert "        -> credhelpers migrate" in lines
    assert lines[-1] == "0 failed, 1 warning, 13 ok"
    assert "\x1b" not in answer.out.decode()


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours(patient: Patient, environment: dict[str, str], coloured: bool) -> None:
    shown = patient.but(**environment).on_terminal("doctor", "--offline", SERVER)
    assert ("\x1b[32m" in shown) is coloured
    assert "that of ada" in shown


def test_without_a_server_all_are_followed(patient: Patient) -> None:
    patient.configure(credsStore="pass", auths={SERVER: {}}, credHelpers={"other.example": "keyring"})
    report = patient.doctor()
    subjects = [finding.subject for finding in report.findings]
    assert SERVER in subjects
    assert "other.example" in subjects
    assert {"docker-credential-pass", "docker-credential-keyring", "password store", "OS keyring"} <= set(
        subjects
    )


def test_without_servers_the_store_is_checked(patient: Patient) -> None:
    report = patient.doctor()
    assert (report.code, report.state("decryption")) == (0, "ok")
    assert not [finding for finding in report.findings if finding.check == "answer"]


def test_without_servers_autos_store_is_checked(patient: Patient) -> None:
    patient.configure(credsStore="auto")
    report = patient.doctor()
    assert (report.code, report.state("decryption")) == (0, "ok")


def test_no_configuration_is_a_warning(patient: Patient) -> None:
    patient.config.unlink()
    report = patient.doctor(SERVER)
    report.assert_broken(
        "config file", "asks docker-credential-pass by default", "credhelpers configure", state="warn"
    )
    assert report.state("answer") == "ok"


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        ("{", "correct it"),
        ("[]", "correct it"),
        ('{"credsStore": 1}', "correct it"),
        ('{"a": 1, "a": 2}', "put them into one"),
    ],
)
def test_an_invalid_configuration_fails(patient: Patient, content: str, remedy: str) -> None:
    patient.config.write_text(content)
    patient.doctor(SERVER).assert_broken("config file", str(patient.config), remedy)


def test_a_directory_as_configuration_fails(patient: Patient) -> None:
    patient.config.unlink()
    patient.config.mkdir()
    patient.doctor(SERVER).assert_broken("config file", "not a regular file")


def test_the_docker_directory_may_be_named(patient: Patient, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"credsStore": "keyring"}')
    report = patient.doctor(SERVER, "--docker-config", str(tmp_path))
    assert "credsStore is keyring" in report.of("config file").text


@pytest.mark.parametrize(
    ("mode", "auths", "state"),
    [(0o666, {}, "fail"), (0o644, PLAIN, "fail"), (0o644, {}, "ok"), (0o600, PLAIN, "ok")],
)
def test_the_mode_of_the_configuration(
    patient: Patient, mode: int, auths: dict[str, object], state: str
) -> None:
    patient.configure(credsStore="pass", auths=auths).chmod(mode)
    finding = patient.doctor(SERVER).of("config mode")
    assert finding.state == state
    assert finding.remedy == (f"chmod 600 {patient.config}" if state == "fail" else "")


def test_an_auth_that_docker_cannot_decode_fails(patient: Patient) -> None:
    patient.configure(credsStore="pass", auths={SERVER: {"auth": "!"}})
    patient.doctor(SERVER).assert_broken(
        "plaintext", "may miss other secrets in the file", f"credhelpers logout {SERVER}"
    )


def test_a_key_docker_never_uses_is_a_warning(patient: Patient) -> None:
    patient.configure(credsStore="pass", credHelpers={f"https://{SERVER}": "keyring"})
    patient.doctor(SERVER).assert_broken("credHelpers", f"Docker looks for {SERVER}", state="warn")


def test_a_plaintext_secret_is_a_warning(patient: Patient) -> None:
    patient.configure(auths=PLAIN)
    report = patient.doctor(SERVER)
    report.assert_broken("helper", "is in config.json in plain text", "credhelpers migrate", state="warn")


def test_a_server_without_helper_is_a_warning(patient: Patient) -> None:
    patient.configure(auths={"else.example": {}})
    patient.doctor(SERVER).assert_broken(
        "helper", "Docker asks no helper", "credhelpers configure", state="warn"
    )


def test_a_helper_not_on_path_fails(patient: Patient) -> None:
    patient.configure(credsStore="keyring")
    report = patient.but(PATH="/usr/bin:/bin").doctor(SERVER)
    report.assert_broken("on PATH", "docker-credential-keyring is not on PATH", f"PATH={patient.bin}:$PATH")
    assert report.state("answer") == "fail"


def test_a_missing_helper_fails(patient: Patient) -> None:
    patient.configure(credsStore="absent")
    patient.doctor(SERVER).assert_broken("on PATH", "docker-credential-absent is not on PATH", "install")


def test_two_helpers_of_one_name(patient: Patient) -> None:
    theirs = "/usr/bin/docker-credential-pass (of docker-credential-helpers"
    ours = f"{patient.bin}/docker-credential-pass (of credhelpers {__version__})"
    first = patient.doctor(SERVER).of("on PATH")
    assert first.state == "ok"
    assert f"Docker starts {ours}; later on PATH: {theirs}" in first.text

    report = patient.but(PATH=f"/usr/bin:/bin:{patient.bin}").doctor(SERVER)
    report.assert_broken("on PATH", f"which hides {ours}", f"PATH={patient.bin}:$PATH", state="warn")
    assert theirs in report.of("on PATH").text
    assert report.state("answer") == "ok"


@pytest.mark.parametrize(
    ("said", "whose"),
    [
        (
            "docker-credential-x (github.com/docker/docker-credential-helpers) v0.9.3",
            "of docker-credential-helpers v0.9.3",
        ),
        (
            "docker-credential-x (github.com/awslabs/amazon-ecr-credential-helper) 0.12.0",
            "of amazon-ecr-credential-helper",
        ),
        ("x 1.5", "of unknown origin 1.5"),
    ],
)
def test_the_version_tells_the_project(patient: Patient, tmp_path: Path, said: str, whose: str) -> None:
    install(tmp_path / "others", "x", f"echo '{said}'")
    patient.configure(credsStore="x")
    report = patient.but(PATH=f"{tmp_path}/others:{patient.env['PATH']}").doctor(SERVER)
    assert whose in report.of("on PATH").text


def test_our_helper_of_another_version(patient: Patient, tmp_path: Path) -> None:
    install(tmp_path / "others", "pass", "echo 'docker-credential-pass (credhelpers) 0.0.1'")
    report = patient.but(PATH=f"{tmp_path}/others:/usr/bin:/bin").doctor(SERVER)
    report.assert_broken("on PATH", f"and this command ({__version__}) have different versions", state="warn")


@pytest.mark.parametrize("place", ["directory", "file"])
def test_a_helper_all_can_change_fails(patient: Patient, tmp_path: Path, place: str) -> None:
    executable = install(tmp_path / "others", "x", "echo x 1")
    path = executable if place == "file" else executable.parent
    path.chmod(0o777)
    patient.configure(credsStore="x")
    report = patient.but(PATH=f"{tmp_path}/others:/usr/bin:/bin").doctor(SERVER)
    report.assert_broken("executable", f"every user can write to {path}", f"chmod o-w {path}")


def test_a_helper_of_another_user_fails(patient: Patient, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(install(tmp_path / "others", "x", "echo x 1"), 12345, 0)
    patient.configure(credsStore="x")
    report = patient.but(PATH=f"{tmp_path}/others:/usr/bin:/bin").doctor(SERVER)
    report.assert_broken("executable", "belongs to another user")


def test_no_credential_is_a_warning(patient: Patient) -> None:
    report = patient.doctor("other.example")
    report.assert_broken(
        "answer", "has no credential for other.example", "docker login other.example", state="warn"
    )
    assert report.code == 0


def test_a_failing_helper_with_its_cause(patient: Patient, tmp_path: Path) -> None:
    install(tmp_path / "others", "x", "echo the vault is sealed; exit 1")
    patient.configure(credsStore="x")
    report = patient.but(PATH=f"{tmp_path}/others:/usr/bin:/bin").doctor(SERVER)
    report.assert_broken("answer", "docker-credential-x: the vault is sealed", "docker-credential-x get")


def test_an_identity_token_is_called_one(patient: Patient) -> None:
    assert patient.helper("pass").store("token.example", "<token>", CANARY).code == 0
    assert "an identity token" in patient.doctor("token.example").of("answer").text


def test_auto_is_followed_to_its_helper(patient: Patient) -> None:
    patient.configure(credsStore="auto")
    patient.set(f'[[auto.route]]\nmatch = "{SERVER}"\nhelper = "pass"\n')
    report = patient.doctor(SERVER)
    assert report.code == 0
    assert report.of("helper").text == "Docker asks docker-credential-auto, which asks pass"
    assert report.state("decryption") == report.state("answer") == "ok"


def test_a_missing_helper_of_auto_fails(patient: Patient) -> None:
    patient.configure(credsStore="auto")
    patient.set(f'[[auto.route]]\nmatch = "{SERVER}"\nhelper = "absent"\n')
    report = patient.doctor(SERVER)
    texts = [finding.text for finding in report.findings if finding.state == "fail"]
    assert any("docker-credential-absent is not on PATH" in text for text in texts)
    assert report.state("answer") == "fail"


def test_an_unknown_setting_fails(patient: Patient) -> None:
    path = patient.set("[log]\nlevel = 'loud'\n")
    report = patient.doctor(SERVER)
    report.assert_broken("config.toml", f"{path}, line 2: log.level", "correct the file")
    assert report.state("answer") == "fail"


def test_settings_that_others_can_write_fail(patient: Patient) -> None:
    path = patient.set("[log]\nlevel = 'debug'\n")
    assert patient.doctor(SERVER).state("config.toml") == "ok"
    path.chmod(0o666)
    patient.doctor(SERVER).assert_broken("config.toml", f"other users can write to {path}", "chmod go-w")


def test_a_log_directory_others_can_write_fails(patient: Patient) -> None:
    (patient.home / ".ecr" / "log").chmod(0o777)
    patient.doctor(SERVER).assert_broken("log", "other users may write to")


def test_a_log_that_cannot_be_made(patient: Patient) -> None:
    blocked = patient.home / "blocked"
    blocked.touch()
    report = patient.but(AWS_ECR_CACHE_DIR=str(blocked / "state")).doctor(SERVER)
    report.assert_broken("log", "cannot be written, so no log is written", state="warn")


def test_a_log_that_is_no_file_fails(patient: Patient) -> None:
    log = patient.home / ".ecr" / "log" / "pass.log"
    log.unlink()
    log.symlink_to("/dev/null")
    patient.doctor(SERVER).assert_broken("log", f"{log} is not a regular file")


def test_the_json_report_is_one_object(patient: Patient) -> None:
    report = json.loads(patient.run("doctor", "--json", "--offline", SERVER).out)
    assert set(report) == {"ok", "findings"}
    assert set(report["findings"][0]) == {"subject", "id", "check", "state", "text", "remedy", "fixable"}


def test_a_name_is_quoted_in_a_remedy(patient: Patient) -> None:
    patient.configure(credsStore="pass", auths={"evil.example;id": {}})
    (remedy,) = {f.remedy for f in patient.doctor().findings if f.check == "answer"}
    assert remedy == "docker login 'evil.example;id'"


@ahead
def test_a_hanging_helper_fails_in_time(patient: Patient) -> None:
    install(patient.home / "others", "x", "exec sleep 300")
    patient.configure(credsStore="x", credHelpers={"other.example": "pass"}, auths={SERVER: {}})
    report = patient.but(PATH=f"{patient.home}/others:{patient.env['PATH']}").doctor()
    assert report.code == 1
    answers = {finding.subject: finding for finding in report.findings if finding.check == "answer"}
    assert answers[SERVER].state == "fail"
    assert "did not answer within" in answers[SERVER].text
    assert answers["other.example"].state == "warn"
