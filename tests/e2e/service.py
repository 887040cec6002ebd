"""A program in the background: known to be ready by what it prints, ended by its process id."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING, Self

from tests.support.tools import SYSTEM_PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

START_SECONDS = 60
STOP_SECONDS = 20


class Service:
    """Starts ``argv`` and waits until it prints a line that contains ``ready``.

    Used in a ``with`` statement: at its end the program has ended too. The kernel ends it as well when the
    test run dies without cleaning up (``setpriv --pdeathsig``). It inherits no environment: a proxy that the
    machine uses would come between the registries and their clients.
    """

    def __init__(self, argv: Sequence[str], *, ready: str) -> None:
        self._argv = ["setpriv", "--pdeathsig", "TERM", *argv]
        self._ready = ready
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._finished = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv,
            env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait_until_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        """Everything that the program has printed so far."""
        with self._changed:
            return "".join(self._lines)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def _is_ready(self) -> bool:
        return any(self._ready in line for line in self._lines)

    def _wait_until_ready(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready() or self._finished, timeout=START_SECONDS)
            if not self._is_ready():
                raise RuntimeError(
                    f"{' '.join(self._argv)} never said {self._ready!r}:\n{''.join(self._lines)}"
                )

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_SECONDS)
        self._process.stdout.close()
