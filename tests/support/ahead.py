"""Runs the tests of a module that mostly wait in threads, from the module's first test on.

Such a test waits for a limit of the product or for a timer; meanwhile the module's other tests run. When its
turn comes, pytest waits until its thread has ended, and takes over its failure.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

_AT_ONCE = 4  # so few that the starts of their processes do not take the seconds of each other's limits

Machine = Callable[[Path, dict[str, str]], AbstractContextManager[tuple[Any, ...]]]
"""Makes what a test gets, from the directory of the installed executables and an empty user's environment."""

Started = Mapping[str, Future[None]]
"""The tests that run or have run, by their names with their parameters."""


class Ahead:
    """A decorator for such tests, one for each module, which has to be a name in it.

    A test takes what the machine gives by position, and what it is parametrised with by keyword alone. It
    cannot take fixtures, which belong to the main thread.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._tests: dict[str, Callable[..., None]] = {}

    def __call__(self, test: Callable[..., None]) -> Callable[..., None]:
        """Return what pytest runs in the test's place."""

        def wait(started: Started, request: pytest.FixtureRequest, **_: object) -> None:
            started[request.node.name].result()

        self._tests[test.__name__] = test
        wait.__name__, wait.__doc__, wait.__module__ = test.__name__, test.__doc__, test.__module__
        own = list(inspect.signature(wait).parameters.values())[:2]
        keywords = [
            parameter
            for parameter in inspect.signature(test).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        ]
        wait.__signature__ = inspect.Signature([*own, *keywords])  # type: ignore[attr-defined]
        return wait

    @contextmanager
    def start(self, items: list[pytest.Function], installed: Path, folder: Path) -> Iterator[Started]:
        """Start those of a module's tests that are decorated, and yield them."""
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            yield {
                item.name: pool.submit(self._run, item, installed, folder / str(number))
                for number, item in enumerate(items)
                if item.originalname in self._tests
            }
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # those left are the turn of another worker

    def _run(self, item: pytest.Function, installed: Path, folder: Path) -> None:
        folder.mkdir()
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        with self._machine(installed, private_environment(folder)) as given:
            self._tests[item.originalname](*given, **parameters)


def private_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a throwaway user whose home is in a folder, with nothing inherited."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    return {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
