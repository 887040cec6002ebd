"""A terminal on which a command is run, with a person at it who reads and types."""

import os
import re
import select
import subprocess
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tests.support.tools import require

_SECONDS = 60.0


class Terminal:
    """Runs a command on a terminal of its own while its block lasts.

    Args:
        command: The executable and its arguments.
        env: Its environment.

    Attributes:
        shown: All that has appeared so far.
    """

    def __init__(self, command: list[str], env: Mapping[str, str]) -> None:
        self._command = [require("setsid", "util-linux"), "--ctty", *command]
        self._env = {"TERM": "xterm", **env}
        self._read = 0
        self.shown = ""

    def __enter__(self) -> Self:
        self._ours, theirs = os.openpty()
        self._process = subprocess.Popen(
            self._command, env=self._env, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
        )
        os.close(theirs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._ours)

    @property
    def pid(self) -> int:
        """The process id of the command."""
        return self._process.pid

    def expect(self, text: str) -> None:
        """Read until a text appears behind the one that was expected last, in however many lines."""
        deadline = time.monotonic() + _SECONDS
        wrapped = re.compile(re.escape(text).replace(r"\ ", r"\s+"))
        while (found := wrapped.search(self.shown, self._read)) is None:
            assert self._receive(deadline), f"{text!r} never appeared:\n{self.shown}"
        self._read = found.end()

    def type(self, text: str) -> None:
        """Type a text; a newline is the key Return."""
        os.write(self._ours, text.encode())

    def finish(self) -> int:
        """Read to the end and return the exit status."""
        deadline = time.monotonic() + _SECONDS
        while self._receive(deadline):
            pass
        return self._process.wait(_SECONDS)

    def _receive(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"nothing more came, and it did not end:\n{self.shown}"
        try:
            content = os.read(self._ours, 1 << 16)
        except OSError:
            return False  # nobody has the other end open any more
        self.shown += content.decode(errors="replace").replace("\r\n", "\n")
        return bool(content)
