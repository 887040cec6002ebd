"""docker-credential-keyring with a backend that the user chose: keyrings.alt's plain-text file."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.client import Answer, Helper
from tests.support.keyring import SecretService

BACKEND = "keyrings.alt.file.PlaintextKeyring"
SERVER = "https://registry.example"
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def executable(tmp_path: Path) -> Path:
    """The helper, run where keyrings.alt is: that is no part of an installation."""
    script = tmp_path / "docker-credential-keyring"
    script.write_text(
        f"#!{sys.executable} -I\n"
        f"import sys\nsys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from credhelpers.executables import run\nsys.exit(run('keyring'))\n"
    )
    script.chmod(0o755)
    return script


@pytest.fixture
def helper(executable: Path, private_env: dict[str, str]) -> Helper:
    return Helper(executable, {**private_env, "PYTHON_KEYRING_BACKEND": BACKEND})


def test_store_get_list_and_erase(helper: Helper) -> None:
    assert helper.store(SERVER, "ålice 🔑", "first\nsecond").code == 0
    found = helper.get("registry.example/team/app").credentials()
    assert (found.username, found.secret) == ("ålice 🔑", "first\nsecond")
    assert helper.stored() == {SERVER: "ålice 🔑"}
    assert helper.erase(SERVER).code == 0
    assert not helper.get(SERVER).found
    assert helper.stored() == {}


@pytest.mark.parametrize("secret", ["", "x" * (1 << 20)], ids=["empty", "one mebibyte"])
def test_secrets_of_any_length_survive(helper: Helper, secret: str) -> None:
    assert helper.store(SERVER, "alice", secret).code == 0
    assert helper.get(SERVER).credentials().secret == secret


def test_twenty_at_once_lose_nothing(helper: Helper) -> None:
    servers = {f"registry{number}.example": f"user{number}" for number in range(20)}

    def store(server: str, username: str) -> Callable[[], Answer]:
        return lambda: helper.store(server, username, "s3cret")

    with ThreadPoolExecutor(len(servers)) as pool:
        answers = list(pool.map(lambda call: call(), [store(*server) for server in servers.items()]))
    assert [answer for answer in answers if answer.code != 0] == []
    assert helper.stored() == servers
    assert all(helper.get(server).credentials().username == username for server, username in servers.items())


def test_keyrings_configuration_names_a_backend(
    executable: Path, private_env: dict[str, str], secret_service: SecretService
) -> None:
    configuration = Path(private_env["HOME"], ".config", "python_keyring", "keyringrc.cfg")
    configuration.parent.mkdir(parents=True)
    configuration.write_text(f"[backend]\ndefault-keyring = {BACKEND}\n")
    helper = Helper(executable, {**private_env, **secret_service.env})
    assert helper.store(SERVER, "alice", "s3cret").code == 0
    assert helper.stored() == {SERVER: "alice"}
    assert secret_service.items() == []


@pytest.mark.parametrize("name", ["keyring.backends.SecretService.Keyring", ""])
def test_keyrings_name_of_the_secret_service(
    executable: Path, private_env: dict[str, str], secret_service: SecretService, name: str
) -> None:
    helper = Helper(executable, {**private_env, **secret_service.env, "PYTHON_KEYRING_BACKEND": name})
    assert helper.store(SERVER, "alice", "s3cret").code == 0
    assert [item.attributes["docker_cli"] for item in secret_service.items()] == ["1"]


def test_plain_text_needs_to_be_named(executable: Path, private_env: dict[str, str], tmp_path: Path) -> None:
    helper = Helper(executable, {**private_env, "XDG_RUNTIME_DIR": str(tmp_path)})
    answer = helper.store(SERVER, "alice", "s3cret")
    assert answer.code == 1
    assert answer.out.startswith(b"no D-Bus session bus at ")
    assert not list(Path(private_env["HOME"]).rglob("*keyring*pass*"))


@pytest.mark.parametrize("backend", ["nowhere.Keyring", "nonsense", "keyrings.alt.file.Nothing"])
def test_a_backend_that_does_not_exist_is_named(
    executable: Path, private_env: dict[str, str], backend: str
) -> None:
    answer = Helper(executable, {**private_env, "PYTHON_KEYRING_BACKEND": backend}).get(SERVER)
    assert answer.code == 1
    assert answer.out.startswith(f"the keyring backend {backend} cannot be used: ".encode())
    assert b"PYTHON_KEYRING_BACKEND" in answer.err


@pytest.mark.parametrize("fault", ["directory", "fifo", "not UTF-8"])
def test_an_unreadable_configuration_is_an_error(
    installed: Path, private_env: dict[str, str], secret_service: SecretService, fault: str
) -> None:
    path = Path(private_env["HOME"], ".config", "python_keyring", "keyringrc.cfg")
    path.parent.mkdir(parents=True)
    if fault == "directory":
        path.mkdir()
    elif fault == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(b"[backend]\ndefault-keyring=\xff\n")
    helper = Helper(installed / "docker-credential-keyring", {**private_env, **secret_service.env})
    answer = helper.store("registry.example", "me", "secret")
    assert answer.code == 1
    assert answer.out.startswith(f"cannot read {path}, which may name another keyring: ".encode())
    assert secret_service.items() == []
