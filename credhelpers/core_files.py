"""No core file of a process that holds a secret."""

import sys


def forbid() -> None:
    """Let neither this process nor what it starts leave a core file, before a secret is in memory.

    The hard limit stays, for programs that we start and that know what they do. systemd-coredump and apport,
    to which the kernel pipes a core whatever the limit, go by it too (core(5)).
    """
    if "no_core_files" in sys._xoptions:
        return  # packaging/launcher.sh has done it, without the cost of a library
    try:
        import resource  # prctl(PR_SET_DUMPABLE) would need ctypes, which takes ten times as long
    except ImportError:
        return  # Windows, which has no such limit
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (OSError, ValueError):
        return  # a sandbox that forbids the call; there is nothing that could be done instead
