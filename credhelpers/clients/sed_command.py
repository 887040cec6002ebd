"""The command that changes one text in a configuration file, for a remedy to paste."""

import os
import re
from shlex import quote

from credhelpers import permissions

_SPECIAL = re.compile(r"([\\.\[\]*^$|&])")


def replace(path: str, old: str, new: str) -> str:
    """Return the command that replaces a text wherever it stands in a file.

    Args:
        path: The file.
        old: The text, in one line.
        new: What takes its place.
    """
    return substitute(path, escaped(old), re.sub(r"([\\|&])", r"\\\1", new))


def escaped(text: str) -> str:
    """Return a basic regular expression of sed that matches just a text."""
    return _SPECIAL.sub(r"\\\1", text)


def substitute(path: str, pattern: str, new: str) -> str:
    """Return the command that replaces what a basic regular expression of sed matches; neither has a bar."""
    real = os.path.realpath(path)
    return permissions.for_owner(f"sed -i {quote(f's|{pattern}|{new}|g')} {quote(real)}", real)


def drop_element(path: str, text: str) -> str:
    """Return the command that takes a text out of a list of a JSON file, with its comma."""
    return _drop(path, f'"{_SPECIAL.sub(_in_brackets, text)}"')


def drop_member(path: str, key: str) -> str:
    """Return the command that takes a key and its value, a table of tables at most, out of a JSON file."""
    value = r'("[^"]*"|\[[^]]*\]|\{([^{}]|\{[^{}]*\})*\}|[a-z0-9.]+)'
    return _drop(path, rf'"{key}"[[:space:]]*:[[:space:]]*{value}')


def _drop(path: str, pattern: str) -> str:
    real, blank = os.path.realpath(path), "[[:space:]]*"
    script = f"s#{blank}{pattern}{blank},##;t;s#,?{blank}{pattern}##"
    return permissions.for_owner(f"sed -i -zE {quote(script)} {quote(real)}", real)


def _in_brackets(match: re.Match[str]) -> str:
    return "[.]" if match[1] == "." else "\\" + match[1]
