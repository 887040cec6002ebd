"""A story: files to write, commands to run, and what these are expected to print."""

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path

_EXIT = re.compile(r"exit (\d+)")


@dataclass
class Step:
    """A file to write, or a command to run.

    Attributes:
        line: The number of its first line.
        path: The file, relative to the home; empty for a command.
        command: The command for sh; empty for a file.
        lines: The file's content, or what the command prints.
        code: The exit status of the command.
    """

    line: int
    path: str = ""
    command: str = ""
    lines: list[str] = field(default_factory=list)
    code: int = 0

    def accept(self, output: str, code: int) -> None:
        """Take an output and exit status for the expected ones."""
        self.lines, self.code = [line for line in output.splitlines() if line], code

    def __str__(self) -> str:
        head = f"> {self.path}" if self.path else f"$ {self.command}"
        return "\n".join([head, *self.lines, *([f"exit {self.code}"] if self.code else [])])


def read(path: Path) -> list[Step]:
    """Return the steps of a story.

    Raises:
        ValueError: A line belongs to no step, or the first line does not say what the story is.
    """
    title, *rest = path.read_text().splitlines()
    if not title.startswith("# "):
        raise ValueError(f"{path}: the first line is not a comment that says what the story is")
    steps: list[Step] = []
    current: Step | None = None
    for number, line in enumerate(rest, 2):
        if line.startswith(("$ ", "> ")):
            is_file = line.startswith(">")
            current = Step(number, path=line[2:]) if is_file else Step(number, command=line[2:])
            steps.append(current)
        elif not line:
            current = None
        elif current is None:
            raise ValueError(f"{path}, line {number}: no '$ command' or '> file' stands before it")
        elif current.command and (status := _EXIT.fullmatch(line)):
            current.code = int(status[1])
        else:
            current.lines.append(line)
    return steps


def write(path: Path, steps: list[Step]) -> None:
    """Write a story with its title; an empty line stands before each file, and behind the last."""
    title = path.read_text().partition("\n")[0]
    text, in_files = title + "\n", True
    for step in steps:
        text += ("\n" if step.path or in_files else "") + f"{step}\n"
        in_files = bool(step.path)
    path.write_text(text)


def difference(step: Step, output: str, code: int) -> str:
    """Return how the output and exit status differ from what the step expects; empty when they do not."""
    lines = [line for line in output.splitlines() if line]
    if code == step.code and _matches(step.lines, lines):
        return ""
    expected = [*step.lines, f"exit {step.code}"]
    shown = [*lines, f"exit {code}"]
    changes = difflib.unified_diff(expected, shown, "expected", "printed", lineterm="", n=100)
    return "\n".join([f"line {step.line}: $ {step.command}", *changes])


def _matches(expected: list[str], lines: list[str]) -> bool:
    """Return whether lines are the expected ones; `...` stands for any lines, or for any part of one."""
    pattern = "".join(
        "(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None
