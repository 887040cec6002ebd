"""What becomes of `credhelpers` when its output cannot be written, or something unforeseen comes up."""

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.integration.docker_home import DockerHome, stub_helper
from tests.support import forked
from tests.support.terminal import Terminal

COMMANDS = [
    "--version",
    "--help",
    "status",
    "status --json",
    "status --show-secret r.example",
    "logout absent.example",
    "logout absent.example --json",
    "configure --store pass --force",
    "configure --store pass --force --json",
    "configure --store pass --force --dry-run",
    "configure --undo",
    "migrate --to pass",
    "migrate --to pass --json",
    "migrate --to pass --dry-run",
    "login n.example --no-check --username ada --password-stdin --store pass",
    "doctor",
    "doctor --json",
    "logs",
    "logs --json",
    "refresh --all",
    "init pass",
    "init pass --json",
    "init --help",
]


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user of the password store with a secret in plain text and a log."""
    home = DockerHome({**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")
    home.write(json.dumps({"auths": {"r.example": {"auth": base64.b64encode(b"ada:secret").decode()}}}))
    log = Path(home.env["HOME"], ".ecr", "log", "pass.log")
    log.parent.mkdir(parents=True, mode=0o700)
    log.parent.parent.chmod(0o700)
    log.write_text('time="2026-01-01T00:00:00Z" level=info msg="x"\n')
    return home


def _run(home: DockerHome, command: str, shell: str) -> tuple[int, list[str]]:
    """Run a command in a shell that does something to its streams; return its status and stderr."""
    done = subprocess.run(
        ["/bin/sh", "-c", shell, "sh", str(home.command), *command.split()],
        env=home.env,
        input=b"secret\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.decode().splitlines()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_output_is_one_line(home: DockerHome, command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = forked.run(home.command, command.split(), home.env, b"secret\n", stdout=full.fileno())
    code, lines = done.returncode, done.stderr.decode().splitlines()

    assert code == 1
    assert lines[-1] == "credhelpers: cannot write to standard output: No space left on device"
    assert not any("Traceback" in line or "internal error" in line for line in lines)
    assert sum("standard output" in line for line in lines) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_output_stops_the_command(home: DockerHome, command: str) -> None:
    before = sorted(os.listdir(home.config.parent)), home.config.read_bytes()

    done = forked.run(home.command, command.split(), home.env, b"secret\n", closed=[1])

    lines = done.stderr.decode().splitlines()
    assert done.returncode == 1
    assert lines[0] == "credhelpers: standard output is closed" and len(lines) == 2
    assert (sorted(os.listdir(home.config.parent)), home.config.read_bytes()) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_pipe_is_silent(home: DockerHome, command: str) -> None:
    read, write = os.pipe()
    os.close(read)
    done = forked.run(home.command, command.split(), home.env, b"secret\n", stdout=write)
    os.close(write)

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr and b"standard output" not in done.stderr
    assert b"internal error" not in done.stderr and b"Broken pipe" not in done.stderr


@pytest.mark.parametrize("shell", ['"$@" >/dev/full', '"$@" >&-'])
def test_a_new_process_fails_like_a_fork(home: DockerHome, shell: str) -> None:
    code, lines = _run(home, "status --json", shell)

    assert code == 1
    assert sum("standard output" in line for line in lines) == 1
    assert not any("Traceback" in line or "internal error" in line for line in lines)


@pytest.mark.parametrize("shell", ['"$@" 2>&-', '"$@" 2>/dev/full', '"$@" <&-', '"$@" <&- 2>&-'])
@pytest.mark.parametrize(
    "command", ["status", "configure --store pass --force", "migrate --to pass", "doctor"]
)
def test_closed_or_full_streams_keep_files_right(home: DockerHome, command: str, shell: str) -> None:
    _, lines = _run(home, command, shell)

    assert not any("Traceback" in line for line in lines)
    config = json.loads(home.config.read_text())
    assert config.get("credsStore") == (None if command in ("status", "doctor") else "pass")


def test_a_login_without_input_is_an_error(home: DockerHome) -> None:
    code, lines = _run(home, "login n.example --store pass --no-check", '"$@" <&-')

    assert code == 1 and "there is no terminal to ask for the password" in lines[0]


def test_names_that_cannot_be_encoded_are_escaped(home: DockerHome) -> None:
    home.write('{"auths": {"r\\ud800\\u001b[2J\\u2028\u00fc.example": {"auth": "YTpi"}}}')
    home.env.update(LC_ALL="C", PYTHONIOENCODING="ascii")

    for command in ("status", "doctor", "configure --store pass", "migrate --to pass --dry-run"):
        answer = home.run(*command.split())
        assert answer.code in (0, 1) and b"internal error" not in answer.err, answer
        assert b"\x1b" not in answer.out + answer.err
        assert b"\\x1b[2J\\u2028" in answer.out + answer.err, command


_SURPRISE = """
import sys
from credhelpers.cli import main
from credhelpers.cli.status import command
def surprise(*given):
    raise KeyError("%s")
command.take_inventory = surprise
main(sys.argv[1:])
"""


def _surprised(home: DockerHome, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _SURPRISE % CANARY, *arguments],
        cwd=Path(__file__).resolve().parents[2],
        env=home.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_internal_errors_show_kind_and_place(home: DockerHome) -> None:
    done = _surprised(home, "status")

    assert done.returncode == 1 and done.stdout == ""
    cause, remedy = done.stderr.splitlines()
    assert cause.startswith("credhelpers: internal error: KeyError in ")
    assert "credhelpers --debug" in remedy
    assert CANARY not in done.stderr


def test_debug_shows_where_it_came_from(home: DockerHome) -> None:
    done = _surprised(home, "--debug", "status")

    assert done.returncode == 1 and "Traceback" in done.stderr and "in surprise" in done.stderr


def test_an_unreadable_directory_is_named(home: DockerHome) -> None:
    if os.geteuid() == 0:
        home.config.unlink()
        home.config.parent.rmdir()
        home.config.parent.symlink_to(home.config.parent)  # not even root can look into it
    else:
        home.config.parent.chmod(0)

    for command in ("status", "configure --store pass", "logout r.example", "migrate --to pass"):
        assert str(home.config.parent) in home.fail(*command.split())


def test_ctrl_c_ends_with_130(home: DockerHome, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    stub_helper(tmp_path / "bin", "slow", f"echo >{ready}; exec sleep 60")
    os.mkfifo(ready)
    home.env["PATH"] = f"{tmp_path / 'bin'}:{home.env['PATH']}"
    with subprocess.Popen(
        [str(home.command), "migrate", "--to", "slow"],
        env=home.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        ready.read_text()  # when the helper has been started
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert b"Traceback" not in err and out == b""


# A real Ctrl-C would now and then come between the interpreter's look for signals and its wait for input.
_INTERRUPTED = """
import sys
import click.termui
from credhelpers.cli import main
def interrupt(*given):
    raise KeyboardInterrupt
click.termui.%s_prompt_func = interrupt
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("kind", "more"), [("visible", ()), ("hidden", ("--username", "ada"))])
def test_ctrl_c_at_a_prompt_ends_with_130_too(home: DockerHome, kind: str, more: tuple[str, ...]) -> None:
    arguments = ["login", "n.example", "--no-check", "--store", "pass", *more]
    env = {**home.env, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    with Terminal([sys.executable, "-c", _INTERRUPTED % kind, *arguments], env) as terminal:
        assert terminal.finish() == 130

    assert "Traceback" not in terminal.shown and "internal error" not in terminal.shown


def test_end_of_input_at_a_prompt(home: DockerHome) -> None:
    command = [str(home.command), "login", "n.example", "--no-check", "--store", "pass"]
    with Terminal(command, home.env) as terminal:
        terminal.expect("Username")
        terminal.type("\x04")
        assert terminal.finish() == 1

    assert "Aborted!" in terminal.shown
