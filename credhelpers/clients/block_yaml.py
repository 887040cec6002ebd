"""The plain part of YAML, in which kubelet's configurations are written: blocks of keys and lists of scalars.

Anchors, tags, block scalars and objects in braces are refused, so that nothing is read wrongly. (A library
for the whole of YAML would be larger than all that reads it here.)
"""

import json
import re

_COMMENT = re.compile(r"(^|\s)#.*$")
_REFUSED = ("&", "*", "!", "|", ">", "{", "%", "@", "`")
_KEY = re.compile(r"(\"[^\"]*\"|'[^']*'|[\w./-]+)\s*:(?:\s+(.*))?$")

_Line = tuple[int, str]


def parse(text: str) -> object:
    """Return what a text has: dictionaries, lists and texts.

    Raises:
        ValueError: It is neither JSON nor in the plain part of YAML.
    """
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None
    lines = []
    for line in text.splitlines():
        if line.strip() and "\t" in line[: len(line) - len(line.lstrip())]:
            raise ValueError("a line is indented by a tab")
        content = line if "'" in line or '"' in line else _COMMENT.sub("", line)
        if content.strip() and not content.lstrip().startswith("#") and content.strip() not in ("---", "..."):
            lines.append((len(content) - len(content.lstrip(" ")), content.strip()))
    if not lines:
        return None
    try:
        value = _node(lines)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if lines:
        raise ValueError("the lines are not indented as YAML needs it")
    return value


def _node(lines: list[_Line]) -> object:
    """Take the lines of one block off the list, and return its value."""
    indent, text = lines[0]
    return _list(lines, indent) if _is_entry(text) else _table(lines, indent)


def _list(lines: list[_Line], indent: int) -> list[object]:
    found: list[object] = []
    while lines and lines[0][0] == indent and _is_entry(lines[0][1]):
        text = lines.pop(0)[1]
        rest = text[1:].lstrip()
        if _KEY.match(rest) or _is_entry(rest):
            lines.insert(0, (indent + len(text) - len(rest), rest))
            found.append(_node(lines))
        elif rest:
            found.append(_scalar(rest))
        else:
            found.append(_node(lines) if lines and lines[0][0] > indent else None)
    return found


def _table(lines: list[_Line], indent: int) -> dict[str, object]:
    found: dict[str, object] = {}
    while lines and lines[0][0] == indent and not _is_entry(lines[0][1]):
        match = _KEY.match(lines.pop(0)[1])
        if match is None:
            raise ValueError("a line has neither a key nor an entry")
        key, value = match[1].strip("\"'"), match[2]
        below = lines[0] if lines else (-1, "")
        if value:
            found[key] = _scalar(value)
        elif below[0] > indent or (below[0] == indent and _is_entry(below[1])):
            found[key] = _node(lines)
        else:
            found[key] = None
    return found


def _is_entry(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _scalar(text: str) -> object:
    if text[0] in "\"'":
        quote = text[0]
        end = text.find(quote, 1)
        if end < 0 or "\\" in text or _COMMENT.sub("", text[end + 1 :]).strip():
            raise ValueError("a text in quotes is not plain")
        return text[1:end]
    if text[0] == "[":
        if not text.endswith("]"):
            raise ValueError("a list in brackets does not end on its line")
        return [_scalar(entry.strip()) for entry in text[1:-1].split(",") if entry.strip()]
    if text.startswith(_REFUSED):
        raise ValueError(f"a value begins with {text[0]}, which needs more of YAML than is read here")
    return text
