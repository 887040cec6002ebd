"""Runs `credhelpers` in forks of one process that has imported it, each killed at a chosen step or not."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]

# Counts every step that leaves a trace on disk or in a store, and dies before or after the one that is named.
# What a run has imported is imported before the next one is forked, which then takes milliseconds.
_PARENT = """
import importlib, json, os, signal, sys
from contextlib import suppress
from credhelpers import files, process
from credhelpers.cli import main

WATCHED = (
    (os, ("write", "fsync", "replace", "unlink", "fchmod", "mkdir")),
    (files, ("rename",)),
    (process, ("run",)),
)
write = os.write
steps = 0

def deadly(function, fatal, after):
    def step(*given, **named):
        global steps
        steps += 1
        number = steps
        if number == fatal and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return function(*given, **named)
        finally:
            if number == fatal and after:
                os.kill(os.getpid(), signal.SIGKILL)
    return step

def run(arguments, env, fatal, after, report, shown):
    os.environ.clear()
    os.environ.update(env)
    null = os.open("/dev/null", os.O_RDONLY)
    for descriptor, stream in ((null, 0), (shown, 1), (shown, 2)):
        os.dup2(descriptor, stream)
    for module, names in WATCHED:
        for name in names:
            setattr(module, name, deadly(getattr(module, name), fatal, after))
    try:
        main(arguments)
    except SystemExit as end:
        sys.stdout.flush()
        write(report, json.dumps([steps, sorted(sys.modules)]).encode())
        os._exit(end.code or 0)

for line in sys.stdin:
    order = json.loads(line)
    ours, theirs = os.pipe()
    os.set_inheritable(theirs, True)  # so that its end comes when every helper has ended, too
    shown = os.memfd_create("shown")
    child = os.fork()
    if not child:
        run(*order, theirs, shown)
    os.close(theirs)
    with os.fdopen(ours, "rb") as report:
        said = report.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.lseek(shown, 0, os.SEEK_SET)
    with os.fdopen(shown, errors="replace") as file:
        text = file.read()
    steps_made, modules = json.loads(said) if said else (0, [])
    for name in set(modules) - set(sys.modules):
        with suppress(ImportError):
            importlib.import_module(name)
    print(json.dumps([status, steps_made, text]), flush=True)
"""


@dataclass(frozen=True)
class Run:
    """How a run ended: exit status (negative for a signal), steps (0 where it was killed) and output."""

    code: int
    steps: int
    shown: str


def run(arguments: tuple[str, ...], env: Mapping[str, str], *, fatal: int = 0, moment: str = "before") -> Run:
    """Run `credhelpers` until it and all that it has started have ended.

    Args:
        arguments: Its command line.
        env: Its environment.
        fatal: The number of the step at which it is killed; 0 for none.
        moment: ``before`` that step or ``after`` it.
    """
    parent = _parent()
    assert parent.stdin and parent.stdout
    order = [arguments, dict(env), fatal, moment == "after"]
    parent.stdin.write(json.dumps(order) + "\n")
    parent.stdin.flush()
    return Run(*json.loads(parent.stdout.readline()))


@cache
def _parent() -> subprocess.Popen[str]:
    """Start the process of which every run is a fork; it ends when its standard input does, with this one."""
    return subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        cwd=_REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
