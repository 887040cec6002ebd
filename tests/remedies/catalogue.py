"""The catalogue of all remedies: by which test each is carried out, or why nobody could."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.remedies.collect import Remedy
from tests.remedies.rule import commands, is_shell, mentions_command
from tests.remedies.source import ROOT

FILE = Path(__file__).with_name("catalogue.toml")
_KEYS = {"remedy", "test", "prose", "command_elsewhere"}


@dataclass(frozen=True)
class Entry:
    """What the catalogue says of a remedy.

    Attributes:
        remedy: The text, and the file that it stands in.
        tests: The tests that carry it out and see the fault gone; those of a remedy in prose run the command
            in it and see that it shows what is wrong.
        prose: Why no command mends it: it takes a person who knows or decides something, or another machine.
        command_elsewhere: Why the command that is mentioned in the prose is not run.
    """

    remedy: Remedy
    tests: tuple[str, ...] = ()
    prose: str = ""
    command_elsewhere: str = ""

    def faults(self) -> Iterator[str]:
        """Give what is wrong with this entry by itself."""
        if not self.tests and not self.prose:
            yield "neither a test nor the reason why it is prose"
        if self.prose and mentions_command(self.remedy.text) and not (self.tests or self.command_elsewhere):
            yield "prose, but it mentions a command; name a test that runs it, or say command_elsewhere"
        if not self.prose and not commands(self.remedy.text):
            yield "a test, but no command by the rule of remedy_commands.py"
        if not self.prose:
            wrong = [command for command in commands(self.remedy.text) if not is_shell(command)]
            yield from (f"/bin/sh does not take: {command}" for command in wrong)
        yield from (f"there is no test {test}" for test in self.tests if not exists(test))


@cache
def read() -> list[Entry]:
    """Return the entries.

    Raises:
        ValueError: One has a key that means nothing, or two are for the same remedy.
    """
    entries = []
    for path, items in tomllib.loads(FILE.read_text()).items():
        for item in items:
            if not item.keys() <= _KEYS:
                raise ValueError(f"{path}: {item.keys() - _KEYS} mean nothing in the catalogue")
            tests = item.get("test", [])
            tests = (tests,) if isinstance(tests, str) else tuple(tests)
            remedy = Remedy(path, item["remedy"])
            entries.append(Entry(remedy, tests, item.get("prose", ""), item.get("command_elsewhere", "")))
    counts = Counter(entry.remedy for entry in entries)
    twice = [remedy for remedy, count in counts.items() if count > 1]
    if twice:
        raise ValueError(f"the catalogue has twice: {twice}")
    return entries


def entries_of(test: str) -> list[Entry]:
    """Return the entries that name a test."""
    return [entry for entry in read() if test in entry.tests]


def exists(test: str) -> bool:
    """Return whether there is a test of a name, ``file::function``, whatever its parameters."""
    path, _, name = test.partition("::")
    file = ROOT / path
    if not name.startswith("test_") or not file.is_file():
        return False
    return name in _functions(file)


@cache
def _functions(file: Path) -> frozenset[str]:
    return frozenset(
        node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)
    )


def is_told(pattern: str, told: str) -> bool:
    """Return whether a remedy as a user sees it is one of this pattern."""
    return re.fullmatch(".*?".join(map(re.escape, pattern.split("{}"))), told, re.DOTALL) is not None


def as_toml(remedy: Remedy) -> str:
    """Return the beginning of an entry, as a person goes on with it."""
    text = remedy.text.replace("\\", "\\\\").replace('"', '\\"')
    return f'[["{remedy.path}"]]\nremedy = "{text}"\n'
