"""Timing programs: every one is started, fed and waited for in the same way, and all take turns."""

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Sample = Callable[[], float]
"""Measures something once."""


class MeasurementError(Exception):
    """A program did not give the answer that it was to be timed for."""


@dataclass(frozen=True)
class Command:
    """A program that answers one request.

    Attributes:
        arguments: The absolute path and the arguments.
        env: Its whole environment.
        stdin: What it reads from a pipe, as docker gives it.
        expected: What its answer must contain; a fast wrong answer counts for nothing.
    """

    arguments: tuple[str, ...]
    env: Mapping[str, str]
    stdin: bytes = b""
    expected: bytes = b""

    def time(self) -> float:
        """Run it once; return the milliseconds from before its start until it was waited for."""
        started = time.perf_counter_ns()
        Running(self).finish()
        return (time.perf_counter_ns() - started) / 1e6


class Running:
    """A program that was started and has read its request.

    Args:
        command: What to start.
    """

    def __init__(self, command: Command) -> None:
        self._command = command
        request, sink = os.pipe()
        source, answer = os.pipe()
        self._answer = source
        self._errors = tempfile.TemporaryFile(prefix="ch-bench-")  # noqa: SIM115  closed in finish
        actions = [
            (os.POSIX_SPAWN_DUP2, request, 0),
            (os.POSIX_SPAWN_DUP2, answer, 1),
            (os.POSIX_SPAWN_DUP2, self._errors.fileno(), 2),
        ]
        arguments = command.arguments
        self._pid = os.posix_spawn(arguments[0], arguments, dict(command.env), file_actions=actions)
        os.close(request)
        os.close(answer)
        try:
            os.write(sink, command.stdin)
        except BrokenPipeError:
            pass  # it has no use for a request
        os.close(sink)

    def finish(self) -> None:
        """Read the answer to its end and wait for the program.

        Raises:
            MeasurementError: It failed, or its answer is not the expected one.
        """
        answer = b""
        while chunk := os.read(self._answer, 1 << 16):
            answer += chunk
        os.close(self._answer)
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        with self._errors as errors:
            if status != 0 or self._command.expected not in answer:
                errors.seek(0)
                said = (answer[:200] + errors.read(500)).decode(errors="replace").strip()
                raise MeasurementError(f"{' '.join(self._command.arguments)}: status {status}: {said}")


def one_after_another(commands: Sequence[Command]) -> float:
    """Run programs in turn; return the milliseconds of all."""
    started = time.perf_counter_ns()
    for command in commands:
        Running(command).finish()
    return (time.perf_counter_ns() - started) / 1e6


def at_once(commands: Sequence[Command]) -> float:
    """Start programs without waiting for any; return the milliseconds until all have ended."""
    started = time.perf_counter_ns()
    running = [Running(command) for command in commands]
    for program in running:
        program.finish()
    return (time.perf_counter_ns() - started) / 1e6


def interleave(runs: int, samples: Sequence[Sample]) -> list[list[float]]:
    """Measure several things in turn, so that whatever else the machine does befalls all of them.

    Each is measured once before it counts, and the order is reversed from round to round, so that none always
    comes after the same other one.

    Returns:
        For each thing its measurements, in the order in which they were made.
    """
    for sample in samples:
        sample()
    found: list[list[float]] = [[] for _ in samples]
    for number in range(runs):
        turn = range(len(samples)) if number % 2 == 0 else range(len(samples) - 1, -1, -1)
        for index in turn:
            found[index].append(samples[index]())
    return found
