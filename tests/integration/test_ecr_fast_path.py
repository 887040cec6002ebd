"""The fast path in plain sh says what Python says, and no longer than it may, whichever shell /bin/sh is."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.aws import HOST, PASSWORD, TOKEN_CALL
from tests.support.tools import require
from tests.support.worker import Worker, rotate

TEMPLATE = Path(__file__).parents[2] / "packaging/ecr-login-fast-path.sh"
HOUR = 3600
PYTHON_WAS_STARTED = "python"


def python_helper(installed: Path) -> Path:
    """The executable that the front hands over to."""
    behind = installed.parent / "lib/credhelpers/bin/docker-credential-ecr-login"
    return behind if behind.exists() else installed / "docker-credential-ecr-login"


@pytest.fixture(params=["dash", "busybox", "bash"])
def front(
    request: pytest.FixtureRequest, installed: Path, worker: Worker, tmp_path: Path
) -> Iterator[Worker]:
    """A machine whose helper is the front, run by one shell, with a witness of every hand-over."""
    shell = tmp_path / "sh"  # by this name bash and busybox are what /bin/sh is where they are it
    shell.symlink_to(require(request.param, request.param))
    witness = tmp_path / "hand-over"
    witness.write_text(
        f'#!/bin/sh\n: >"{tmp_path}/{PYTHON_WAS_STARTED}"\nexec "{python_helper(installed)}" "$@"\n'
    )
    helper = tmp_path / "docker-credential-ecr-login"
    text = TEMPLATE.read_text().replace("@HELPER@", str(witness))
    helper.write_text(text.replace("#!/bin/sh", f"#!{shell}", 1))
    for path in (witness, helper):
        path.chmod(0o755)
    yield replace(worker, executable=helper)


def python_was_started(front: Worker) -> bool:
    mark = front.executable.with_name(PYTHON_WAS_STARTED)
    found = mark.exists()
    mark.unlink(missing_ok=True)
    return found


def warm(front: Worker) -> None:
    """Get a token and the front's file beside it."""
    front.password()
    assert python_was_started(front)


def test_a_warm_token_comes_without_python_and_without_a_request(front: Worker) -> None:
    warm(front)
    requests = front.aws.total

    answer = front.get(HOST)

    assert answer.credentials().secret == PASSWORD
    assert not python_was_started(front)
    assert front.aws.total == requests


def test_the_front_answers_byte_for_byte_as_python(front: Worker, installed: Path) -> None:
    warm(front)
    python = replace(front, executable=python_helper(installed))

    assert front.get(HOST) == python.get(HOST)


def test_whatever_is_no_plain_host_is_handed_over_unchanged(front: Worker, installed: Path) -> None:
    warm(front)
    python = replace(front, executable=python_helper(installed))
    spellings = (f"https://{HOST}", f"{HOST}/team/app", HOST.upper(), f"{HOST}:443", HOST[:-1])

    for stdin in (*spellings, f"{HOST}\n", f"{HOST}\nextra", "", "\n"):
        assert front.run("get", stdin=stdin.encode()) == python.run("get", stdin=stdin.encode())
        assert python_was_started(front), stdin


def test_whatever_is_not_get_is_handed_over(front: Worker, installed: Path) -> None:
    python = replace(front, executable=python_helper(installed))

    for arguments in ((), ("list",), ("version",), ("get", "get"), ("g et",), ("frobnicate",)):
        assert front.run(*arguments) == python.run(*arguments)
        assert python_was_started(front), arguments


def test_a_closed_stdin_is_handed_over(front: Worker) -> None:
    warm(front)
    assert front.run("get", stdin=None).code == 1
    assert python_was_started(front)


def test_another_identity_never_gets_this_ones_token(front: Worker) -> None:
    warm(front)
    other = rotate(front)
    with_keys = front.with_keys()

    assert with_keys.password() == other
    assert front.password() == PASSWORD


def test_a_value_that_a_shell_could_take_otherwise_is_handed_over(front: Worker) -> None:
    warm(front)

    for value in ("a b", "a'b", "$(touch hacked)", "`id`", "ä", '"', "a\\b", "*"):
        assert front.but(AWS_PROFILE=value).get(HOST).code == 1
        assert python_was_started(front), value
    assert not list(front.home.rglob("hacked"))


def test_a_configuration_file_that_comes_changes_or_goes_is_noticed(front: Worker) -> None:
    warm(front)
    for name in (".aws/config", ".aws/credentials", ".boto", ".config/credhelpers/config.toml"):
        path = front.home / name
        path.parent.mkdir(parents=True, exist_ok=True)

        path.write_text("")
        front.password()
        assert python_was_started(front), f"{name} has come"
        front.password()
        assert not python_was_started(front)

        os.utime(path, ns=(1, 1_000_000_000))
        front.password()
        assert python_was_started(front), f"{name} has another time, and an earlier one"
        front.password()
        assert not python_was_started(front)

        path.unlink()
        front.password()
        assert python_was_started(front), f"{name} has gone"


def rewrite_times(front: Worker, since: int, until: int) -> None:
    fast = front.tokens / f"fast-{HOST}"
    lines = fast.read_text().split("\n")
    assert all(map(str.isdecimal, lines[2].split()))
    lines[2] = f"{since} {until}"
    fast.write_text("\n".join(lines))


def test_a_token_past_half_its_life_is_pythons_affair(front: Worker) -> None:
    warm(front)
    rewrite_times(front, 0, int(time.time()))

    front.password()

    assert python_was_started(front)


def test_a_clock_that_was_set_back_is_pythons_affair(front: Worker) -> None:
    warm(front)
    now = int(time.time())
    rewrite_times(front, now + 24 * HOUR, now + 30 * HOUR)

    front.password()

    assert python_was_started(front)


def test_a_token_that_was_touched_is_pythons_affair(front: Worker) -> None:
    warm(front)
    token = front.token_file()
    content = token.read_bytes()
    token.unlink()
    token.write_bytes(content)

    front.password()

    assert python_was_started(front)


def test_erase_takes_the_token_from_the_front_too(front: Worker) -> None:
    warm(front)
    new = rotate(front)

    assert front.erase(HOST).code == 0
    assert front.password() == new


def test_a_stored_token_is_given_before_the_fronts(front: Worker) -> None:
    warm(front)
    assert front.store(HOST, "AWS", "brought by docker login").code == 0

    assert front.get(HOST).credentials().secret == "brought by docker login"


def test_a_directory_or_file_that_is_not_ours_is_not_read(front: Worker) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    warm(front)
    front.password()
    assert not python_was_started(front)
    os.chown(front.tokens / f"fast-{HOST}", 65534, -1)

    front.password()

    assert python_was_started(front)


def test_a_link_in_place_of_the_directory_is_not_followed(front: Worker) -> None:
    warm(front)
    elsewhere = front.tokens.rename(front.home / "elsewhere")
    front.tokens.symlink_to(elsewhere)

    front.password()

    assert python_was_started(front)


def test_settings_that_change_everything_are_pythons_affair(front: Worker) -> None:
    warm(front)
    other = front.home / "other.toml"
    other.write_text("")

    for name in ("AWS_ECR_DISABLE_CACHE", "CREDHELPERS_CONFIG"):
        front.but(**{name: str(other)}).password()
        assert python_was_started(front), name


def test_another_cache_directory_is_used_by_both(front: Worker) -> None:
    moved = front.but(AWS_ECR_CACHE_DIR=str(front.home / "moved"))
    warm(moved)

    moved.password()

    assert not python_was_started(moved)
    assert not front.tokens.exists()


def test_no_home_is_pythons_affair(front: Worker) -> None:
    assert front.but(HOME=None, AWS_ECR_CACHE_DIR=str(front.home / "state")).password() == PASSWORD
    assert python_was_started(front)


def test_what_never_ends_is_ended(front: Worker) -> None:
    warm(front)
    endless = subprocess.Popen([shutil.which("cat") or "cat", "/dev/zero"], stdout=subprocess.PIPE)
    with endless:
        assert front.run("get", stdin=endless.stdout, timeout=20).code != 0
        endless.kill()


def test_a_front_left_by_nobody_costs_one_call(front: Worker) -> None:
    for _ in range(5):
        front.password()
    assert front.aws.calls[TOKEN_CALL] == 1


FILES = (f"fast-{HOST}", f"answer-{HOST}")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _cut_off(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _without_its_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def _zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _commands(path: Path) -> None:
    path.write_text("touch ~/hacked; `touch ~/hacked`; $(touch ~/hacked)\n" * 9)


def _open_to_others(path: Path) -> None:
    path.chmod(0o666)


def _linked(path: Path) -> None:
    os.link(path, path.with_name("another-name"))


def _behind_a_link(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("elsewhere")))


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _missing(path: Path) -> None:
    path.unlink()


DAMAGE = (
    _empty,
    _cut_off,
    _without_its_end,
    _zeroed,
    _commands,
    _open_to_others,
    _linked,
    _behind_a_link,
    _directory,
    _fifo,
    _missing,
)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_data_and_pythons_affair(front: Worker, name: str) -> None:
    for damage in DAMAGE:
        warm(front)
        assert front.password() == PASSWORD
        assert not python_was_started(front)
        damage(front.tokens / name)

        answer = front.get(HOST)

        assert answer.credentials().secret == PASSWORD
        assert answer.err == b""
        assert python_was_started(front), damage
        assert not list(front.home.rglob("hacked"))
        for path in map(front.tokens.joinpath, FILES):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


@pytest.mark.parametrize("mode", [0o777, 0o750, 0o722, 0o1777])
def test_a_directory_that_is_not_private_is_pythons_affair(front: Worker, mode: int) -> None:
    warm(front)
    front.tokens.chmod(mode)

    assert front.get(HOST).code == 0

    assert python_was_started(front)


def test_five_megabytes_get_the_sentence_that_python_has(front: Worker, installed: Path) -> None:
    warm(front)
    python = replace(front, executable=python_helper(installed))

    for request in (b"x" * 5_000_000, HOST.encode() * 100_000, b"\0" * 5_000_000):
        answer = front.run("get", stdin=request)
        assert answer == python.run("get", stdin=request)
        assert answer.code == 1


@pytest.mark.parametrize("request_body", [f"{HOST}\0", f"\0{HOST}", f"{HOST[:5]}\0{HOST[5:]}", "\0"])
def test_a_nul_in_the_request_is_refused(front: Worker, request_body: str) -> None:
    warm(front)

    answer = front.run("get", stdin=request_body.encode())

    assert (answer.code, answer.out) == (1, b"the server URL contains a control character\n")
    assert python_was_started(front)


def test_a_shell_that_traces_prints_no_secret(front: Worker) -> None:
    traced = front.but(SHELLOPTS="xtrace:verbose", PS4="+ ")
    warm(traced)

    answer = traced.get(HOST)

    assert answer.credentials().secret == PASSWORD
    assert PASSWORD.encode() not in answer.err


def test_a_hostile_environment_of_shells_changes_nothing(front: Worker) -> None:
    script = front.home / "evil.sh"
    script.write_text(f"touch {front.home}/hacked\n")
    hostile = front.but(ENV=str(script), BASH_ENV=str(script), IFS="0a", CDPATH="/", GLOBIGNORE="*")
    warm(hostile)

    assert hostile.password() == PASSWORD

    assert not python_was_started(hostile)
    assert not list(front.home.rglob("hacked"))


def test_programs_of_the_clients_path_are_not_run(front: Worker) -> None:
    tools = front.home / "bin"
    tools.mkdir()
    for name in ("stat", "cat"):
        (tools / name).write_text(f"#!/bin/sh\n: >{front.home}/hacked\n")
        (tools / name).chmod(0o755)
    hostile = front.but(PATH=f"{tools}:{front.env['PATH']}")
    warm(hostile)

    assert hostile.password() == PASSWORD

    assert not python_was_started(hostile)
    assert not list(front.home.rglob("hacked"))


def test_without_proc_python_answers(front: Worker) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    warm(front)
    unshare = require("unshare", "util-linux")
    script = 'mount -t tmpfs none /proc && ln -s /dev/null /proc/self 2>/dev/null; exec "$0" get'
    command = [unshare, "--mount", "/bin/sh", "-c", script, str(front.executable)]
    done = subprocess.run(
        command, input=HOST, env=front.env, capture_output=True, text=True, timeout=30, check=False
    )

    assert PASSWORD in done.stdout
    assert python_was_started(front)


def test_an_expired_token_is_not_given_out_by_a_proc_that_is_not_its_own(front: Worker) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    warm(front)
    rewrite_times(front, 0, int(time.time()) - 1)
    front.age(13 * HOUR)
    new = rotate(front)
    unshare = require("unshare", "util-linux")
    command = [unshare, "--pid", "--fork", str(front.executable), "get"]  # whose /proc shows other processes
    done = subprocess.run(
        command, input=HOST, env=front.env, capture_output=True, text=True, timeout=30, check=False
    )

    assert new in done.stdout


def test_a_socket_as_stdin_is_handed_over(front: Worker) -> None:
    warm(front)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(HOST.encode())
        ours.shutdown(socket.SHUT_WR)
        assert front.run("get", stdin=theirs.fileno()).credentials().secret == PASSWORD


def test_nobody_reading_the_answer_is_no_death(front: Worker) -> None:
    warm(front)
    source, sink = os.pipe()
    os.close(source)
    try:
        answer = front.run("get", stdin=HOST.encode(), stdout=sink)
    finally:
        os.close(sink)

    assert answer.code == 1
    assert answer.err.count(b"\n") == 1


def test_a_full_disk_behind_stdout_is_one_line(front: Worker) -> None:
    warm(front)
    with Path("/dev/full").open("wb") as full:
        answer = front.run("get", stdin=HOST.encode(), stdout=full)

    assert answer.code == 1
    assert answer.err.count(b"\n") == 1
