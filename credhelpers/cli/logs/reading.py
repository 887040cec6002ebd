"""Reading the helpers' logs: their records, in the order of time, and new ones as they are written."""

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

_SUFFIX = ".log"
_ROTATED = (".3", ".2", ".1", "")  # oldest first
_FIELD = re.compile(r'([^\s=]+)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_NAMED = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True)
class Record:
    """One line of a log.

    Attributes:
        time: As in the log, UTC; for a line without a time that of the record before.
        level: ``debug``, ``info``, ``warning``, ``error`` or another program's word.
        helper: The helper whose log it is in.
        message: What happened; the whole line when its format is unknown.
        fields: What it happened to.
    """

    time: str
    level: str
    helper: str
    message: str
    fields: dict[str, str]


def parse(helper: str, line: str, last_time: str = "") -> Record:
    """Read one line.

    Args:
        helper: The helper whose log it is in.
        line: The line, without its end.
        last_time: The time of the record before.
    """
    fields = {name: _unquote(value) for name, value in _FIELD.findall(line)}
    if not line.startswith("time=") or "msg" not in fields:
        return Record(last_time, "", helper, line, {})
    time, level, message = (fields.pop(name, "") for name in ("time", "level", "msg"))
    return Record(time, level, helper, message, fields)


class Logs:
    """The logs in a directory, with the rotated ones; each line is returned once.

    Args:
        directory: Where they are.
        helper: The only helper whose log is read; None for all.
    """

    def __init__(self, directory: str, helper: str | None) -> None:
        self._directory = directory
        self._helper = helper
        self._files: dict[tuple[int, int], _File] = {}  # by device and inode: names change

    def helpers(self) -> list[str]:
        """Return the names of the helpers that have a log."""
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            return []
        return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))

    def new_records(self) -> list[Record]:
        """Return the records that are new since the last call, by time; at first all.

        Raises:
            OSError: A log cannot be read.
        """
        present: dict[tuple[int, int], _File] = {}
        for helper in self.helpers():
            if self._helper in (None, helper):
                for suffix in _ROTATED:
                    self._find(helper, suffix, present)
        gone = [file for key, file in self._files.items() if key not in present]
        self._files = present
        records = [record for file in (*gone, *present.values()) for record in file.new_records()]
        for file in gone:
            file.close()
        return sorted(records, key=lambda record: record.time)  # stable, so each log keeps its order

    def _find(self, helper: str, suffix: str, present: "dict[tuple[int, int], _File]") -> None:
        """Add a log to those that are present, unless it was rotated meanwhile and is there already."""
        try:
            content = open(os.path.join(self._directory, helper + _SUFFIX + suffix), "rb", buffering=0)  # noqa: SIM115  kept open
        except FileNotFoundError:
            return
        status = os.fstat(content.fileno())
        key = (status.st_dev, status.st_ino)
        if key in present or key in self._files:
            content.close()
            present.setdefault(key, self._files.get(key) or present[key])
        else:
            present[key] = _File(helper, content)


class _File:
    """One log, kept open, so that its inode is not reused, and its end can be read after it is deleted."""

    def __init__(self, helper: str, content: io.FileIO) -> None:
        self._helper = helper
        self._content = content
        self._end = 0
        self._time = ""

    def new_records(self) -> Iterator[Record]:
        """Yield the lines that are new since the last call."""
        size = os.fstat(self._content.fileno()).st_size
        if size < self._end:
            self._end = 0  # it was emptied
        content = os.pread(self._content.fileno(), size - self._end, self._end)
        whole = content[: content.rfind(b"\n") + 1]
        self._end += len(whole)
        for line in whole.decode(errors="replace").split("\n")[:-1]:
            record = parse(self._helper, line, self._time)
            self._time = record.time
            yield record

    def close(self) -> None:
        """Close the file."""
        self._content.close()


def _unquote(value: str) -> str:
    return _ESCAPE.sub(_unescape, value[1:-1]) if value.startswith('"') and len(value) > 1 else value


def _unescape(escape: re.Match[str]) -> str:
    text = escape[1]
    if len(text) == 1:
        return _NAMED.get(text, text)
    try:
        return chr(int(text[1:], 16))
    except (ValueError, OverflowError):
        return escape[0]
