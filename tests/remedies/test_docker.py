"""Docker's config.json and what becomes of it, and a helper that answers with an error or not at all."""

import subprocess
from pathlib import Path

import pytest

from credhelpers.cli.doctor import diagnosis
from credhelpers.cli.doctor.answer import see_why
from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient, install
from tests.remedies.conftest import SERVER
from tests.remedies.mending import Mending
from tests.remedies.rule import commands

PLAIN = {SERVER: {"auth": "YWRhOmNhbmFyeTdkMWZlMDJh"}}  # ada, and the canary


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
