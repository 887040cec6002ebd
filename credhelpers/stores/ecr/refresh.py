"""Fetching in turn, so that a hundred processes make one call; and in the background, while nobody waits."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from credhelpers.stores.ecr.tokens import TokenCache


class Turn:
    """Waits for whoever fetches the same token now; goes on alone when that takes too long."""

    def __init__(
        self, cache: "TokenCache", name: str, seconds: float, has_come: "Callable[[], bool] | None" = None
    ) -> None:
        self._cache = cache
        self._name = name
        self._seconds = seconds
        self._has_come = has_come

    def __enter__(self) -> None:
        self._lock = None
        try:
            lock = self._cache.lock(self._name, self._seconds, self._has_come)
            lock.__enter__()
        except (OSError, TimeoutError):
            return
        self._lock = lock

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        if self._lock:
            self._lock.__exit__(kind, error, traceback)


def in_background(work: "Callable[[], object]") -> None:
    """Run something in a child of its own session that holds nothing of the caller's.

    Docker waits until every copy of a helper's stdout is closed (os/exec), so the child gives its up at once.
    It stays in the directory that it is in: relative names in the AWS configuration mean the same there.
    """
    try:
        if os.fork():
            return
    except OSError:
        return  # no room for another process; the next call tries again
    status = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.closerange(3, 1 << 16)
        work()
        status = 0
    finally:
        os._exit(status)
