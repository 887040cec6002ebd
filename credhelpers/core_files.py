"""No core file of a process that holds a secret."""


def forbid() -> None:
    """Let neither this process nor what it starts leave a core file, before a secret is in memory.

    The hard limit stays, for programs that we start and that know what they do. systemd-coredump and apport,
    to which the kernel pipes a core whatever the limit, go by it too (core(5)).
    """
    try:
        import resource  # 0.2 ms; prctl(PR_SET_DUMPABLE) would need ctypes, which takes ten times that
    except ImportError:
        return  # Windows, which has no such limit
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    except (OSError, ValueError):
        return  # a sandbox that forbids the call; there is nothing that could be done instead
