"""A guide as its test reads it: what is typed, what that prints, and the files in between; see README.md."""

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from credhelpers.clients import hcl

_FENCE = re.compile(r"^(?:<!-- ([^\n]*) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"(file|needs|fails|given)(?:: (.+))?")


@dataclass
class Command:
    """One line that is typed.

    Attributes:
        line: What follows the prompt.
        output: The lines that it prints; `…` stands for any lines, or for any part of one.
        fails: Whether its exit status is another one than 0.
    """

    line: str
    output: list[str] = field(default_factory=list)
    fails: bool = False

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in [f"$ {self.line}", *self.output])

    def matches(self, printed: str) -> bool:
        """Return whether this is what the guide shows."""
        pattern = "".join(
            "(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"
            for line in self.output
        )
        return re.fullmatch(pattern, printed) is not None


@dataclass
class Block:
    """A block of a guide.

    Attributes:
        number: The number of its first line.
        language: What follows the fence.
        text: What is between the fences.
        before: The paragraph above it.
        marks: What the comment right above the fence says, such as `{"file": "~/.docker/config.json"}`.
    """

    number: int
    language: str
    text: str
    before: str
    marks: dict[str, str]

    @property
    def needs(self) -> str:
        """What only the reader has, so that the block cannot be run here."""
        return self.marks.get("needs", "")

    def commands(self) -> list[Command]:
        """Return the commands of a console; the last one is the one that `fails`.

        Raises:
            ValueError: A line is printed before anything is typed.
        """
        found: list[Command] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append(Command(line[2:]))
            elif found:
                found[-1].output.append(line)
            else:
                raise ValueError(f"line {self.number}: nothing is typed before {line}")
        if "fails" in self.marks:
            found[-1].fails = True
        return found


def read(page: Path) -> list[Block]:
    """Return the blocks of a page.

    Raises:
        ValueError: A mark is not one that the test knows.
    """
    text = page.read_text()
    blocks = []
    for match in _FENCE.finditer(text):
        marks: dict[str, str] = {}
        for word in (match[1] or "").split("; ") if match[1] else []:
            mark = _MARK.fullmatch(word)
            if not mark:
                raise ValueError(f"{page.name}: unknown mark {word}")
            marks[mark[1]] = mark[2] or ""
        before = text[: match.start()].rstrip().rpartition("\n\n")[2]
        blocks.append(Block(text.count("\n", 0, match.start()) + 1, match[2], match[3], before, marks))
    return blocks


PARSERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "hcl": hcl.parse,
}
"""How a snippet is read, by its language."""
