"""What `credhelpers` says when it cannot do its work: options to run it with again, and other commands."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.integration.docker_home import FILE_STORE
from tests.integration.doctor import Patient, install
from tests.remedies.conftest import SERVER
from tests.remedies.mending import POWERLESS, Mending
from tests.support.aws import HOST, Aws
from tests.support.gpg import add_key, throwaway_gpg_home
from tests.support.tools import require

PLAIN = {SERVER: {"auth": "YWRhOmNhbmFyeTdkMWZlMDJh"}}  # ada, and the canary


def told(patient: Patient, *arguments: str) -> str:
    """Return the last line of what the command has said, without its name."""
    return patient.run(*arguments).err.decode().splitlines()[-1].removeprefix("credhelpers: ")


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A file with a password."""
    path = tmp_path / "password"
    path.write_text(CANARY)
    return path


@pytest.mark.parametrize("way", [0, 1])
def test_login_with_a_store_that_is_named(keeper: Patient, password: Path, mend: Mending, way: int) -> None:
    keeper.configure(auths={"else.example": {}})
    login = f"credhelpers login {SERVER} --no-check --username ada --password-stdin"
    remedy = mend_from_shell(keeper, f"{login} <{password}")
    fill = {"NAME": "pass"} if way else {}
    mend(remedy, keeper.env, way=way, after=f"<{password} {login}" if way else "", fill=fill)
    if not way:
        assert keeper.doctor(SERVER).of("helper").text == "Docker asks docker-credential-pass"
    else:
        assert keeper.helper("pass").get(SERVER).credentials().secret == CANARY


def mend_from_shell(keeper: Patient, command: str) -> str:
    """Run a command in a shell that fails, and return the remedy that it names."""
    done = subprocess.run(["/bin/sh", "-c", command], env=keeper.env, capture_output=True, check=False)
    assert done.returncode == 1, done
    return done.stderr.decode().splitlines()[-1].removeprefix("credhelpers: ")


def test_login_with_a_password_on_stdin(keeper: Patient, password: Path, mend: Mending) -> None:
    remedy = told(keeper, "login", SERVER, "--no-check")
    login = f"credhelpers login {SERVER} --no-check"
    mend(remedy, keeper.env, after=login, fill={"NAME": "ada", "FILE": str(password)})
    assert keeper.helper("pass").get(SERVER).credentials().secret == CANARY


def test_login_without_tls_is_allowed(keeper: Patient, password: Path, mend: Mending) -> None:
    login = "credhelpers login http://127.0.0.1:9 --username ada --password-stdin"
    remedy = mend_from_shell(keeper, f"{login} <{password}")
    shown = mend(remedy, keeper.env, after=f"<{password} {login}", ends_well=False).shown
    assert "127.0.0.1:9" in shown
    assert "--insecure" not in shown


def test_login_to_ecr_is_not_needed(keeper: Patient, password: Path, mend: Mending) -> None:
    mend_login_to_cloud(keeper, password, mend, HOST)


def test_login_to_a_cloud_is_not_needed(keeper: Patient, password: Path, mend: Mending) -> None:
    keeper = keeper.but(PATH=f"{keeper.home / 'bin'}:{keeper.env['PATH']}")
    install(keeper.home / "bin", "gcr", "exit 1")
    mend_login_to_cloud(keeper, password, mend, "eu.gcr.io")


def test_a_clouds_helper_is_installed(keeper: Patient, password: Path, mend: Mending) -> None:
    keeper = keeper.but(PATH=f"{keeper.home / 'bin'}:{keeper.env['PATH']}")
    mend_login_to_cloud(keeper, password, mend, "x.azurecr.io")


def mend_login_to_cloud(keeper: Patient, password: Path, mend: Mending, host: str) -> None:
    """Log in to a cloud's registry with a credential of one's own, and then let its helper do it."""
    login = f"credhelpers login {host} --no-check --password-stdin"
    remedy = mend_from_shell(keeper, f"{login} <{password}")
    mend(remedy, keeper.env, way=1, after=f"<{password} {login}", fill={"NAME": "ada"})
    assert keeper.helper("pass").get(host).credentials().secret == CANARY
    if "install it" in remedy:
        install(keeper.home / "bin", "acr-env", "exit 1")
    mend(remedy, keeper.env)
    answer = keeper.run("login", host)
    assert answer.code == 0
    assert f"{host} needs no login: " in answer.out.decode()


def test_configure_puts_its_helpers_on_path(user: Patient, mend: Mending) -> None:
    lost = user.but(PATH="/usr/bin:/bin")
    remedy = told(lost, "configure", "--store", "auto", "--force")
    mended = Patient(user.bin, mend(remedy, lost.env).env)
    assert mended.run("configure", "--store", "auto", "--force").err == b""


def test_configure_is_followed_by_migrate(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    mend(told(keeper, "configure", "--force", "--store", "pass"), keeper.env)
    assert keeper.doctor(SERVER).state("plaintext") == "ok"
    assert keeper.helper("pass").get(SERVER).found


def test_configure_leaves_plain_text_to_migrate(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN)
    mend(told(keeper, "configure", "--store", "pass"), keeper.env, way=1)
    assert keeper.doctor(SERVER).state("plaintext") == "ok"
    assert keeper.helper("pass").get(SERVER).found


def test_force_names_a_store_that_is_not_there(user: Patient, mend: Mending) -> None:
    mend(
        told(user, "configure", "--store", "pass"),
        user.env,
        way=1,
        after="credhelpers configure --store pass",
    )
    assert '"pass"' in user.config.read_text()


def test_force_leaves_credentials_in_the_old_store(keeper: Patient, mend: Mending) -> None:
    _logged_in(keeper)
    (keeper.home / "stub").mkdir()
    install(keeper.home / "bin", "stub", FILE_STORE)
    keeper = keeper.but(PATH=f"{keeper.home / 'bin'}:{keeper.env['PATH']}", STUB=str(keeper.home / "stub"))
    configure = ("configure", "--store", "stub")
    mend(told(keeper, *configure), keeper.env, way=1, after="credhelpers configure --store stub")
    assert '"stub"' in keeper.config.read_text()


def test_force_removes_the_store_anyway(keeper: Patient, mend: Mending) -> None:
    _logged_in(keeper)
    mend(told(keeper, "configure", "--no-store"), keeper.env, after="credhelpers configure --no-store")
    assert "credsStore" not in keeper.config.read_text()


def test_an_edited_file_of_ours_is_removed(keeper: Patient, mend: Mending) -> None:
    assert keeper.run("configure", "--store", "pass", "--podman").code == 0
    own = keeper.home / ".config/containers/registries.conf.d/50-credhelpers.conf"
    own.write_text("# mine")
    mend(told(keeper, "configure", "--no-podman"), keeper.env)
    assert keeper.run("configure", "--no-podman").code == 0


def _logged_in(keeper: Patient) -> None:
    assert keeper.helper("pass").store(SERVER, "ada", CANARY).code == 0
    keeper.configure(credsStore="pass", auths={SERVER: {}})


def test_status_is_followed_by_migrate(keeper: Patient, mend: Mending) -> None:
    keeper.configure(auths=PLAIN, credsStore="pass")
    mend(told(keeper, "status"), keeper.env)
    assert keeper.run("status").err == b""


def test_only_an_unreadable_auth_is_replaced(keeper: Patient, registry: str, mend: Mending) -> None:
    docker = Path(require("docker", "docker.io"))
    keeper = keeper.but(PATH=f"{keeper.env['PATH']}:{docker.parent}")
    keeper.configure(credsStore="pass", auths={registry: {"auth": "!"}, **PLAIN})
    mend(told(keeper, "migrate"), keeper.env, types=f"ada\n{CANARY}\n")
    assert keeper.run("migrate").code == 0
    assert keeper.helper("pass").stored().keys() == {registry, SERVER}


def test_another_secret_is_overwritten(keeper: Patient, mend: Mending) -> None:
    assert keeper.helper("pass").store(SERVER, "ada", "older").code == 0
    keeper.configure(auths=PLAIN)
    remedy = told(keeper, "migrate", "--to", "pass")
    mend(remedy, keeper.env, after="credhelpers migrate --to pass")
    assert keeper.helper("pass").get(SERVER).credentials().secret == CANARY


def test_a_read_only_file_is_made_writable(keeper: Patient, powerless: Patient, mend: Mending) -> None:
    keeper = Patient(powerless.bin, keeper.env)
    keeper.config.chmod(0o400)
    mend(told(keeper, "configure", "--store", "auto"), keeper.env, prefix=POWERLESS)
    assert keeper.run("configure", "--store", "auto").code == 0


def test_force_names_a_helper(user: Patient, mend: Mending) -> None:
    remedy = told(user, "configure", "--store", "comes-later")
    mend(remedy, user.env, after="credhelpers configure --store comes-later")
    assert json.loads(user.config.read_text())["credsStore"] == "comes-later"


def named_all_the_same(user: Patient, mend: Mending, region: str) -> bool:
    host = f"123456789012.dkr.ecr.{region}.amazonaws.com"
    remedy = told(user, "configure", "--ecr", host)
    mend(remedy, user.env, after=f"credhelpers configure --ecr {host}")
    return bool(json.loads(user.config.read_text())["credHelpers"] == {host: "ecr-login"})


def test_force_names_a_new_region(user: Patient, mend: Mending) -> None:
    assert named_all_the_same(user, mend, "mars-north-1")


def test_force_names_a_similar_region(user: Patient, mend: Mending) -> None:
    assert named_all_the_same(user, mend, "eu-central-9")


def test_an_invalid_answer_is_shown(user: Patient, tmp_path: Path, mend: Mending) -> None:
    install(tmp_path / "others", "x", 'echo "Welcome to the vault"')
    user = user.but(PATH=f"{tmp_path}/others:{user.env['PATH']}")
    user.set(f"[[auto.route]]\nmatch = '{SERVER}'\nhelper = 'x'\n")
    answer = user.helper("auto").get(SERVER)
    remedy = answer.err.decode().splitlines()[-1].partition(": ")[2]
    assert "Welcome to the vault" in mend(remedy, user.env, ends_well=False).shown


def test_a_machine_with_no_store_gets_one(user: Patient, mend: Mending) -> None:
    with throwaway_gpg_home() as home:
        user = user.but(**home.env, XDG_RUNTIME_DIR=str(user.home))
        answer = user.helper("auto").store(SERVER, "ada", CANARY)
        remedy = answer.err.decode().splitlines()[-1].partition(": ")[2]
        mend(remedy, user.env, types="1\n")
        assert user.helper("auto").store(SERVER, "ada", CANARY).code == 0


def test_the_metadata_service_is_turned_on_again(user: Patient, aws: Aws, mend: Mending) -> None:
    user = user.but(**aws.environment())
    off = user.but(AWS_EC2_METADATA_DISABLED="true")
    remedy = off.helper("ecr-login").get(HOST).err.decode().splitlines()[-1].partition(": ")[2]
    mended = Patient(user.bin, mend(remedy, off.env).env)
    assert mended.helper("ecr-login").get(HOST).found


def test_a_key_that_is_missing_is_brought(keeper: Patient, tmp_path: Path, mend: Mending) -> None:
    with throwaway_gpg_home() as other:
        (tmp_path / "key").write_bytes(other.run("--export-secret-keys"))
        init = ("init", "pass", "--force", "--key", other.fingerprint)
    with throwaway_gpg_home() as home:
        keeper = keeper.but(**home.env)
        remedy = told(keeper, *init)
        assert home.fingerprint[-16:] in mend(remedy, keeper.env).shown
        mend(remedy, keeper.env, way=1, fill={"FILE": str(tmp_path / "key")})
        remedy = told(keeper, *init)
        mend(remedy, keeper.env)
        assert keeper.run(*init).code == 0


def test_the_other_key_is_named(keeper: Patient, mend: Mending) -> None:
    with throwaway_gpg_home() as home:
        keeper = keeper.but(**home.env)
        (keeper.home / ".password-store" / ".gpg-id").write_text(home.fingerprint + "\n")
        other = add_key(home)
        remedy = told(keeper, "init", "pass", "--key", other)
        mend(remedy, keeper.env, way=1, after=f"credhelpers init pass --key {other}")
        assert keeper.run("init", "pass", "--key", other).code == 0
