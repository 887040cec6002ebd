"""No core file of a process that holds a secret."""

import sys


def forbid() -> None:
    """Keep this process and those it starts from leaving a core file; called before a secret is in memory.

    The hard limit stays, so that a program we start can raise the limit again. systemd-coredump and apport,
    to which the kernel pipes a core whatever the limit, obey it too (core(5)).
    """
    if "no_core_files" in sys._xoptions:
        return  # packaging/launcher.sh has done it, without the cost of a library
    import resource  # prctl(PR_SET_DUMPABLE) would need ctypes, which takes ten times as long

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (OSError, ValueError):
        return  # a sandbox forbids the call; there is no other way
