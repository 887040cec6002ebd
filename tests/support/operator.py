"""An operator at a machine of which everything is known, and the `credhelpers` command."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.support import forked
from tests.support.client import Helper
from tests.support.terminal import Terminal


@dataclass(frozen=True)
class Result:
    """What a run of the command left."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> tuple[str, str]:
        """The cause and the remedy on stderr, each on its line."""
        assert self.code == 1, self
        cause, remedy = self.err.splitlines()
        assert cause.startswith("credhelpers: "), self
        assert remedy.startswith("credhelpers: "), self
        return cause.removeprefix("credhelpers: "), remedy.removeprefix("credhelpers: ")

    def json(self) -> Any:
        """The report of a run with ``--json``."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Operator:
    """Runs `credhelpers`.

    Attributes:
        bin: Where it and the helpers are installed; on PATH before everything else.
        env: The environment.
    """

    bin: Path
    env: dict[str, str]

    @classmethod
    def at(cls, installed: Path, env: dict[str, str]) -> "Operator":
        """Return an operator who finds the installed helpers on PATH."""
        return cls(installed, {**env, "PATH": f"{installed}:{env['PATH']}"})

    @property
    def home(self) -> Path:
        """The operator's home."""
        return Path(self.env["HOME"])

    def but(self, **changes: str) -> "Operator":
        """Return the same with a changed environment."""
        return replace(self, env={**self.env, **changes})

    def run(self, *arguments: str, stdin: str = "") -> Result:
        """Run the command where there is no terminal."""
        done = forked.run(self.bin / "credhelpers", arguments, self.env, stdin.encode())
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def succeed(self, *arguments: str, stdin: str = "") -> Result:
        """Run the command and check that it says that it did its work."""
        result = self.run(*arguments, stdin=stdin)
        assert result.code == 0, result
        return result

    def at_terminal(self, *arguments: str) -> Terminal:
        """Return the command on a terminal."""
        return Terminal([str(self.bin / "credhelpers"), *arguments], self.env)

    def helper(self, name: str) -> Helper:
        """Return one of the installed helpers."""
        return Helper(self.bin / f"docker-credential-{name}", self.env)

    def write(self, path: str, content: str) -> Path:
        """Write a file below the home."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        return file
