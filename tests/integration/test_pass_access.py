"""A password store that cannot be read is never an absent one, for docker-credential-pass and -auto alike."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.pass_store import Store
from tests.support import forked
from tests.support.client import NOT_FOUND, Answer, Helper
from tests.support.gpg import GpgHome
from tests.support.keyring import SecretService
from tests.support.tools import require

SERVER = "https://registry.example/v1/"


def without_override(executable: Path, directory: Path) -> Path:
    """Return an executable that runs a helper as a process to which the modes of files apply, even root's."""
    if os.geteuid() != 0:
        return executable
    setpriv = require("setpriv", "util-linux")
    caps = "-dac_override,-dac_read_search,-fowner"
    directory.mkdir()
    wrapper = directory / executable.name
    wrapper.write_text(
        f'#!/bin/sh\nexec {setpriv} --bounding-set {caps} {shlex.quote(str(executable))} "$@"\n'
    )
    wrapper.chmod(0o755)
    return wrapper


@pytest.fixture
def directory(password_store_env: dict[str, str]) -> Path:
    return Path(password_store_env["HOME"], ".password-store")


@pytest.fixture(scope="session")
def stored_once() -> dict[str, Path]:
    """The password store that each helper has made with one entry; a copy is quicker."""
    return {}


@pytest.fixture(params=["pass", "auto"])
def helper(
    request: pytest.FixtureRequest,
    installed: Path,
    password_store_env: dict[str, str],
    secret_service: SecretService,
    directory: Path,
    stored_once: dict[str, Path],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Helper:
    """A helper of a user who has both a password store, with one entry, and an unlocked keyring."""
    executable = without_override(installed / f"docker-credential-{request.param}", tmp_path / "wrapped")
    helper = Helper(executable, {**password_store_env, **secret_service.env})
    if request.param not in stored_once:
        assert helper.store(SERVER, "me", "secret").code == 0
        stored_once[request.param] = tmp_path_factory.mktemp("stored") / request.param
        shutil.copytree(directory, stored_once[request.param])
    else:
        shutil.copytree(stored_once[request.param], directory, dirs_exist_ok=True)
    return helper


def deny(path: Path) -> None:
    path.chmod(0)


def replace_by_file(path: Path) -> None:
    path.rename(path.with_name("old"))
    path.write_text("")


def replace_by_loop(path: Path) -> None:
    path.rename(path.with_name("old"))
    path.symlink_to(path.name)


def replace_by_dangling_link(path: Path) -> None:
    path.rename(path.with_name("old"))
    path.symlink_to("/nonexistent/store")


FAULTS = [deny, replace_by_file, replace_by_loop, replace_by_dangling_link]


def assert_unreadable(answer: Answer, keyring: SecretService) -> None:
    assert answer.code == 1
    assert answer.out.startswith(
        (b"cannot read the password store: ", b"cannot write to the password store: ")
    )
    assert answer.out.strip() != NOT_FOUND
    assert b"internal error" not in answer.err
    assert len(answer.err.splitlines()) == 2, "a cause and a remedy"
    assert keyring.items() == []


@pytest.mark.parametrize("spoil", FAULTS)
@pytest.mark.parametrize("verb", ["get", "store", "erase"])
def test_a_store_that_cannot_be_read_is_an_error(
    helper: Helper, directory: Path, secret_service: SecretService, spoil: Callable[[Path], None], verb: str
) -> None:
    spoil(directory)
    if verb == "store":
        answer = helper.store(SERVER, "me", "other")
    else:
        answer = helper.run(verb, stdin=SERVER.encode())
    assert_unreadable(answer, secret_service)
    if spoil is deny:
        directory.chmod(0o700)


@pytest.mark.parametrize("spoil", FAULTS)
def test_an_unreadable_store_fails_list(
    helper: Helper, directory: Path, secret_service: SecretService, spoil: Callable[[Path], None]
) -> None:
    spoil(directory)
    answer = helper.list()
    assert b"cannot read the password store: " in answer.err
    if helper.executable.name.endswith("pass"):
        assert_unreadable(answer, secret_service)
    else:
        assert answer.value() == {}  # one store that fails costs its own entries
    if spoil is deny:
        directory.chmod(0o700)


def test_an_unreadable_key_list_fails_store(
    helper: Helper, directory: Path, secret_service: SecretService
) -> None:
    deny(directory / ".gpg-id")
    assert helper.get(SERVER).credentials().secret == "secret"
    assert_unreadable(helper.store("other.example", "me", "new"), secret_service)


@pytest.mark.parametrize("spoil", FAULTS)
@pytest.mark.parametrize("level", ["all servers", "one server"])
def test_a_folder_that_cannot_be_read_is_an_error(
    helper: Helper, directory: Path, secret_service: SecretService, spoil: Callable[[Path], None], level: str
) -> None:
    folder = directory / "docker-credential-helpers"
    assert helper.store("other.example", "me", "secret").code == 0
    if level == "one server":
        folder = Store(helper, directory).folder_of(SERVER)
    spoil(folder)
    assert_unreadable(helper.get(SERVER), secret_service)
    if level == "one server":
        answer = helper.list()
        assert answer.value() == {"other.example": "me"}
        assert f"{SERVER} is not listed: ".encode() in answer.err
    if folder.is_dir():
        folder.chmod(0o700)


def test_a_disk_that_fails_is_an_error(
    helper: Helper, directory: Path, secret_service: SecretService, tmp_path: Path
) -> None:
    """EIO at every look at the list of keys or at the store, injected as the disk would."""
    strace = require("strace", "strace")
    calls = "openat,newfstatat,lstat,stat,statx,access,readlink"
    for path in (directory / ".gpg-id", directory / "docker-credential-helpers"):
        wrapper = tmp_path / helper.executable.name
        wrapper.write_text(
            f"#!/bin/sh\nexec {strace} -f -o /dev/null -P {path} -e trace={calls} "
            f'-e inject={calls}:error=EIO {helper.executable} "$@"\n'
        )
        wrapper.chmod(0o755)
        failing = Helper(wrapper, helper.env)
        assert_unreadable(failing.store("other.example", "me", "new"), secret_service)
        if path.name == "docker-credential-helpers":
            assert_unreadable(failing.run("erase", stdin=b"other.example"), secret_service)


def test_without_any_store_auto_uses_the_keyring(
    installed: Path, private_env: dict[str, str], secret_service: SecretService
) -> None:
    auto = Helper(installed / "docker-credential-auto", {**private_env, **secret_service.env})
    assert auto.store(SERVER, "me", "secret").code == 0
    assert len(secret_service.items()) == 1


@pytest.mark.parametrize("depth", [1200, 3000])
def test_deeply_nested_folders_do_no_harm(helper: Helper, directory: Path, depth: int) -> None:
    folder = Store(helper, directory).folder_of(SERVER)
    with nested(folder, depth):
        assert helper.get(SERVER).credentials().secret == "secret"
        assert helper.stored() == {SERVER: "me"}
        assert helper.store(SERVER, "you", "other").code == 0
        assert helper.stored() == {SERVER: "you"}
        answer = helper.erase(SERVER)
        assert (answer.code, answer.err) == (0, b"")
        assert helper.get(SERVER).out.strip() == NOT_FOUND


@contextmanager
def nested(folder: Path, depth: int) -> Iterator[None]:
    """Make folders one in another, deeper than Python's own removal can follow them; remove them after."""
    try:
        _nest(folder, depth)
        yield
    finally:
        subprocess.run(["/bin/rm", "-rf", str(folder)], check=True)


def _nest(folder: Path, depth: int) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=descriptor)
        inner = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)


def test_a_deep_username_is_kept_or_refused(helper: Helper, directory: Path) -> None:
    for depth, kept in ((1000, True), (2040, False)):
        answer = helper.store("deep.example", "a/" * depth + "b", "secret")
        assert b"internal error" not in answer.err
        assert (answer.code == 0) is kept
        if kept:
            assert helper.get("deep.example").credentials().secret == "secret"
            assert helper.erase("deep.example").code == 0


@pytest.mark.parametrize("kind", ["fifo", "device", "directory", "socket"])
def test_a_special_file_as_entry_is_an_error(helper: Helper, directory: Path, kind: str) -> None:
    assert helper.store("other.example", "me", "secret").code == 0
    entry = Store(helper, directory).folder_of(SERVER) / "me.gpg"
    entry.unlink()
    make_special(entry, kind)
    answer = helper.get(SERVER)
    assert answer.code == 1
    assert answer.out.startswith(f"{entry} is ".encode())
    listed = helper.list()
    assert listed.value() == {"other.example": "me"}
    assert f"{SERVER} is not listed: {entry} is ".encode() in listed.err
    if kind != "directory":
        assert helper.erase(SERVER).code == 0
        assert helper.get(SERVER).out.strip() == NOT_FOUND


def make_special(path: Path, kind: str) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        import socket

        with socket.socket(socket.AF_UNIX) as server:
            os.symlink(path.parent, "/tmp/ch-socket-place")
            try:
                server.bind(f"/tmp/ch-socket-place/{path.name}")
            finally:
                os.unlink("/tmp/ch-socket-place")
    elif os.geteuid() != 0:
        pytest.skip("only root can make devices")
    else:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))


@pytest.mark.parametrize("name", [b"line\nfeed", b"\x1b[2J", b"\xff\xfe"])
def test_a_bad_username_costs_only_itself(helper: Helper, directory: Path, name: bytes) -> None:
    assert helper.store("other.example", "me", "secret").code == 0
    folder = os.fsencode(Store(helper, directory).folder_of(SERVER))
    os.rename(folder + b"/me.gpg", folder + b"/" + name + b".gpg")
    answer = helper.list()
    assert answer.value() == {"other.example": "me"}
    assert f"{SERVER} is not listed: ".encode() in answer.err
    assert all(line.isascii() and line.decode().isprintable() for line in answer.err.splitlines())
    assert b"has a name that" in helper.get(SERVER).out


def test_a_bad_server_costs_only_itself(helper: Helper, directory: Path) -> None:
    store = Store(helper, directory)
    shutil.copytree(store.folder_of(SERVER), store.folder_of("line\nfeed.example"))
    answer = helper.list()
    assert answer.value() == {SERVER: "me"}
    assert b"line\\nfeed.example is not listed: the server URL contains a control character" in answer.err


def spoil_key_list(path: Path, fault: str) -> None:
    content = path.read_bytes()
    path.unlink()
    if fault == "NUL":
        path.write_bytes(content.replace(b"\n", b"\0\n"))
    elif fault == "endless":
        path.symlink_to("/dev/zero")
    elif fault == "large":
        path.write_bytes(content + b"#" * (1 << 20))
    elif fault in ("fifo", "directory", "device", "socket"):
        make_special(path, fault)
    else:
        path.write_bytes(content)
        path.chmod(0o600)
        if fault == "foreign":
            if os.geteuid() != 0:
                pytest.skip("only root can give files away")
            os.chown(path, 65534, 65534)
        path.chmod({"group": 0o660, "world": 0o602, "foreign": 0o644}.get(fault, 0o600))
        path.parent.chmod(0o777 if fault == "directory of others" else 0o700)


KEY_LIST_FAULTS = {
    "NUL": "contains a NUL character",
    "endless": "is not a regular file",
    "large": "is larger than 65536 bytes",
    "fifo": "is not a regular file",
    "directory": "is not a regular file",
    "device": "is not a regular file",
    "socket": "is not a regular file",
    "group": "other users may write to ",
    "world": "other users may write to ",
    "foreign": "belongs to another user, who can choose who decrypts",
    "directory of others": "other users may write to ",
}


@pytest.mark.parametrize("fault", KEY_LIST_FAULTS)
def test_a_key_list_others_may_write_is_refused(
    helper: Helper, directory: Path, secret_service: SecretService, fault: str
) -> None:
    spoil_key_list(directory / ".gpg-id", fault)
    answer = helper.store("other.example", "me", "new")
    assert answer.code == 1
    assert KEY_LIST_FAULTS[fault].encode() in answer.out
    assert len(answer.err.splitlines()) == 2, "a cause and a remedy"
    assert helper.get(SERVER).credentials().secret == "secret"
    assert secret_service.items() == []
    assert helper.stored() == {SERVER: "me"}


@pytest.mark.parametrize("fault", KEY_LIST_FAULTS)
def test_init_refuses_the_same_key_lists(
    installed: Path, password_store_env: dict[str, str], directory: Path, gpg_home: GpgHome, fault: str
) -> None:
    spoil_key_list(directory / ".gpg-id", fault)
    done = forked.run(
        installed / "credhelpers",
        ("init", "pass", "--key", gpg_home.fingerprint),
        {**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"},
    )
    assert done.returncode == 1
    assert KEY_LIST_FAULTS[fault].encode() in done.stderr
    assert b"internal error" not in done.stderr


def test_a_store_shared_with_the_group_works(helper: Helper, directory: Path) -> None:
    directory.chmod(0o770)
    (directory / ".gpg-id").chmod(0o660)
    shared = Helper(helper.executable, {**helper.env, "PASSWORD_STORE_UMASK": "007"})
    assert helper.store("other.example", "me", "new").code == 1
    assert shared.store("other.example", "me", "new").code == 0
    (directory / ".gpg-id").chmod(0o662)
    assert shared.store("other.example", "me", "new").code == 1
