"""`credhelpers setup` held up at each of its steps until clients have looked up what they need."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]
_SECONDS = 240

# Waits before whatever leaves a trace on disk or in a store, and says which step of the plan it is in.
_DRIVER = """
import os, sys, threading
sys.path.insert(0, sys.argv.pop(1))
from dataclasses import replace
from credhelpers import files, process
from credhelpers.cli import main
from credhelpers.cli.setup import command
from credhelpers.cli.setup.plan import Plan

said, heard = int(sys.argv.pop(1)), int(sys.argv.pop(1))
write, read, lock, phase = os.write, os.read, threading.RLock(), "plan"

def pause():
    with lock:
        if phase:
            write(said, phase.encode() + b"\\n")
            read(heard, 1)

def paced(function):
    def step(*given, **named):
        pause()
        return function(*given, **named)
    return step

def in_phase(step):
    def run(context):
        global phase
        phase = step.id
        pause()
        done = step.run(context)
        pause()
        return done
    return replace(step, run=run)

def unpaced(*given, **named):
    global phase
    phase = ""
    return diagnose(*given, **named)

plan_steps, diagnose = Plan.steps, command._diagnose
Plan.steps = lambda self: [in_phase(step) for step in plan_steps(self)]
command._diagnose = unpaced
for module, names in (
    (os, ("write", "fsync", "replace", "unlink", "fchmod", "mkdir")),
    (files, ("rename",)),
    (process, ("run",)),
):
    for name in names:
        setattr(module, name, paced(getattr(module, name)))
main(sys.argv[1:])
"""


@dataclass
class LookUps:
    """The look-ups that were made, by the step of the plan in which they were.

    Attributes:
        made: How many.
        failed: What a client said that did not get what it needs.
    """

    made: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self.made.values())


def run_paced(
    arguments: Sequence[str],
    env: Mapping[str, str],
    look_up: Callable[[], str],
    enter: Callable[..., list[str]] = lambda *argv: list(argv),
) -> tuple[subprocess.CompletedProcess[str], LookUps]:
    """Run `credhelpers`, and look something up before each of its steps, and after the last.

    Args:
        arguments: Its command line.
        env: Its environment.
        look_up: Makes one round of look-ups; returns what failed, or nothing.
        enter: Returns the command that runs another one where it should be, such as in a namespace.
    """
    look_ups = LookUps()
    with _pipes() as (said, theirs_said, heard, theirs_heard):
        command = enter(
            sys.executable, "-c", _DRIVER, str(_REPOSITORY), str(theirs_said), str(theirs_heard), *arguments
        )
        with subprocess.Popen(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(theirs_said, theirs_heard),
        ) as process:
            os.close(theirs_said)
            with os.fdopen(os.dup(said)) as phases:
                for line in phases:
                    phase = line.strip()
                    problem = look_up()
                    look_ups.made[phase] = look_ups.made.get(phase, 0) + 1
                    if problem:
                        look_ups.failed.append(f"{phase}: {problem}")
                    os.write(heard, b".")
            out, err = process.communicate(timeout=_SECONDS)
    return subprocess.CompletedProcess(command, process.returncode, out, err), look_ups


@contextmanager
def _pipes() -> Iterator[tuple[int, int, int, int]]:
    said, theirs_said = os.pipe()
    theirs_heard, heard = os.pipe()
    try:
        yield said, theirs_said, heard, theirs_heard
    finally:
        for descriptor in (said, heard, theirs_heard):
            os.close(descriptor)
