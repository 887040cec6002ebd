"""A real terminal of a certain width, tmux's, in which a command is run."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.tools import require

_SECONDS = 60.0
_TICK = 0.05
_ROWS = 200
_SETTINGS = """
set -g status off
set -g remain-on-exit on
set -g remain-on-exit-format ""
"""


def show(command: str, env: Mapping[str, str], columns: int, directory: Path) -> list[str]:
    """Return the lines that a command shows, each as it is copied from the terminal.

    A line that goes on beyond the terminal's edge is one line when it is copied.

    Args:
        command: For sh; its three streams are the terminal.
        env: Its environment.
        columns: How wide the terminal is.
        directory: Where the terminal's own files may be.
    """
    settings = directory / "tmux.conf"
    settings.write_text(_SETTINGS)
    socket = directory / f"tmux-{columns}"
    environ = {name: value for name, value in env.items() if name != "COLUMNS"}
    environ |= {"TERM": "xterm", "LC_ALL": "C.UTF-8"}

    def tmux(*arguments: str) -> str:
        done = subprocess.run(
            [require("tmux", "tmux"), "-S", str(socket), "-f", str(settings), *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        return done.stdout

    try:
        tmux("new-session", "-d", "-x", str(columns), "-y", str(_ROWS), "/bin/sh", "-c", command)
        deadline = time.monotonic() + _SECONDS
        while tmux("display-message", "-p", "#{pane_dead}") != "1\n":  # the hook pane-died is lost at times
            assert time.monotonic() < deadline, tmux("capture-pane", "-p", "-J")
            time.sleep(_TICK)
        return [line.rstrip() for line in tmux("capture-pane", "-p", "-J").rstrip().split("\n")]
    finally:
        tmux("kill-server")
