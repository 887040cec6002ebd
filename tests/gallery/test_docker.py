"""Docker's config.json: unreadable, open to others, or without what a pull needs."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit, docker_is_let_in, gets
from tests.integration.doctor import Patient
from tests.remedies.conftest import SERVER, needs_root
from tests.remedies.mending import POWERLESS
from tests.support.tools import require

AUTH = "YWRhOmNhbmFyeTdkMWZlMDJh"  # ada, and the canary
PLAIN = {SERVER: {"auth": AUTH}}
HUB = "https://index.docker.io/v1/"


@pytest.fixture
def member(keeper: Patient, registry: str) -> Patient:
    """A user whose password store has the credential for a real registry."""
    assert keeper.helper("pass").store(registry, "ada", CANARY).code == 0
    return keeper


@pytest.fixture
def minimal(member: Patient, tmp_path: Path) -> Patient:
    """The same user without pass(1), for which Docker without a usable config.json would look on PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in (require("gpg", "gnupg"), require("docker", "docker.io"), "/bin/sed"):
        (programs / Path(program).name).symlink_to(program)
    return member.but(PATH=f"{member.bin}:{programs}")


@pytest.mark.failure("config-file.missing")
def test_no_config(exhibit: Exhibit, minimal: Patient, registry: str) -> None:
    minimal.config.unlink()
    exhibit(minimal, registry, works=docker_is_let_in(registry))


@pytest.mark.failure("config-file.invalid-json")
def test_config_cut_short(exhibit: Exhibit, minimal: Patient, registry: str) -> None:
    minimal.config.write_text('{"credsStore": "pass"')
    mended = ("correct it", lambda: minimal.configure(credsStore="pass"))
    exhibit(minimal, registry, works=docker_is_let_in(registry), by=mended)


@pytest.mark.failure("config-file.duplicate-key")
def test_config_with_a_key_twice(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.config.write_text('{"credsStore": "pass", "credsStore": "absent"}')
    mended = ("put them into one", lambda: member.configure(credsStore="pass"))
    exhibit(member, registry, works=docker_is_let_in(registry), by=mended)


@pytest.mark.failure("config-file.wrong-type")
def test_config_with_a_list_of_helpers(exhibit: Exhibit, member: Patient, registry: str) -> None:
    """Docker warns, and goes on as if there were no file: it asks the helper for pass(1)."""
    member.config.write_text('{"credsStore": ["pass"]}')
    exhibit(member, registry, works=docker_is_let_in(registry), breaks=False)


@pytest.mark.failure("config-file.not-a-file")
def test_config_is_a_directory(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.config.unlink()
    member.config.mkdir()
    exhibit(member, registry, works=docker_is_let_in(registry), breaks=False)


@pytest.mark.failure("config-file.unreadable")
def test_config_closed_to_its_owner(exhibit: Exhibit, keeper: Patient, powerless: Patient) -> None:
    keeper.config.chmod(0)
    assert keeper.helper("pass").store(SERVER, "ada", CANARY).code == 0
    keeper = Patient(powerless.bin, keeper.env)
    exhibit(keeper, SERVER, works=gets("pass", SERVER), breaks=False, prefix=POWERLESS)


@pytest.mark.failure("config-mode.writable-by-others")
def test_others_can_write_the_config(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.config.chmod(0o666)
    assert keeper.helper("pass").store(SERVER, "ada", CANARY).code == 0
    exhibit(keeper, SERVER, works=gets("pass", SERVER), breaks=False)


@pytest.mark.failure("config-mode.readable-by-others")
def test_others_can_read_secrets(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.configure(auths={registry: {"auth": AUTH}}).chmod(0o644)
    exhibit(member, registry, works=docker_is_let_in(registry), breaks=False)


@needs_root
@pytest.mark.failure("config-mode.foreign")
def test_config_of_another_user(exhibit: Exhibit, member: Patient, registry: str) -> None:
    os.chown(member.config, 12345, 12345)
    exhibit(member, registry, works=docker_is_let_in(registry), breaks=False)


@pytest.mark.failure("config-mode.read-only")
def test_config_that_docker_cannot_write(
    exhibit: Exhibit, member: Patient, powerless: Patient, registry: str
) -> None:
    def logs_in(user: Patient) -> bool:
        docker = require("docker", "docker.io")
        done = subprocess.run(
            [*POWERLESS, docker, "login", registry, "--username", "ada", "--password-stdin"],
            env=user.env,
            input=CANARY.encode(),
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    member.config.parent.chmod(0o500)
    weak = Patient(powerless.bin, member.env, member.seen)
    exhibit(weak, registry, works=logs_in, prefix=POWERLESS)


@pytest.mark.failure("plaintext.unreadable")
def test_an_auth_that_is_not_base64(exhibit: Exhibit, member: Patient, registry: str) -> None:
    """Docker warns at each command."""
    member.configure(credsStore="pass", auths={"broken.example": {"auth": "!"}, registry: {}})
    exhibit(member, registry, works=docker_is_let_in(registry), breaks=False)
    assert json.loads(member.config.read_text())["auths"] == {registry: {}}


@pytest.mark.failure("plaintext.present")
def test_plaintext_that_no_helper_has(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.configure(credsStore="pass", auths=PLAIN)
    exhibit(keeper, SERVER, works=gets("pass", SERVER))


@pytest.mark.failure("plaintext.present")
def test_plaintext_without_a_store(exhibit: Exhibit, member: Patient, registry: str) -> None:
    """The remedy has to name a store, as config.json does not; Docker can log in before and after."""
    member.configure(auths={registry: {"auth": AUTH}})
    exhibit(member, registry, works=docker_is_let_in(registry), breaks=False)
    assert member.helper("pass").get(registry).credentials().secret == CANARY


@pytest.mark.failure("helper.plaintext")
def test_the_server_is_in_the_file_alone(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.configure(auths=PLAIN)
    exhibit(keeper, SERVER, works=gets("pass", SERVER))


@pytest.mark.failure("helper.none")
def test_no_helper_for_the_server(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.configure(auths={"else.example": {}})
    exhibit(member, registry, works=docker_is_let_in(registry))


@pytest.mark.failure("answer.none")
def test_nobody_has_logged_in(exhibit: Exhibit, member: Patient, registry: str) -> None:
    assert member.helper("pass").erase(registry).code == 0
    exhibit(member, registry, works=docker_is_let_in(registry), types=f"ada\n{CANARY}\n")


@pytest.mark.failure("config-keys.unknown")
@pytest.mark.parametrize("key", ["credStore", "credentialStore"])
def test_a_key_that_docker_ignores(exhibit: Exhibit, minimal: Patient, registry: str, key: str) -> None:
    minimal.config.write_text(json.dumps({key: "pass"}))
    exhibit(minimal, registry, works=docker_is_let_in(registry))


@pytest.mark.failure("config-keys.unknown")
def test_a_table_that_docker_ignores(exhibit: Exhibit, minimal: Patient, registry: str) -> None:
    minimal.config.write_text(json.dumps({"credHelper": {registry: "pass"}}))
    exhibit(minimal, registry, works=docker_is_let_in(registry))


@pytest.mark.failure("config-keys.unknown")
def test_a_key_beside_the_one_that_counts(exhibit: Exhibit, minimal: Patient, registry: str) -> None:
    minimal.config.write_text(json.dumps({"credsStores": "auto", "credsStore": "pass"}))
    exhibit(minimal, registry, works=docker_is_let_in(registry), breaks=False)


@pytest.mark.failure("credhelpers.never-asked")
def test_a_key_with_a_scheme(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.configure(credHelpers={f"https://{registry}": "pass"})
    mended = (f"to {registry}", lambda: member.configure(credHelpers={registry: "pass"}))
    exhibit(member, registry, works=docker_is_let_in(registry), by=mended)


@pytest.mark.failure("credhelpers.never-asked")
def test_docker_hub_under_its_host(exhibit: Exhibit, keeper: Patient) -> None:
    """A pull from Docker Hub needs the Internet; the helper that Docker asks has to have the credential."""
    keeper.configure(credHelpers={"docker.io": "pass"})
    assert keeper.helper("pass").store(HUB, "ada", CANARY).code == 0

    def asked(user: Patient) -> bool:
        helpers = json.loads(user.config.read_text())["credHelpers"]
        return HUB in helpers and gets(helpers[HUB], HUB)(user)

    mended = (f"to {HUB}", lambda: keeper.configure(credHelpers={HUB: "pass"}))
    exhibit(keeper, "docker.io", works=asked, by=mended)


@pytest.mark.failure("backup.secrets")
def test_a_copy_of_the_secrets(exhibit: Exhibit, keeper: Patient) -> None:
    """What a former version or a killed command has left beside config.json."""
    assert keeper.helper("pass").store(SERVER, "ada", CANARY).code == 0
    keeper.configure(credsStore="pass", auths={SERVER: {}})
    keeper.config.with_name("config.json.credhelpers-backup").write_text(json.dumps({"auths": PLAIN}))
    exhibit(keeper, SERVER, works=gets("pass", SERVER), breaks=False)


@pytest.mark.failure("registry.refused")
def test_a_rotated_password_without_tls(exhibit: Exhibit, keeper: Patient, registry: str) -> None:
    assert keeper.helper("pass").store(registry, "ada", f"old-{CANARY}").code == 0
    answers = [("Username", "ada\n"), ("assword", f"{CANARY}\n")]
    exhibit(keeper.online, registry, works=gets("pass", registry), types=answers)
