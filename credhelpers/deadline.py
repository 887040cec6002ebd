"""A deadline for a block of code, also where a library has no timeout."""

import signal
from types import FrameType


class OutOfTime(BaseException):
    """Not an Exception, so that no library catches it and tries again.

    Attributes:
        seconds: The time that was allowed.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Deadline:
    """Raises `OutOfTime` in its ``with`` block after some seconds; only the main thread gets signals.

    Args:
        seconds: How long the block may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._former = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._former)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        raise OutOfTime(self._seconds)
