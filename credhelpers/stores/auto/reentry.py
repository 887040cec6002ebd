"""Whether docker-credential-auto was started, directly or not, by a helper that it had started itself."""

import os

_DEEPEST = 1000  # ancestors; more than any process has


def mark() -> str:
    """Return this process's id and start time, which identify it to the processes that it starts."""
    process_id = os.getpid()
    found = _parent_and_start(process_id)
    return f"{process_id}-{found[1] if found else ''}"


def is_ancestor(mark: str) -> bool:
    """Return whether the process that a mark names is an ancestor of this one.

    The number is not enough: it may be reused, and users set variables to ``1``. Where the kernel does not
    show the parents of processes, it is enough that the process still runs.
    """
    named, dash, start = mark.partition("-")
    if not dash or not (named.isascii() and named.isdecimal()):
        return False
    process_id = os.getppid()
    for _ in range(_DEEPEST):
        found = _parent_and_start(process_id)
        if found is None:
            return process_id > 0 and _is_running(int(named))
        if process_id == int(named):
            return found[1] == start
        process_id = found[0]
    return False


def _parent_and_start(process_id: int) -> "tuple[int, str] | None":
    """Return a process's parent and its start in clock ticks since boot (proc(5), /proc/pid/stat)."""
    try:
        with open(f"/proc/{process_id}/stat", "rb") as file:
            fields = file.read(4096).rpartition(b")")[2].split()
        return int(fields[1]), fields[19].decode()
    except (OSError, ValueError, IndexError):
        return None


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except PermissionError:
        return True
    except (OverflowError, OSError):
        return False
    return True
