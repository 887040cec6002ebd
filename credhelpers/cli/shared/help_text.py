"""How ``--help`` is laid out: by words, with no option, path or command in two halves."""

from collections.abc import Iterable

import click

from credhelpers.cli.shared.wrapping import wrap

_VERBATIM = "\b"  # click's mark for a paragraph whose line ends stay
_GAP = 2  # columns between an option and its text
_WIDEST_TERM = 30  # a text beside a longer option begins below it


class HelpText(click.HelpFormatter):
    """Lays out the help; in a paragraph whose line ends stay, only indented lines stay as they are."""

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        indent = " " * self.current_indent
        for number, paragraph in enumerate(text.split("\n\n")):
            if number:
                self.write("\n")
            for line in _joined(paragraph):
                if line.startswith(" "):
                    self.write(f"{indent}{line}\n")
                else:
                    self.write(wrap(line, self.width, self.current_indent, first=indent) + "\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = _WIDEST_TERM, col_spacing: int = _GAP
    ) -> None:
        """Write terms with their texts beside them."""
        indent = " " * self.current_indent
        rows = list(rows)
        column = min(max(len(term) for term, _ in rows), col_max) + col_spacing + self.current_indent
        for term, text in rows:
            first = f"{indent}{term}".ljust(column)
            if len(term) > col_max:
                self.write(f"{indent}{term}\n")
                first = " " * column
            self.write(wrap(text, self.width, column, first=first).rstrip() + "\n")


def _joined(paragraph: str) -> list[str]:
    """Return the lines of a paragraph: one for all that are not indented, where line ends do not count."""
    lines = paragraph.strip("\n").split("\n")
    if lines[0].strip() != _VERBATIM:
        return [" ".join(paragraph.split())]
    joined: list[str] = []
    for line in lines[1:]:
        if line.startswith(" ") or not joined or joined[-1].startswith(" "):
            joined.append(line)
        else:
            joined[-1] += f" {line}"
    return joined
