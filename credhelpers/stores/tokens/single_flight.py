"""Fetching once, so that a hundred processes that need one token make one call."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credhelpers.locks import Lock
    from credhelpers.stores.tokens.cache import Entry


class SingleFlight:
    """Waits while another process fetches the same token; goes on alone when that takes too long.

    Args:
        entry: The token's.
        seconds: How long to wait.
        has_come: Returns whether the other process has got the token, which ends the wait.
    """

    def __init__(self, entry: "Entry", seconds: float, has_come: "Callable[[], bool]") -> None:
        self._entry = entry
        self._seconds = seconds
        self._has_come = has_come
        self._lock: Lock | None = None

    def __enter__(self) -> None:
        try:
            lock = self._entry.lock(self._seconds, self._has_come)
            lock.__enter__()
        except OSError:
            return  # TimeoutError too
        self._lock = lock

    def __exit__(self, *_: object) -> None:
        if self._lock:
            self._lock.__exit__(None, None, None)
