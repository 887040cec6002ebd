"""Work that the caller does not wait for."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def in_background(work: "Callable[[], object]") -> None:
    """Run something in a child of its own session that holds none of the caller's descriptors.

    Docker waits until every copy of a helper's stdout is closed (os/exec), so the child closes its own
    at once. It stays in the current directory: relative names in a configuration mean the same there.
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
