"""Changing one member of a JSON object in its text, so that every other byte of the file stays as it is."""

import json
import re
from collections.abc import Callable, Container

from credhelpers.clients.go_json import characters

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_ATOM = re.compile(_STRING + r"|[^\s,\]}]+")
_TOKEN = re.compile(_STRING + r"|[\[{\]}]")
_DEEPER, _HIGHER = ("{", "["), ("}", "]")


def put(text: str, keys: tuple[str, ...], value: object) -> str:
    """Return the text with a member set; a new one comes last, indented as its neighbours are.

    Args:
        text: A valid JSON object.
        keys: The names that lead to the member, outermost first; missing objects on the way are made.
        value: What it is to be.
    """
    return _put(text, _start(text), keys, value, _Layout(text), depth=1)


def remove(text: str, keys: tuple[str, ...]) -> str:
    """Return the text without a member; the text itself when there is no such member."""
    return _remove(text, _start(text), keys)


def find(text: str, key: str) -> str | None:
    """Return the text of a member's value; None when there is no such member."""
    return next((text[m.value : m.end] for m in _members(text, _start(text)) if m.name == key), None)


def put_text(text: str, key: str, value: str) -> str:
    """Return the text with a member set to a value that is given as text."""
    for member in _members(text, _start(text)):
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
        is_unwanted: Picks the members of these by their names.
    """
    pieces, done = [], 0
    for table in _members(text, _start(text)):
        if table.name == key and text[table.value] == "{":
            for member in _members(text, table.value):
                if member.name in names and text[member.value] == "{":
                    pieces += [
                        text[done : member.value],
                        _strip(text[member.value : member.end], is_unwanted),
                    ]
                    done = member.end
    return "".join([*pieces, text[done:]])


class _Layout:
    """How a file is laid out: what stands before a member, its depth apart, and behind a colon."""

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


class _Member:
    """Where a member stands: from its name to the end of its value, and where the value begins."""

    def __init__(self, name: str, start: int, value: int, end: int) -> None:
        self.name = name
        self.start = start
        self.value = value
        self.end = end


def _put(text: str, start: int, keys: tuple[str, ...], value: object, layout: _Layout, depth: int) -> str:
    members = _members(text, start)
    for member in members:
        if member.name == keys[0]:
            if keys[1:] and text[member.value] == "{":
                return _put(text, member.value, keys[1:], value, layout, depth + 1)
            rendered = layout.render(_nested(keys[1:], value), depth)
            return text[: member.value] + rendered + text[member.end :]
    member_text = json.dumps(keys[0], ensure_ascii=False) + layout.colon
    member_text += layout.render(_nested(keys[1:], value), depth)
    if members:
        between = "," + (_gap(text, members) or layout.before(depth))
        if between == "," and layout.comma == ", ":
            between = ", "
        return text[: members[-1].end] + between + member_text + text[members[-1].end :]
    end = _skip(text, start + 1)
    return text[: start + 1] + layout.before(depth) + member_text + layout.before(depth - 1) + text[end:]


def _gap(text: str, members: list[_Member]) -> str:
    """Return the white space before the last member, which a new one behind it gets too."""
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
            return _remove(text, member.value, keys[1:]) if text[member.value] == "{" else text
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
    """Return the members of the object that begins at a place; their names as `go_json.load` has them."""
    members = []
    place = _skip(text, start + 1)
    while text[place] != "}":
        end = _end_of(text, place)
        name = characters(json.loads(text[place:end]))
        value = _skip(text, _skip(text, end) + 1)
        end = _end_of(text, value)
        members.append(_Member(name, place, value, end))
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return members


def _end_of(text: str, place: int) -> int:
    """Return where a value ends; without recursion, however deep it is."""
    if text[place] not in _DEEPER:
        atom = _ATOM.match(text, place)
        return atom.end() if atom else place
    depth = 0
    for token in _TOKEN.finditer(text, place):
        depth += 1 if token[0] in _DEEPER else -1 if token[0] in _HIGHER else 0
        if not depth:
            return token.end()
    raise AssertionError  # the text is valid JSON


def _nested(keys: tuple[str, ...], value: object) -> object:
    for key in reversed(keys):
        value = {key: value}
    return value


def _start(text: str) -> int:
    return _skip(text, 0)


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place
