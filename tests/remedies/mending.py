"""Carrying out a remedy as the user who reads it would: by /bin/sh, to the letter."""

import os
import re
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.remedies.catalogue import Entry, is_told
from tests.remedies.rule import commands
from tests.support.terminal import Terminal

POWERLESS = ("/usr/bin/setpriv", "--bounding-set=-all", "--inh-caps=-all", "--") if os.geteuid() == 0 else ()
"""What starts a command without the rights by which root reads and writes everything."""
_SECONDS = 60.0
_DONE = "the remedy has been carried out"


@dataclass(frozen=True)
class Mended:
    """What a remedy has left: the environment of the shell that ran it, and all that it has shown."""

    env: dict[str, str]
    shown: str


class Shell:
    """The shell of the user who carries remedies out.

    Args:
        directory: For what passes between the shell and the test.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "environment-afterwards"

    def carry_out(
        self,
        told: str,
        env: Mapping[str, str],
        *,
        way: int = 0,
        after: str = "",
        types: str | Sequence[tuple[str, str]] = (),
        until: Callable[[], object] = bool,
        fill: Mapping[str, str] | None = None,
        directory: Path | None = None,
        prefix: Sequence[str] = (),
        ends_well: bool = True,
        seconds: float = _SECONDS,
    ) -> Mended:
        """Run one command of a remedy.

        Args:
            told: The remedy as it was shown.
            env: The environment of the user.
            way: Which of its commands, from 0.
            after: The command that has failed, for a remedy that names options to run it with.
            types: What the user types, at once or each text behind what it answers; on a terminal.
            until: Is called before that terminal goes, as what runs in the background would with it.
            fill: What stands for the words in capitals that only the user can replace.
            directory: Where the user is; the home when none is named.
            prefix: What starts the shell, such as `POWERLESS`.
            ends_well: Whether the command has to; what only shows a fault may end with it.
            seconds: After which one that only shows a fault is ended.
        """
        command = f"{after} {commands(told)[way]}".strip()
        assert command.startswith("--") is False, "options need the command that has failed"
        for word, value in (fill or {}).items():
            command, count = re.subn(rf"(?<!\w){re.escape(word)}(?!\w)", shlex.quote(value), command)
            assert count, f"{word} is not in {command}"
        script = f"set -a\n{command}\n/usr/bin/env -0 >'{self._file}'\n"
        if types:
            return self._type(
                types, [*prefix, "/bin/sh", "-emc", f"{script}echo {_DONE}; read -r _"], env, until
            )
        try:
            done = subprocess.run(
                [*prefix, "/bin/sh", "-ec", script],
                stdin=subprocess.DEVNULL,
                env=dict(env),
                cwd=directory or env["HOME"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as expired:
            assert not ends_well, f"{command} did not end"
            return Mended(dict(env), (expired.output or b"").decode())
        assert done.returncode == 0 or not ends_well, f"{command}: {done.stdout}"
        return Mended(self._environment() if done.returncode == 0 else dict(env), done.stdout)

    def __call__(self, told: str, env: Mapping[str, str], **how: Any) -> Mended:
        """Do what `carry_out` does."""
        return self.carry_out(told, env, **how)

    def _type(
        self,
        types: str | Sequence[tuple[str, str]],
        command: list[str],
        env: Mapping[str, str],
        until: Callable[[], object],
    ) -> Mended:
        with Terminal(command, env) as terminal:
            for question, answer in [("", types)] if isinstance(types, str) else types:
                terminal.expect(question)
                terminal.type(answer)
            terminal.expect(_DONE)
            until()
            terminal.type("\n")
            assert terminal.finish() == 0, terminal.shown
        return Mended(self._environment(), terminal.shown)

    def _environment(self) -> dict[str, str]:
        fields = self._file.read_text().split("\0")[:-1]
        return {name: value for name, _, value in (field.partition("=") for field in fields)}


class Mending(Shell):
    """Carries out remedies for one test, and keeps an account of which they were.

    Args:
        directory: For what passes between the shell and the test.
        entries: What the catalogue says this test carries out.
    """

    def __init__(self, directory: Path, entries: list[Entry]) -> None:
        super().__init__(directory)
        self._entries = entries
        self._applied: set[Entry] = set()

    def __call__(self, told: str, env: Mapping[str, str], **how: Any) -> Mended:
        """Do what `carry_out` does, with a remedy for which the catalogue names this test."""
        known = [entry for entry in self._entries if is_told(entry.remedy.text, told)]
        assert known, f"the catalogue does not name this test for the remedy: {told}"
        self._applied.update(known)
        return self.carry_out(told, env, **how)

    def assert_complete(self) -> None:
        """Check that all remedies were carried out for which the catalogue names this test."""
        left = [entry.remedy for entry in self._entries if entry not in self._applied]
        assert not left, f"the catalogue says that this test carries these out: {left}"
