"""Run one program within bounds of time and output, without the import cost of the subprocess module."""

import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    OnStderr = Callable[[bytes], object]

_SIGHUP, _SIGINT, _SIGKILL, _SIGPIPE, _SIGTERM, _SIGXFSZ = 1, 2, 9, 13, 15, 25  # signal imports enum
_CHUNK = 1 << 16
_TICK = 0.02  # seconds between looks at a child where the kernel cannot report its end
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


class Outcome:
    """A program's three streams and its exit status, which is None when it was stopped at a bound."""

    __slots__ = ("errors", "exit_status", "output", "status")

    def __init__(self, exit_status: int | None, output: bytes, errors: bytes, status: bytes) -> None:
        self.exit_status = exit_status
        self.output = output
        self.errors = errors
        self.status = status


def quoted(word: str) -> str:
    """Return a word quoted for a shell (shlex brings re, whose import takes longer than a warm answer)."""
    return "'" + word.replace("'", "'\\''") + "'"


def find(names: tuple[str, ...], environ: "Mapping[str, str]") -> str | None:
    """Return the absolute path of the first program of these names, or None.

    Relative and empty entries of ``PATH`` are skipped: the user did not choose what is in the current
    directory.
    """
    directories = [entry for entry in environ.get("PATH", _DEFAULT_PATH).split(":") if entry.startswith("/")]
    for name in names:
        for directory in directories:
            path = f"{directory}/{name}"
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def run(
    command: list[str],
    environ: "Mapping[str, str]",
    stdin: "bytes | int",
    seconds: float,
    limit: int,
    *,
    new_session: bool = False,
    on_stderr: "OnStderr | None" = None,
) -> Outcome:
    """Run a program and return its outcome.

    This waits for its end, not for the end of its output: a service that it leaves behind may hold that open.

    Args:
        command: The absolute path and the arguments.
        environ: Its environment.
        stdin: Its standard input: content to send, or a descriptor to read on.
        seconds: When to kill it.
        limit: Bytes of output, or of messages, at which to kill it.
        new_session: Whether it gets its own session: then it cannot ask at the terminal, and the processes
            that it has started are killed with it.
        on_stderr: Called with its messages as they come.

    Raises:
        OSError: It cannot be started.
    """
    changed = _interrupt_on_signals() if new_session else []
    child = _Child(stdin, new_session=new_session, on_stderr=on_stderr)
    try:
        child.start(command, environ)
        finished = child.exchange(time.monotonic() + seconds, limit)
        exit_status = child.end(kill=not finished)
        return Outcome(exit_status if finished else None, *(bytes(child.streams[end]) for end in (1, 2, 3)))
    except BaseException:
        child.end(kill=True)
        raise
    finally:
        child.close()
        for number in changed:
            import signal

            signal.signal(number, signal.SIG_DFL)


def _interrupt_on_signals() -> list[int]:
    """Make the signals that end this process raise `KeyboardInterrupt`, so that the program is ended too.

    A program in its own session does not get the signals that the terminal or our parent sends.

    Returns:
        The signals whose default action was replaced.
    """
    import signal

    changed = []
    try:
        for number in (_SIGHUP, _SIGTERM):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
                changed.append(number)
    except ValueError:
        pass  # only the main thread gets signals, and this is another one
    return changed


class _Child:
    """A running program, our ends of the pipes to it, and its output so far."""

    def __init__(self, stdin: "bytes | int", *, new_session: bool, on_stderr: "OnStderr | None") -> None:
        self._stdin = stdin
        self._new_session = new_session
        self._on_stderr = on_stderr
        self._pid = 0
        self.streams = {1: bytearray(), 2: bytearray(), 3: bytearray()}
        self._sources: dict[int, bytearray] = {}
        self._sink = -1
        self._unsent = memoryview(stdin if isinstance(stdin, bytes) else b"")
        self._exit_status: int | None = None
        self._end = -1

    def start(self, command: list[str], environ: "Mapping[str, str]") -> None:
        """Start the program; call `end` and `close` afterwards even if this fails."""
        theirs = []
        try:
            source = self._stdin
            if isinstance(source, bytes):
                source, self._sink = os.pipe()
                os.set_blocking(self._sink, False)
                theirs.append(source)
            actions = [(os.POSIX_SPAWN_DUP2, source, 0)]
            for target, content in self.streams.items():  # 3 last: one of our pipes may have that number
                source, sink = os.pipe()
                self._sources[source] = content
                theirs.append(sink)
                actions.append((os.POSIX_SPAWN_DUP2, sink, target))
            self._spawn(command, environ, actions)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        try:
            self._end = os.pidfd_open(self._pid)
        except (AttributeError, OSError):
            pass  # a Python without it, an old kernel, or a sandbox that does not know it

    def _spawn(
        self, command: list[str], environ: "Mapping[str, str]", actions: "list[tuple[int, int, int]]"
    ) -> None:
        # Python ignores these two signals, and programs expect that they are not ignored.
        options: dict[str, Any] = {"file_actions": actions, "setsigdef": (_SIGPIPE, _SIGXFSZ)}
        if not self._new_session:
            self._pid = os.posix_spawn(command[0], command, environ, **options)
            return
        import signal

        # A signal between the start and our knowing its process id would leave the program behind.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, (_SIGHUP, _SIGINT, _SIGTERM))
        try:
            options |= {"setsid": True, "setsigmask": mask}
            self._pid = os.posix_spawn(command[0], command, environ, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def exchange(self, deadline: float, limit: int) -> bool:
        """Write and read until the program has ended; False when a bound came first."""
        poller = select.poll()
        for source in (*self._sources, self._end):
            if source >= 0:
                poller.register(source, select.POLLIN)
        if self._sink >= 0:
            poller.register(self._sink, select.POLLOUT)
        ended = False
        while all(len(content) <= limit for content in self.streams.values()):
            left = 0.0 if ended else deadline - time.monotonic()
            if left < 0:
                return False
            wait = left if self._end >= 0 else min(left, _TICK)
            ready = [descriptor for descriptor, _ in poller.poll(1000 * wait)]
            if ended and not ready:
                return True
            for descriptor in ready:
                if descriptor == self._end or not self._transfer(descriptor):
                    poller.unregister(descriptor)
            ended = ended or self._end in ready or (self._end < 0 and not ready and self._has_ended())
        return False

    def _transfer(self, descriptor: int) -> bool:
        """Move the bytes that can be moved at once; False at the end of the stream."""
        if descriptor == self._sink:
            try:
                self._unsent = self._unsent[os.write(descriptor, self._unsent[:_CHUNK]) :]
            except BlockingIOError:
                return True
            except BrokenPipeError:
                self._unsent = self._unsent[:0]  # it has stopped reading; its own messages say why
            if not self._unsent:
                os.close(descriptor)  # the end of its standard input
                self._sink = -1
            return len(self._unsent) > 0
        chunk = os.read(descriptor, _CHUNK)
        self._sources[descriptor] += chunk
        if chunk and self._on_stderr and self._sources[descriptor] is self.streams[2]:
            self._on_stderr(chunk)
        return len(chunk) > 0

    def _has_ended(self, flags: int = os.WNOHANG) -> bool:
        if self._exit_status is None:
            pid, wait_status = os.waitpid(self._pid, flags)
            if pid:
                self._exit_status = os.waitstatus_to_exitcode(wait_status)
        return self._exit_status is not None

    def end(self, *, kill: bool) -> int:
        """Wait for the program, after killing it or after it has ended, and return its exit status."""
        if self._pid and self._exit_status is None:
            if kill:
                (os.killpg if self._new_session else os.kill)(self._pid, _SIGKILL)
            self._has_ended(0)
        return -1 if self._exit_status is None else self._exit_status  # it has never run

    def close(self) -> None:
        """Close our ends of all pipes."""
        for descriptor in (*self._sources, self._sink, self._end):
            if descriptor >= 0:
                os.close(descriptor)
        self._sources.clear()
        self._sink = self._end = -1
