"""The fast path in plain sh says what Python says, and no longer than it may, whichever shell /bin/sh is."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.aws import HOST, PASSWORD, TOKEN_CALL
from tests.support.client import Answer
from tests.support.tools import require
from tests.support.worker import Worker, rotate

TEMPLATE = Path(__file__).parents[2] / "packaging/ecr-login-fast-path.sh"
HOUR = 3600
PYTHON_WAS_STARTED = "python"
AnswersOfPython = Callable[..., Answer]


def python_helper(installed: Path) -> Path:
    """The executable that the fast path hands over to."""
    behind = installed.parent / "lib/credhelpers/bin/docker-credential-ecr-login"
    return behind if behind.exists() else installed / "docker-credential-ecr-login"


@pytest.fixture(params=["dash", "busybox", "bash"])
def fast(request: pytest.FixtureRequest, installed: Path, worker: Worker, tmp_path: Path) -> Iterator[Worker]:
    """A machine whose helper is the fast path, run by one shell, with a witness of every hand-over."""
    shell = tmp_path / "sh"  # by this name bash and busybox are what /bin/sh is where they are it
    shell.symlink_to(require(request.param, request.param))
    witness = tmp_path / "hand-over"
    witness.write_text(
        f'#!/bin/sh\n: >"{tmp_path}/{PYTHON_WAS_STARTED}"\n[ -z "$WITNESS_ONLY" ] || exit 1\n'
        f'exec "{python_helper(installed)}" "$@"\n'
    )
    helper = tmp_path / "docker-credential-ecr-login"
    text = TEMPLATE.read_text().replace("@HELPER@", str(witness))
    helper.write_text(text.replace("#!/bin/sh", f"#!{shell}", 1))
    for path in (witness, helper):
        path.chmod(0o755)
    yield replace(worker, executable=helper)


def python_was_started(fast: Worker) -> bool:
    mark = fast.executable.with_name(PYTHON_WAS_STARTED)
    found = mark.exists()
    mark.unlink(missing_ok=True)
    return found


def warm(fast: Worker) -> None:
    """Get a token and the files of the fast path beside it."""
    fast.password()
    assert python_was_started(fast)


def hands_over(fast: Worker, stdin: bytes | None = HOST.encode()) -> bool:
    """Return whether the fast path starts Python, which then does nothing."""
    assert not python_was_started(fast)
    fast.but(WITNESS_ONLY="yes").run("get", stdin=stdin)
    return python_was_started(fast)


@pytest.fixture(scope="module")
def answers_of_python(installed: Path) -> AnswersOfPython:
    """What Python answers, which is asked once for all shells; every machine here has the same token."""
    known: dict[tuple[tuple[str, ...], bytes], Answer] = {}

    def ask(fast: Worker, *arguments: str, stdin: bytes = b"") -> Answer:
        if (arguments, stdin) not in known:
            python = replace(fast, executable=python_helper(installed))
            known[arguments, stdin] = python.run(*arguments, stdin=stdin)
        return known[arguments, stdin]

    return ask


def test_a_warm_token_comes_without_python(fast: Worker) -> None:
    warm(fast)
    requests = fast.aws.total

    answer = fast.get(HOST)

    assert answer.credentials().secret == PASSWORD
    assert not python_was_started(fast)
    assert fast.aws.total == requests


def test_it_answers_byte_for_byte_as_python(fast: Worker, installed: Path) -> None:
    warm(fast)
    python = replace(fast, executable=python_helper(installed))

    assert fast.get(HOST) == python.get(HOST)


def test_other_servers_are_handed_over_unchanged(fast: Worker, answers_of_python: AnswersOfPython) -> None:
    warm(fast)
    spellings = (f"https://{HOST}", f"{HOST}/team/app", HOST.upper(), f"{HOST}:443", HOST[:-1])

    for stdin in (*spellings, f"{HOST}\n", f"{HOST}\nextra", "", "\n"):
        expected = answers_of_python(fast, "get", stdin=stdin.encode())
        assert fast.run("get", stdin=stdin.encode()) == expected
        assert python_was_started(fast), stdin


def test_other_verbs_are_handed_over(fast: Worker, answers_of_python: AnswersOfPython) -> None:
    for arguments in ((), ("list",), ("version",), ("get", "get"), ("g et",), ("frobnicate",)):
        assert fast.run(*arguments) == answers_of_python(fast, *arguments)
        assert python_was_started(fast), arguments


def test_a_closed_stdin_is_handed_over(fast: Worker) -> None:
    warm(fast)
    assert fast.run("get", stdin=None).code == 1
    assert python_was_started(fast)


def test_another_identity_gets_its_own_token(fast: Worker) -> None:
    warm(fast)
    other = rotate(fast)
    with_keys = fast.with_keys()

    assert with_keys.password() == other
    assert fast.password() == PASSWORD


def test_special_characters_are_handed_over(fast: Worker) -> None:
    warm(fast)

    for value in ("a b", "a'b", "$(touch hacked)", "`id`", "ä", '"', "a\\b", "*"):
        assert hands_over(fast.but(AWS_PROFILE=value)), value
    assert not list(fast.home.rglob("hacked"))


def test_a_changed_configuration_is_noticed(fast: Worker) -> None:
    warm(fast)
    for name in (".aws/config", ".aws/credentials", ".boto", ".config/credhelpers/config.toml"):
        path = fast.home / name
        path.parent.mkdir(parents=True, exist_ok=True)

        path.write_text("")
        fast.password()
        assert python_was_started(fast), f"{name} has come"
        fast.password()
        assert not python_was_started(fast)

        os.utime(path, ns=(1, 1_000_000_000))
        fast.password()
        assert python_was_started(fast), f"{name} has another time, and an earlier one"
        fast.password()
        assert not python_was_started(fast)

        path.unlink()
        assert hands_over(fast), f"{name} has gone"


def rewrite_times(fast: Worker, since: int, until: int) -> None:
    path = fast.tokens / f"fast-{HOST}"
    lines = path.read_text().split("\n")
    assert all(map(str.isdecimal, lines[2].split()))
    lines[2] = f"{since} {until}"
    path.write_text("\n".join(lines))


def test_past_half_its_life_python_answers(fast: Worker) -> None:
    warm(fast)
    rewrite_times(fast, 0, int(time.time()))

    fast.password()

    assert python_was_started(fast)


def test_with_a_clock_set_back_python_answers(fast: Worker) -> None:
    warm(fast)
    now = int(time.time())
    rewrite_times(fast, now + 24 * HOUR, now + 30 * HOUR)

    fast.password()

    assert python_was_started(fast)


def test_a_touched_token_is_handed_over(fast: Worker) -> None:
    warm(fast)
    token = fast.token_file()
    content = token.read_bytes()
    token.unlink()
    token.write_bytes(content)

    fast.password()

    assert python_was_started(fast)


def test_erase_takes_the_token_from_the_front_too(fast: Worker) -> None:
    warm(fast)
    new = rotate(fast)

    assert fast.erase(HOST).code == 0
    assert fast.password() == new


def test_a_stored_token_comes_first(fast: Worker) -> None:
    warm(fast)
    assert fast.store(HOST, "AWS", "brought by docker login").code == 0

    assert fast.get(HOST).credentials().secret == "brought by docker login"


def test_what_others_own_is_not_read(fast: Worker) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    warm(fast)
    fast.password()
    assert not python_was_started(fast)
    os.chown(fast.tokens / f"fast-{HOST}", 65534, -1)

    fast.password()

    assert python_was_started(fast)


def test_a_link_to_the_directory_is_not_followed(fast: Worker) -> None:
    warm(fast)
    elsewhere = fast.tokens.rename(fast.home / "elsewhere")
    fast.tokens.symlink_to(elsewhere)

    fast.password()

    assert python_was_started(fast)


def test_settings_of_the_cache_are_handed_over(fast: Worker) -> None:
    warm(fast)
    other = fast.home / "other.toml"
    other.write_text("")

    for name in ("AWS_ECR_DISABLE_CACHE", "CREDHELPERS_CONFIG"):
        fast.but(**{name: str(other)}).password()
        assert python_was_started(fast), name


def test_another_cache_directory_is_used_by_both(fast: Worker) -> None:
    moved = fast.but(AWS_ECR_CACHE_DIR=str(fast.home / "moved"))
    warm(moved)

    moved.password()

    assert not python_was_started(moved)
    assert not fast.tokens.exists()


def test_no_home_is_pythons_affair(fast: Worker) -> None:
    assert fast.but(HOME=None, AWS_ECR_CACHE_DIR=str(fast.home / "state")).password() == PASSWORD
    assert python_was_started(fast)


def test_what_never_ends_is_ended(fast: Worker) -> None:
    warm(fast)
    endless = subprocess.Popen([shutil.which("cat") or "cat", "/dev/zero"], stdout=subprocess.PIPE)
    with endless:
        assert fast.run("get", stdin=endless.stdout, timeout=20).code != 0
        endless.kill()


def test_five_gets_make_one_call(fast: Worker) -> None:
    for _ in range(5):
        fast.password()
    assert fast.aws.calls[TOKEN_CALL] == 1


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
def test_a_damaged_file_is_handed_over(fast: Worker, name: str) -> None:
    for damage in DAMAGE:
        warm(fast)
        assert fast.password() == PASSWORD
        assert not python_was_started(fast)
        damage(fast.tokens / name)

        answer = fast.get(HOST)

        assert answer.credentials().secret == PASSWORD
        assert answer.err == b""
        assert python_was_started(fast), damage
        assert not list(fast.home.rglob("hacked"))
        for path in map(fast.tokens.joinpath, FILES):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


def test_an_open_directory_is_handed_over(fast: Worker) -> None:
    warm(fast)
    for mode in (0o777, 0o750, 0o722, 0o1777):
        fast.tokens.chmod(mode)
        assert hands_over(fast), oct(mode)

    assert fast.get(HOST).code == 0


def test_five_megabytes_get_pythons_answer(fast: Worker, answers_of_python: AnswersOfPython) -> None:
    warm(fast)

    for request in (b"x" * 5_000_000, HOST.encode() * 100_000, b"\0" * 5_000_000):
        answer = fast.run("get", stdin=request)
        assert answer == answers_of_python(fast, "get", stdin=request)
        assert answer.code == 1


def test_a_nul_in_the_request_is_refused(fast: Worker) -> None:
    warm(fast)

    for request_body in (f"{HOST}\0", f"\0{HOST}", f"{HOST[:5]}\0{HOST[5:]}", "\0"):
        answer = fast.run("get", stdin=request_body.encode())

        assert (answer.code, answer.out) == (1, b"the server URL contains a control character\n")
        assert python_was_started(fast), request_body


def test_a_shell_that_traces_prints_no_secret(fast: Worker) -> None:
    traced = fast.but(SHELLOPTS="xtrace:verbose", PS4="+ ")
    warm(traced)

    answer = traced.get(HOST)

    assert answer.credentials().secret == PASSWORD
    assert PASSWORD.encode() not in answer.err


def test_a_hostile_shell_environment(fast: Worker) -> None:
    script = fast.home / "evil.sh"
    script.write_text(f"touch {fast.home}/hacked\n")
    hostile = fast.but(ENV=str(script), BASH_ENV=str(script), IFS="0a", CDPATH="/", GLOBIGNORE="*")
    warm(hostile)

    assert hostile.password() == PASSWORD

    assert not python_was_started(hostile)
    assert not list(fast.home.rglob("hacked"))


def test_programs_of_the_clients_path_are_not_run(fast: Worker) -> None:
    tools = fast.home / "bin"
    tools.mkdir()
    for name in ("stat", "cat"):
        (tools / name).write_text(f"#!/bin/sh\n: >{fast.home}/hacked\n")
        (tools / name).chmod(0o755)
    hostile = fast.but(PATH=f"{tools}:{fast.env['PATH']}")
    warm(hostile)

    assert hostile.password() == PASSWORD

    assert not python_was_started(hostile)
    assert not list(fast.home.rglob("hacked"))


def test_without_proc_python_answers(fast: Worker) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    warm(fast)
    unshare = require("unshare", "util-linux")
    script = 'mount -t tmpfs none /proc && ln -s /dev/null /proc/self 2>/dev/null; exec "$0" get'
    command = [unshare, "--mount", "/bin/sh", "-c", script, str(fast.executable)]
    done = subprocess.run(
        command, input=HOST, env=fast.env, capture_output=True, text=True, timeout=30, check=False
    )

    assert PASSWORD in done.stdout
    assert python_was_started(fast)


def test_a_foreign_proc_gives_no_expired_token(fast: Worker) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    warm(fast)
    rewrite_times(fast, 0, int(time.time()) - 1)
    fast.age(13 * HOUR)
    new = rotate(fast)
    unshare = require("unshare", "util-linux")
    command = [unshare, "--pid", "--fork", str(fast.executable), "get"]  # whose /proc shows other processes
    done = subprocess.run(
        command, input=HOST, env=fast.env, capture_output=True, text=True, timeout=30, check=False
    )

    assert new in done.stdout


def test_a_socket_as_stdin_is_handed_over(fast: Worker) -> None:
    warm(fast)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(HOST.encode())
        ours.shutdown(socket.SHUT_WR)
        assert fast.run("get", stdin=theirs.fileno()).credentials().secret == PASSWORD


def test_a_reader_that_has_gone_is_an_error(fast: Worker) -> None:
    warm(fast)
    source, sink = os.pipe()
    os.close(source)
    try:
        answer = fast.run("get", stdin=HOST.encode(), stdout=sink)
    finally:
        os.close(sink)

    assert answer.code == 1
    assert answer.err.count(b"\n") == 1


def test_a_full_disk_behind_stdout_is_one_line(fast: Worker) -> None:
    warm(fast)
    with Path("/dev/full").open("wb") as full:
        answer = fast.run("get", stdin=HOST.encode(), stdout=full)

    assert answer.code == 1
    assert answer.err.count(b"\n") == 1
