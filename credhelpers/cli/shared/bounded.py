"""Several functions at once, until a deadline that holds also for those without a timeout of their own."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Tasks(Generic[_T]):
    """Runs functions in threads that end with the process, and waits for them until a deadline.

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
        except BaseException as error:  # noqa: BLE001  `result` raises it again
            self._errors[name] = error
