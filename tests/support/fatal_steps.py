"""A helper that is killed at each of its steps: whatever leaves a trace on disk or starts a program."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
_SECONDS = 60

# Counts the steps, and dies before the one that is named.
_DRIVER = """
import os, signal, sys
from credhelpers.executables import run
fatal, name = int(sys.argv[1]), sys.argv[2]
del sys.argv[1:3]
steps = 0
def deadly(function):
    def step(*arguments, **named):
        global steps
        steps += 1
        if steps == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return step
for function in ("mkdir", "write", "fsync", "replace", "rename", "unlink", "rmdir", "posix_spawn"):
    setattr(os, function, deadly(getattr(os, function)))
status = run(name)
print(f"steps={steps}", file=sys.stderr)
sys.exit(status)
"""


def kill_at_each_step(name: str, verb: str, stdin: bytes, env: Mapping[str, str]) -> Iterator[int]:
    """Let a helper of the suite do its work once, then kill it before each step; yield after every run.

    What it works on has to be as before again each time that this is resumed.

    Yields:
        The step before which it was killed; 0 for the run to the end.
    """
    done = _drive(0, name, verb, stdin, env)
    assert done.returncode == 0, done
    yield 0
    for step in range(1, int(done.stderr.rpartition(b"steps=")[2]) + 1):
        done = _drive(step, name, verb, stdin, env)
        assert done.returncode == -signal.SIGKILL, done
        yield step


def _drive(
    step: int, name: str, verb: str, stdin: bytes, env: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", _DRIVER, str(step), name, verb]
    return subprocess.run(
        command,
        cwd=_REPOSITORY,
        env=dict(env),
        input=stdin,
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    )
