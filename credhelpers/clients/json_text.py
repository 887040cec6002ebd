"""Changing one member of a JSON object in its text, so that every other byte of the file stays as it is."""

import json
import re
from collections.abc import Callable, Container
from typing import NamedTuple

from credhelpers.clients.go_json import characters

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class _Member(NamedTuple):
    """A member: its name, where that and the value begin, and where the value ends."""

    name: str
    start: int
    value: int
    end: int


def put(text: str, keys: tuple[str, ...], value: object) -> str:
    """Return the text with a member set; a new one comes last, indented as its neighbours are.

    Args:
        text: A valid JSON object.
        keys: The names on the way to the member, outermost first; missing objects are made.
        value: Its new value.
    """
    return _put(text, _skip(text, 0), keys, value, _Layout(text), depth=1)


def remove(text: str, keys: tuple[str, ...]) -> str:
    """Return the text without a member; unchanged when there is no such member."""
    return _remove(text, _skip(text, 0), keys)


def find(text: str, key: str) -> str | None:
    """Return the text of a member's value; None when there is no such member."""
    return next((text[m.value : m.end] for m in _members(text, _skip(text, 0)) if m.name == key), None)


def put_text(text: str, key: str, value: str) -> str:
    """Return the text with a member set to a value that is JSON text itself."""
    for member in _members(text, _skip(text, 0)):
        if member.name == key:
            return text[: member.value] + value + text[member.end :]
    return put_text(put(text, (key,), None), key, value)


def strip_each(text: str, key: str, names: Container[str], is_unwanted: Callable[[str], bool]) -> str:
    """Return the text without some members of some objects in one of its tables.

    One pass however many they are: the table may have tens of thousands.

    Args:
        text: A valid JSON object.
        key: The table.
        names: The objects in it.
        is_unwanted: Returns whether to remove a member, by its name.
    """
    pieces, done = [], 0
    for table in _members(text, _skip(text, 0)):
        for member in _members(text, table.value) if table.name == key else ():
            if member.name in names:
                pieces += [text[done : member.value], _strip(text[member.value : member.end], is_unwanted)]
                done = member.end
    return "".join([*pieces, text[done:]])


class _Layout:
    """How a file is laid out: line ends, indentation, and the space after a colon or a comma."""

    def __init__(self, text: str) -> None:
        indented = re.match(r"[ \t\r\n]*\{[ \t]*(\r?\n)([ \t]+)\"", text)
        empty = re.match(r"[ \t\r\n]*\{[ \t\r\n]*\}", text) is not None
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.indent = indented[2] if indented else "\t" if empty else ""
        compact = not self.indent and '": ' not in text
        self.colon = ":" if compact else ": "
        self.comma = "," if compact else ", "

    def before(self, depth: int) -> str:
        return self.newline + self.indent * depth if self.indent else ""

    def render(self, value: object, depth: int) -> str:
        separators = ("," if self.indent else self.comma, self.colon)
        text = json.dumps(value, ensure_ascii=False, indent=self.indent or None, separators=separators)
        return text.replace("\n", self.before(depth)) if self.indent else text


def _put(text: str, start: int, keys: tuple[str, ...], value: object, layout: _Layout, depth: int) -> str:
    key, *inner = keys
    members = _members(text, start)
    found = next((member for member in members if member.name == key), None)
    if found and inner and text[found.value] == "{":
        return _put(text, found.value, tuple(inner), value, layout, depth + 1)
    for name in reversed(inner):
        value = {name: value}
    rendered = layout.render(value, depth)
    if found:
        return text[: found.value] + rendered + text[found.end :]
    new = json.dumps(key, ensure_ascii=False) + layout.colon + rendered
    if members:
        space = _gap(text, members) or layout.before(depth) or layout.comma[1:]
        return text[: members[-1].end] + "," + space + new + text[members[-1].end :]
    end = _skip(text, start + 1)
    return text[: start + 1] + layout.before(depth) + new + layout.before(depth - 1) + text[end:]


def _gap(text: str, members: list[_Member]) -> str:
    """Return the white space before the last member, to put it before a new one too."""
    before = members[-1].start
    start = before
    while text[start - 1] in " \t\r\n":
        start -= 1
    return text[start:before] if len(members) > 1 or "\n" in text[start:before] else ""


def _remove(text: str, start: int, keys: tuple[str, ...]) -> str:
    members = _members(text, start)
    for index, member in enumerate(members):
        if member.name != keys[0]:
            continue
        if keys[1:]:
            return _remove(text, member.value, keys[1:])
        if len(members) == 1:
            return text[: start + 1] + text[_skip(text, member.end) :]
        if index + 1 < len(members):
            return text[: member.start] + text[members[index + 1].start :]
        return text[: members[index - 1].end] + text[member.end :]
    return text


def _strip(text: str, is_unwanted: Callable[[str], bool]) -> str:
    for member in _members(text, 0):
        if is_unwanted(member.name):
            text = remove(text, (member.name,))
    return text


def _members(text: str, start: int) -> list[_Member]:
    """Return the members of the object that begins at a place; none when it is not an object.

    Their names are as `go_json.load` has them.
    """
    members: list[_Member] = []
    if text[start] != "{":
        return members
    place = _skip(text, start + 1)
    while text[place] != "}":
        name, end = _DECODER.raw_decode(text, place)
        value = _skip(text, _skip(text, end) + 1)
        _, end = _DECODER.raw_decode(text, value)
        members.append(_Member(characters(name), place, value, end))
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return members


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place
