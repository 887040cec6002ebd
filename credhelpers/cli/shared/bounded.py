"""Doing several things at once within a bound of time, even those that no timeout of their own would end."""

import json
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from credhelpers import files

_T = TypeVar("_T")
_CHUNK = 1 << 16


class Tasks(Generic[_T]):
    """Runs functions in threads that end with the process; whoever waits does so until a deadline.

    Args:
        deadline: When to give up, by `time.monotonic`.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._results: dict[str, _T] = {}
        self._errors: dict[str, BaseException] = {}
        self._threads: dict[str, threading.Thread] = {}

    def start(self, name: str, work: Callable[[], _T]) -> None:
        """Start a function, unless one of this name has been started before."""
        if name not in self._threads:
            self._threads[name] = threading.Thread(target=self._run, args=(name, work), daemon=True)
            self._threads[name].start()

    def result(self, name: str) -> _T | None:
        """Wait for a function and return its result; None when it did not end in time.

        Raises:
            BaseException: What it raised.
        """
        self._threads[name].join(max(0.0, self._deadline - time.monotonic()))
        if name in self._errors:
            raise self._errors[name]
        return self._results.get(name)

    def _run(self, name: str, work: Callable[[], _T]) -> None:
        try:
            self._results[name] = work()
        except BaseException as error:  # noqa: BLE001  it is raised again where somebody waits for it
            self._errors[name] = error


class Child:
    """A process of our own that does some work and can be killed whatever it waits for.

    It has to be started before any thread.

    Args:
        works: What to do, by name, each in a thread of the child; what it yields must go into JSON.
    """

    def __init__(self, works: Mapping[str, Callable[[], Iterable[object]]]) -> None:
        self._source, sink = os.pipe()
        self._output = bytearray()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _work(works, self._source, sink)
            finally:
                os._exit(0)
        os.close(sink)

    def results(self, deadline: float) -> tuple[dict[str, list[Any]], set[str]]:
        """Return what has been yielded by then and the names of those that are done, and end the child."""
        try:
            while (left := deadline - time.monotonic()) > 0:
                if select.select([self._source], [], [], left)[0]:
                    chunk = os.read(self._source, _CHUNK)
                    if not chunk:
                        break
                    self._output += chunk
        finally:
            self._end()
        found: dict[str, list[Any]] = {}
        done = set()
        for line in self._output.split(b"\n")[:-1]:
            name, *item = json.loads(line)
            found.setdefault(name, []).extend(item)
            if not item:
                done.add(name)
        return found, done

    def _end(self) -> None:
        for end in (os.killpg, os.kill):
            try:
                end(self._pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it has no group of its own yet
        os.waitpid(self._pid, 0)
        os.close(self._source)


def _work(works: Mapping[str, Callable[[], Iterable[object]]], source: int, sink: int) -> None:
    """Do the work in a session of its own, with no terminal that anything could ask at."""
    os.setsid()
    os.close(source)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    lock = threading.Lock()

    def tell(*line: object) -> None:
        with lock:
            files.write_all(sink, json.dumps(line).encode() + b"\n")

    def run(name: str, work: Callable[[], Iterable[object]]) -> None:
        for item in work():
            tell(name, item)
        tell(name)

    threads = [threading.Thread(target=run, args=item, daemon=True) for item in works.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
