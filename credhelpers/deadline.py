"""An end to whatever runs too long, also where no timeout of a library reaches."""

import signal
from types import FrameType, TracebackType


class OutOfTime(BaseException):
    """Not an Exception, so that no library takes it for a fault of its own that it may retry.

    Attributes:
        seconds: How long it was waited.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Deadline:
    """Raises `OutOfTime` in its ``with`` block after some seconds; for the main thread, which gets signals.

    Args:
        seconds: How long the block may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._former = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._former)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        raise OutOfTime(self._seconds)
