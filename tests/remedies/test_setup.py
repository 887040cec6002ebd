"""What `credhelpers setup` says when it cannot go on, or leaves something behind."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient
from tests.remedies.conftest import SERVER
from tests.remedies.mending import Mending
from tests.remedies.test_operator import PLAIN, told
from tests.support.gpg import GpgHome, add_key


@pytest.fixture
def keyless(keeper: Patient) -> Iterator[Patient]:
    """The same user without a key and without a store."""
    with tempfile.TemporaryDirectory(prefix="ch-setup-", dir="/tmp") as path:
        yield keeper.but(GNUPGHOME=f"{path}/gnupg", PASSWORD_STORE_DIR=f"{path}/store")


def test_setup_puts_its_helpers_on_path(keeper: Patient, mend: Mending) -> None:
    lost = keeper.but(PATH="/usr/bin:/bin")
    mended = Patient(keeper.bin, mend(told(lost, "setup", "--offline", "--yes"), lost.env).env)
    assert mended.run("setup", "--offline", "--yes").code == 0


def test_setup_goes_on_without_asking(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    mend(told(keeper, "setup"), keeper.env, ends_well=False)  # the doctor cannot reach the registry
    assert keeper.helper("auto").get(SERVER).credentials().secret == CANARY


def test_setup_leaves_podman_as_it_is(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    _podman(keeper, {f"{SERVER}/team": PLAIN[SERVER]})
    mend(
        told(keeper, "setup", "--offline", "--podman"), keeper.env, after="credhelpers setup --offline --yes"
    )
    assert keeper.helper("auto").get(SERVER).credentials().secret == CANARY


def test_setup_leaves_podmans_other_credential(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    _podman(keeper, {SERVER: {"auth": "ZXZlOm90aGVy"}})
    remedy = _reason(keeper, "setup", "--offline", "--podman", "--yes")
    mend(remedy, keeper.env, after="credhelpers setup --offline --yes")
    assert keeper.helper("auto").get(SERVER).credentials().secret == CANARY


def test_setup_after_another_credential_is_replaced(keeper: Patient, mend: Mending) -> None:
    assert keeper.helper("pass").store(SERVER, "eve", "other").code == 0
    keeper.configure(auths=PLAIN)
    mend(_reason(keeper, "setup", "--offline", "--yes"), keeper.env)
    assert keeper.run("setup", "--offline", "--yes").code == 0
    assert keeper.helper("auto").get(SERVER).credentials().secret == CANARY


def test_setup_of_a_machine_without_users(keyless: Patient, mend: Mending) -> None:
    keyless.configure(auths=PLAIN)
    mend(told(keyless, "setup", "--yes"), keyless.env, ends_well=False)
    assert keyless.helper("auto").get(SERVER).credentials().secret == CANARY


def test_setup_with_a_key_that_is_named(keyless: Patient, own_home: GpgHome, mend: Mending) -> None:
    other = add_key(own_home)
    keyless = keyless.but(**own_home.env)
    keyless.configure(auths=PLAIN)
    mend(told(keyless, "setup", "--offline", "--yes"), keyless.env, fill={"ID": other})
    assert keyless.run("setup", "--offline", "--yes").code == 0
    assert keyless.helper("auto").get(SERVER).credentials().secret == CANARY


def test_undo_gives_a_credential_up(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    assert keeper.run("setup", "--offline", "--yes").code == 0
    mend(told(keeper, "setup", "--undo"), keeper.env)
    assert not keeper.helper("auto").get(SERVER).found


def test_undo_takes_nomads_stanza_away(keeper: Patient, tmp_path: Path, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    places = ("--nomad-dir", str(tmp_path / "nomad.d"), "--system-config", str(tmp_path / "config.toml"))
    assert keeper.run("setup", "--offline", "--yes", *places).code == 0
    after = f"credhelpers setup --undo {' '.join(places)}"
    mend(told(keeper, "setup", "--undo", *places), keeper.env, after=after)
    assert not (tmp_path / "nomad.d" / "credhelpers.hcl").exists()


def _podman(keeper: Patient, auths: object) -> None:
    path = keeper.home / ".config" / "containers" / "auth.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"auths": auths}))
    path.chmod(0o600)


def _reason(patient: Patient, *arguments: str) -> str:
    """Return the remedy of the one credential that stops setup."""
    lines = patient.run(*arguments).err.decode().splitlines()
    return lines[1].removeprefix("credhelpers: ")
