"""How a program is run within bounds; the programs here are the interpreter and a shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from credhelpers import process

_ENVIRON = {"PATH": "/usr/bin:/bin"}
_MEBIBYTE = 1 << 20


def _python(
    code: str, given: bytes | int = b"", seconds: float = 20, limit: int = 8 * _MEBIBYTE
) -> process.Outcome:
    return process.run([sys.executable, "-IS", "-c", code], _ENVIRON, given, seconds, limit)


@pytest.fixture(params=["the kernel tells of the end", "the kernel does not tell of the end"])
def _both_kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "the kernel does not tell of the end":
        monkeypatch.delattr(os, "pidfd_open", raising=False)


pytestmark = pytest.mark.usefixtures("_both_kernels")


def test_streams_and_exit_status_come_back() -> None:
    outcome = _python("import os; os.write(1, b'o'); os.write(2, b'e'); os.write(3, b's'); os._exit(7)")
    assert (outcome.exit_status, outcome.output, outcome.errors, outcome.status) == (7, b"o", b"e", b"s")


def test_large_input_and_output_do_not_deadlock() -> None:
    content = os.urandom(3 * _MEBIBYTE)
    echo = "import os\nwhile b := os.read(0, 4096):\n while b: b = b[os.write(1, b):]"
    assert _python(echo, content).output == content


def test_unread_input_does_no_harm() -> None:
    assert _python("raise SystemExit(3)", b"x" * _MEBIBYTE).exit_status == 3


def test_empty_stdin_is_closed() -> None:
    assert _python("import os; os.write(1, b'[%s]' % os.read(0, 9))").output == b"[]"


def test_a_descriptor_becomes_standard_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with (tmp_path / "file").open("rb") as file:
        assert _python("import os; os.write(1, os.read(0, 99))", file.fileno()).output == b"content"


def test_a_program_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"import os, time; os.write(1, b'%d' % os.getpid()); time.sleep(60); open({str(mark)!r}, 'w')"
    outcome = _python(code, seconds=1)
    assert outcome.exit_status is None
    with pytest.raises(ProcessLookupError):
        os.kill(int(outcome.output), 0)


def test_endless_output_ends_the_program() -> None:
    outcome = _python("import os\nwhile 1: os.write(1, b'x' * 4096)", limit=_MEBIBYTE)
    assert outcome.exit_status is None


def test_a_service_left_behind_is_not_awaited() -> None:
    service = "import os, time\nif os.fork() == 0: time.sleep(30); os._exit(0)\nos.write(1, b'done')"
    outcome = _python(service, seconds=15)
    assert (outcome.exit_status, outcome.output) == (0, b"done")


def test_no_descriptor_is_left_open() -> None:
    before = os.listdir("/proc/self/fd")
    _python("pass", b"x" * _MEBIBYTE)
    _python("import time; time.sleep(60)", seconds=0.1)
    with pytest.raises(FileNotFoundError):
        process.run(["/nonexistent"], _ENVIRON, b"", 1, 1)
    assert os.listdir("/proc/self/fd") == before


def test_only_absolute_directories_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for directory in (tmp_path, tmp_path / "bin"):
        directory.mkdir(exist_ok=True)
        (directory / "gpg").touch(mode=0o755)
    (tmp_path / "gpg2").mkdir()
    monkeypatch.chdir(tmp_path)
    assert process.find(("gpg",), {"PATH": f".::bin:{tmp_path}/bin"}) == f"{tmp_path}/bin/gpg"
    assert process.find(("gpg",), {"PATH": ".::bin:"}) is None
    assert process.find(("gpg2", "gpg"), {"PATH": str(tmp_path)}) == f"{tmp_path}/gpg"


_TOLD_TO_END = """\
import os, signal, sys
from credhelpers import process
if sys.argv[1] == "False":
    del os.pidfd_open
spawn = os.posix_spawn
def spawn_and_be_told_to_end(*arguments, **attributes):
    started = spawn(*arguments, **attributes)
    print(started, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    return started
os.posix_spawn = spawn_and_be_told_to_end
process.run(["/bin/sleep", "60"], {}, b"", 60, 1000, new_session=True)
"""


def test_a_signal_at_the_start_leaves_nothing() -> None:
    """In a process of one thread, as helpers are: the kernel may give a signal to any thread."""
    told_of_ends = str(hasattr(os, "pidfd_open"))
    done = subprocess.run(
        [sys.executable, "-c", _TOLD_TO_END, told_of_ends],
        env={"PYTHONPATH": str(Path(process.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stderr.endswith("KeyboardInterrupt\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_no_signal_is_blocked_in_what_is_started() -> None:
    script = "grep SigBlk /proc/self/status"
    outcome = process.run(["/bin/sh", "-c", script], _ENVIRON, b"", 20, 1000, new_session=True)
    assert outcome.output.split() == [b"SigBlk:", b"0" * 16]
