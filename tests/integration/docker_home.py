"""A user with a Docker configuration who runs the installed `credhelpers`, killed at a chosen step or not."""

import os
import pty
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support import forked, stepwise
from tests.support.client import Answer

_SECONDS = 60

FILE_STORE = """
cd "$STUB" || exit 1
eval "${HOOK:-}"
case $1 in
store) json=$(cat); name=$(printf %s "$json" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/' | tr / %)
  printf %s "$json" >"$name" ;;
get) name=$(cat | tr / %); [ -f "$name" ] && exec cat "$name"
  echo credentials not found in native keychain; exit 1 ;;
erase) rm -f "$(cat | tr / %)" ;;
list) sep='{'; for name in *; do [ -f "$name" ] || continue
    printf '%s"%s":"ada"' "$sep" "$name" | tr % /; sep=,; done
  [ "$sep" = , ] || printf '{'; printf '}' ;;
esac
"""
"""A store in plain sh that keeps each credential in a file of $STUB, and does first whatever $HOOK says."""


@dataclass(frozen=True)
class DockerHome:
    """A home directory and the commands that are run in it.

    Attributes:
        env: The environment of every command.
        command: The installed `credhelpers`.
    """

    env: dict[str, str]
    command: Path

    @property
    def config(self) -> Path:
        """Docker's config.json."""
        return Path(self.env["HOME"], ".docker", "config.json")

    @property
    def backup(self) -> Path:
        """What configure keeps of it."""
        return self.config.with_name("config.json.credhelpers-backup")

    def write(self, content: str | bytes) -> bytes:
        """Write config.json and return its bytes."""
        data = content.encode() if isinstance(content, str) else content
        self.config.parent.mkdir(mode=0o700, exist_ok=True)
        self.config.write_bytes(data)
        return data

    def run(self, *arguments: str, prefix: tuple[str, ...] = ()) -> Answer:
        """Run `credhelpers` to its end."""
        if prefix:
            done = subprocess.run(
                [*prefix, str(self.command), *arguments],
                env=self.env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        else:
            done = forked.run(self.command, arguments, self.env)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return Answer(done.returncode, done.stdout, done.stderr)

    def succeed(self, *arguments: str) -> str:
        """Run `credhelpers`, which must succeed, and return what it says."""
        answer = self.run(*arguments)
        assert answer.code == 0, answer
        return answer.out.decode()

    def fail(self, *arguments: str, prefix: tuple[str, ...] = ()) -> str:
        """Run `credhelpers`, which must fail with a cause in one line, and return both lines of stderr."""
        answer = self.run(*arguments, prefix=prefix)
        assert answer.code == 1, answer
        lines = answer.err.decode().splitlines()
        assert 1 <= len(lines) <= 2 and all(line.startswith("credhelpers: ") for line in lines), lines
        return answer.err.decode()

    def show(self, *arguments: str) -> bytes:
        """Run `credhelpers`, which must succeed, on a terminal, and return what shows there."""
        master, slave = pty.openpty()
        with subprocess.Popen(
            [str(self.command), *arguments],
            env={**self.env, "TERM": "xterm"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
        ) as process:
            os.close(slave)
            shown = b""
            try:
                while chunk := os.read(master, 4096):
                    shown += chunk
            except OSError:
                pass  # the terminal's other end is closed
        os.close(master)
        assert process.returncode == 0, shown
        return shown

    def steps(self, *arguments: str) -> int:
        """Run `credhelpers` to its end and return how many steps left a trace on disk or in a store."""
        done = stepwise.run(arguments, self.env)
        assert done.code == 0, done
        return done.steps

    def is_killed(self, step: int, moment: str, *arguments: str) -> None:
        """Run `credhelpers` and kill it before or after one of these steps."""
        done = stepwise.run(arguments, self.env, fatal=step, moment=moment)
        assert done.code == -signal.SIGKILL, done

    def litter(self) -> list[str]:
        """Return the names of temporary files beside config.json."""
        return [name for name in os.listdir(self.config.parent) if name.endswith(".tmp")]


def stub_helper(directory: Path, name: str, script: str) -> Path:
    """Put a credential helper in plain sh into a directory and return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
