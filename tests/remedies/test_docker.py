"""Docker's config.json and what becomes of it, and a helper that answers with an error or not at all."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from credhelpers.cli.doctor import diagnosis
from credhelpers.cli.doctor.answer import see_why
from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient, install
from tests.remedies.conftest import SERVER, needs_root
from tests.remedies.mending import Mending
from tests.remedies.rule import commands
from tests.support.tools import require

PLAIN = {SERVER: {"auth": "YWRhOmNhbmFyeTdkMWZlMDJh"}}  # ada, and the canary


def test_docker_without_a_configuration_gets_one(user: Patient, mend: Mending) -> None:
    user.config.unlink()
    mend(user.doctor().of("config file").remedy, user.env)
    assert user.doctor().state("config file") == "ok"


@pytest.mark.parametrize(("mode", "auths"), [(0o666, {}), (0o644, PLAIN)])
def test_a_configuration_that_is_open_is_closed(
    user: Patient, mend: Mending, mode: int, auths: dict[str, object]
) -> None:
    user.configure(credsStore="ecr-login", auths=auths).chmod(mode)
    mend(user.doctor().of("config mode").remedy, user.env)
    assert user.doctor().state("config mode") == "ok"


@needs_root
def test_another_users_file_is_taken_over(user: Patient, mend: Mending) -> None:
    os.chown(user.config, 12345, 12345)
    mend(user.doctor().of("config mode").remedy, user.env)
    assert user.doctor().state("config mode") == "ok"


def test_only_an_unreadable_auth_is_removed(user: Patient, mend: Mending) -> None:
    user.configure(credsStore="ecr-login", auths={"broken.example": {"auth": "!"}, **PLAIN})
    mend(user.doctor("other.example").of("plaintext").remedy, user.env)
    assert json.loads(user.config.read_text())["auths"] == PLAIN
    assert "Docker ignores" not in user.doctor("other.example").of("plaintext").text


def test_plaintext_secrets_move_into_the_store(keeper: Patient, mend: Mending) -> None:
    keeper.configure(credsStore="pass", auths=PLAIN)
    mend(keeper.doctor(SERVER).of("plaintext").remedy, keeper.env)
    assert moved(keeper)


def test_plaintext_moves_into_a_named_store(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    mend(keeper.doctor(SERVER).of("plaintext").remedy, keeper.env)
    assert moved(keeper)


def test_the_secret_of_one_server_moves(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    mend(keeper.doctor(SERVER).of("helper").remedy, keeper.env)
    assert moved(keeper)


def moved(keeper: Patient) -> bool:
    report = keeper.doctor(SERVER)
    return {report.state(check) for check in ("plaintext", "helper", "answer")} == {"ok"}


def test_a_server_without_helper_gets_one(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths={SERVER: {}})
    mend(keeper.doctor(SERVER).of("helper").remedy, keeper.env)
    assert keeper.doctor(SERVER).state("helper") == "ok"


def test_docker_login_stores_what_is_missing(keeper: Patient, registry: str, mend: Mending) -> None:
    docker = Path(require("docker", "docker.io"))
    keeper = keeper.but(PATH=f"{keeper.env['PATH']}:{docker.parent}")
    found = keeper.doctor(registry).of("answer")
    assert found.state == "warn"
    mend(found.remedy, keeper.env, types=f"ada\n{CANARY}\n")
    assert "that of ada" in keeper.doctor(registry).of("answer").text


def test_the_error_of_a_helper_is_shown(user: Patient, tmp_path: Path, mend: Mending) -> None:
    install(tmp_path / "others", "x", 'echo "the vault is sealed"; exit 1')
    user = user.but(PATH=f"{tmp_path}/others:{user.env['PATH']}")
    user.configure(credsStore="x")
    found = user.doctor(SERVER).of("answer")
    assert "the vault is sealed" in mend(found.remedy, user.env, ends_well=False).shown


def test_a_look_at_a_helper_shows_no_secret(keeper: Patient) -> None:
    assert keeper.helper("pass").store(SERVER, "ada", CANARY).code == 0
    command = ["/bin/sh", "-c", *commands(see_why("docker-credential-pass", SERVER))]
    done = subprocess.run(command, env=keeper.env, capture_output=True, check=False)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_the_error_without_a_token_is_shown(user: Patient, tmp_path: Path, mend: Mending) -> None:
    script = 'echo "no role here" >&2; echo "credentials not found in native keychain"; exit 1'
    install(tmp_path / "others", "ecr-login", script)
    user = user.but(PATH=f"{tmp_path}/others:{user.env['PATH']}", AWS_EC2_METADATA_DISABLED="true")
    host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    user.configure(credHelpers={host: "ecr-login"})
    found = user.doctor(host).of("answer")
    assert "no role here" in mend(found.remedy, user.env, ends_well=False).shown


def test_the_reason_of_a_slow_helper_is_shown(
    user: Patient, tmp_path: Path, mend: Mending, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "others", "x", 'echo "waiting for the vault" >&2; exec sleep 60')
    user = user.but(PATH=f"{tmp_path}/others:{user.env['PATH']}")
    user.configure(credsStore="x")
    monkeypatch.setattr(diagnosis, "SECONDS", 0.5)
    sections = diagnosis.diagnose(str(user.config), SERVER, user.env)
    found = {finding.check: finding.remedy for _, findings in sections for finding in findings}
    for check in ("on PATH", "answer"):
        mended = mend(found[check], user.env, ends_well=False, seconds=0.5)
        assert "waiting for the vault" in mended.shown
