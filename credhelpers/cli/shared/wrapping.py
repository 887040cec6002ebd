"""Lines for people on a terminal: wrapped between words, with what follows the first line indented.

A name, a path or a URL is never broken, and neither is a command: one that does not fit begins a line of
its own and goes on beyond the terminal's edge. The terminal breaks it there, and gives it back in one line
when it is copied; a line end of ours would be copied too, and the shell would run the first half.
"""

import os
import re
from collections.abc import Iterator
from typing import TextIO

from credhelpers.cli.shared.remedy_commands import command_spans

_NARROWEST = 60  # columns; a narrower terminal breaks the lines itself
_USUAL = 80  # columns of a terminal that does not say how many it has
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_WORD = re.compile(r"(\s*)(\S+)")


def columns(stream: TextIO) -> int | None:
    """Return how wide lines for people may be; None where no person looks, so that nothing is wrapped."""
    if not stream.isatty():
        return None
    named = os.environ.get("COLUMNS", "")
    width = int(named) if named.isascii() and named.isdecimal() else 0
    try:
        width = width or os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        pass  # a terminal without a size
    return max(width or _USUAL, _NARROWEST)


def wrap(text: str, width: int | None, indent: int, *, is_remedy: bool = False, first: str = "") -> str:
    """Return a text in lines that fit.

    Args:
        text: One line; it may have the escape sequences of colours.
        width: Columns of the terminal; None to leave the text as it is.
        indent: Columns before each line but the first.
        is_remedy: Whether the text is a remedy; this decides what is taken for a command.
        first: What stands before the text in its first line.
    """
    if width is None or cells(first + text) <= width:
        return first + text
    lines, line = [], first
    for gap, word in _pieces(text, is_remedy=is_remedy):
        if cells(line + gap + word) > width and cells(line) > indent:
            lines.append(line.rstrip())
            line = " " * indent + word
        else:
            line += gap + word
    return "\n".join([*lines, line])


def cells(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    text = _STYLE.sub("", text)
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _pieces(text: str, *, is_remedy: bool) -> Iterator[tuple[str, str]]:
    """Yield each word or command, with the spaces before it."""
    start = 0
    for begin, end in command_spans(text, is_remedy=is_remedy):
        before = text[start:begin]
        after = _WORD.match(text[end:])
        start = end + after.end() if after and not after[1] else end  # a semicolon is no harm to a command
        yield from _WORD.findall(before)
        yield before[len(before.rstrip()) :], text[begin:start]
    yield from _WORD.findall(text[start:])
