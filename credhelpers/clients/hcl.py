"""HCL as Nomad's agents read it, as far as blocks and strings go; the same for its form in JSON.

Nomad reads its agents' files by HCL 1: no expression is evaluated. Whatever is not a string, a word, a list
or a block, such as the call of a function, is passed over. (hashicorp/hcl v1, README.md)
No message has a value of the file, which may be a secret.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

_TOKEN = re.compile(
    r"""
    (?P<space> [\s,;]+ | \#[^\n]* | //[^\n]* | /\*(?s:.*?)\*/ )
    | << (?P<indented>-?) [ \t]* (?P<mark>[\w.-]+) [ \t]*\r?\n (?P<lines>(?:[^\n]*\n)*?) [ \t]*(?P=mark)\b
    | " (?P<string> (?: [^"\\$\n] | \\. | \$\{ (?: [^"{}] | "(?:[^"\\\n]|\\.)*" | \{[^{}]*\} )* \} | \$ )* ) "
    | (?P<syntax> [{}\[\]=():] )
    | (?P<word> (?: [^\s"{}\[\]=():,;\#/] | /(?![/*]) )+ )
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_DEEPEST = 100


@dataclass(frozen=True)
class Item:
    """A key and its value, or a block.

    Attributes:
        keys: The key; for a block its type and its labels.
        value: A string or a word as text, a list of values, the items of a block, or None for what was
            passed over.
    """

    keys: tuple[str, ...]
    value: object


Body = list[Item]


def parse(text: str) -> Body:
    """Return the items of a file.

    Raises:
        ValueError: It is neither HCL nor JSON; the message says where.
    """
    if text.lstrip().startswith("{"):
        try:
            return _body_of(json.loads(text))
        except RecursionError:
            raise ValueError("objects or lists are nested too deeply") from None
    return _Parser(text).file()


def values(body: object, *path: str) -> Iterator[object]:
    """Yield the values at a path of keys and labels, wherever a block of that type is repeated."""
    if isinstance(body, list) and body and not isinstance(body[0], Item):
        for entry in body:  # how JSON repeats a block
            yield from values(entry, *path)
    elif not path:
        yield body
    elif isinstance(body, list):
        for item in body:
            if item.keys[: len(path)] == path:
                rest = item.keys[len(path) :]
                yield from values([Item(rest, item.value)] if rest else item.value)
            elif path[: len(item.keys)] == item.keys:
                yield from values(item.value, *path[len(item.keys) :])


def last_text(body: object, *path: str) -> str:
    """Return the last text at a path; empty when there is none."""
    return next((value for value in reversed(list(values(body, *path))) if isinstance(value, str)), "")


def _body_of(value: object) -> Body:
    return (
        [Item((key,), _from_json(entry)) for key, entry in value.items()] if isinstance(value, dict) else []
    )


def _from_json(value: object) -> object:
    if isinstance(value, dict):
        return _body_of(value)
    if isinstance(value, list):
        return [_from_json(entry) for entry in value]
    return json.dumps(value) if isinstance(value, bool | int | float) else value


class _Parser:
    """A file, and the token that comes next: its kind, and its text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = 0
        self._depth = 0
        self._next()

    def file(self) -> Body:
        body = self._body()
        if self._kind:
            self._complain("a key or the end of the file is missing")
        return body

    def _next(self) -> None:
        while True:
            self._start = self._end
            if self._start == len(self._text):
                self._kind, self._token = "", ""
                return
            match = _TOKEN.match(self._text, self._start)
            if match is None:
                self._complain("this is not HCL")
            self._end = match.end()
            self._kind = "heredoc" if match["mark"] else match.lastgroup or ""
            self._token = match["lines"] if match["mark"] else match[self._kind]
            if self._kind != "space":
                return

    def _complain(self, what: str) -> NoReturn:
        raise ValueError(f"line {self._text.count(chr(10), 0, self._start) + 1}: {what}")

    def _is(self, mark: str) -> bool:
        return self._kind == "syntax" and self._token == mark

    def _body(self) -> Body:
        items = []
        while self._kind in ("word", "string"):
            keys = []
            while self._kind in ("word", "string"):
                keys.append(self._text_of_token())
                self._next()
            if self._is("=") or self._is(":"):
                self._next()
            elif not self._is("{"):
                self._complain(f"a value or a block is missing behind {keys[-1]}")
            items.append(Item(tuple(keys), self._value()))
        return items

    def _text_of_token(self) -> str:
        return _unescaped(self._token) if self._kind == "string" else self._token

    def _value(self) -> object:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._complain("blocks are nested too deeply")
        try:
            if self._is("{"):
                self._next()
                value: object = self._body()
                self._close("}")
                return value
            if self._is("["):
                self._next()
                entries = []
                while not self._is("]") and self._kind:
                    entries.append(self._value())
                self._close("]")
                return entries
            return self._scalar()
        finally:
            self._depth -= 1

    def _scalar(self) -> object:
        if self._kind not in ("word", "string", "heredoc"):
            self._complain("a value is missing")
        value, is_word = self._text_of_token(), self._kind == "word"
        self._next()
        if not (is_word and self._is("(")):
            return value
        depth = 0
        while self._kind:
            depth += self._is("(") - self._is(")")
            self._next()
            if not depth:
                return None
        return self._complain("a bracket is not closed")

    def _close(self, mark: str) -> None:
        if not self._is(mark):
            self._complain(f"{mark} is missing")
        self._next()


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(
        lambda found: chr(int(found[1][1:], 16)) if len(found[1]) > 1 else _ESCAPES.get(found[1], found[1]),
        text,
    )
