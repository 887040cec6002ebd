"""Run one program to its end, within bounds of time and output, without the cost of the subprocess module."""

import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    OnStderr = Callable[[bytes], object]

_SIGHUP, _SIGKILL, _SIGPIPE, _SIGTERM, _SIGXFSZ = 1, 9, 13, 15, 25  # the signal module brings enum
_CHUNK = 1 << 16
_TICK = 0.02  # seconds between looks at a child where the kernel does not tell of its end
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


class Outcome:
    """What a program left: three streams, and its exit status; None when it was stopped at a bound."""

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

    Relative and empty entries of ``PATH`` are passed over: what stands in the current directory is not
    the user's choice.
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
    """Run a program and return what became of it.

    Its end is waited for, not the end of its output: a service that it leaves behind may hold that open.

    Args:
        command: The absolute path and the arguments.
        environ: Its environment.
        stdin: Its standard input: content to send, or a descriptor to read on.
        seconds: When to kill it.
        limit: Bytes of output, or of messages, at which to kill it.
        new_session: Whether it gets a session of its own: then it cannot ask at the terminal, and what it
            has started is killed with it.
        on_stderr: Called with its messages as they come.

    Raises:
        OSError: It cannot be started.
    """
    child = _Child(stdin, new_session=new_session, on_stderr=on_stderr)
    if new_session:
        with _EndsOnSignals():
            return _run(child, command, environ, seconds, limit)
    return _run(child, command, environ, seconds, limit)


def _run(
    child: "_Child", command: list[str], environ: "Mapping[str, str]", seconds: float, limit: int
) -> Outcome:
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


class _EndsOnSignals:
    """Lets signals that end this process raise `KeyboardInterrupt`, so that a program can be ended with it.

    One in a session of its own gets none of the signals that the terminal or our parent sends.
    """

    def __enter__(self) -> None:
        import signal

        self._changed = []
        try:
            for number in (_SIGHUP, _SIGTERM):
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, signal.default_int_handler)
                    self._changed.append(number)
        except ValueError:
            return  # not in the main thread, which is who gets signals

    def __exit__(self, *_: object) -> None:
        import signal

        for number in self._changed:
            signal.signal(number, signal.SIG_DFL)


class _SignalsHeld:
    """Keeps back the signals that end this process; they come when the block is left."""

    def __enter__(self) -> "set[int]":
        import signal

        ending = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
        self._former = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
        return set(self._former)

    def __exit__(self, *_: object) -> None:
        import signal

        signal.pthread_sigmask(signal.SIG_SETMASK, self._former)


class _Child:
    """A running program, the ends of the pipes to it and what came out of them."""

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
        """Start the program; whatever comes of it, `end` and `close` are to be called."""
        theirs = []
        try:
            if isinstance(self._stdin, bytes):
                source, self._sink = os.pipe()
                os.set_blocking(self._sink, False)
                theirs.append(source)
                actions = [(os.POSIX_SPAWN_DUP2, source, 0)]
            else:
                actions = [(os.POSIX_SPAWN_DUP2, self._stdin, 0)]
            for target, content in self.streams.items():  # 3 last: it may be the number of one of ours
                source, sink = os.pipe()
                self._sources[source] = content
                theirs.append(sink)
                actions.append((os.POSIX_SPAWN_DUP2, sink, target))
            if self._new_session:
                with _SignalsHeld() as mask:  # one between its start and our knowing it would leave it behind
                    self._pid = self._spawn(command, environ, actions, setsid=True, setsigmask=mask)
            else:
                self._pid = self._spawn(command, environ, actions)
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        try:
            self._end = os.pidfd_open(self._pid)
        except (AttributeError, OSError):
            pass  # a Python without it, an old kernel, or a sandbox that does not know it

    def _spawn(
        self,
        command: list[str],
        environ: "Mapping[str, str]",
        actions: "list[tuple[int, int, int]]",
        **attributes: "Any",
    ) -> int:
        # Python ignores these two signals, and programs do not expect them to be ignored.
        ignored = (_SIGPIPE, _SIGXFSZ)
        return os.posix_spawn(
            command[0], command, environ, file_actions=actions, setsigdef=ignored, **attributes
        )

    def exchange(self, deadline: float, limit: int) -> bool:
        """Write and read until the program has ended; False when a bound came first."""
        poller = select.poll()
        for source in self._sources:
            poller.register(source, select.POLLIN)
        if self._sink >= 0:
            poller.register(self._sink, select.POLLOUT)
        if self._end >= 0:
            poller.register(self._end, select.POLLIN)
        ended = False
        while all(len(content) <= limit for content in self.streams.values()):
            left = 0.0 if ended else deadline - time.monotonic()
            if left < 0:
                return False
            ready = [
                descriptor
                for descriptor, _ in poller.poll(1000 * (left if self._end >= 0 else min(left, _TICK)))
            ]
            if ended and not ready:
                return True
            for descriptor in ready:
                if descriptor == self._end or not self._transfer(descriptor):
                    poller.unregister(descriptor)
            ended = ended or self._end in ready or (self._end < 0 and not ready and self._has_ended())
        return False

    def _transfer(self, descriptor: int) -> bool:
        """Move what can be moved at once; False when there is no more to come or to go."""
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

    def _has_ended(self) -> bool:
        if self._exit_status is None:
            pid, wait_status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._exit_status = os.waitstatus_to_exitcode(wait_status)
        return self._exit_status is not None

    def end(self, *, kill: bool) -> int:
        """Wait for the program, after killing it or after it has ended, and return its exit status."""
        if not self._pid:
            return -1  # it has never run
        if self._exit_status is None:
            if kill:
                (os.killpg if self._new_session else os.kill)(self._pid, _SIGKILL)
            self._exit_status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._exit_status

    def close(self) -> None:
        """Close our ends of all pipes."""
        for descriptor in (*self._sources, self._sink, self._end):
            if descriptor >= 0:
                os.close(descriptor)
        self._sources.clear()
        self._sink = self._end = -1
