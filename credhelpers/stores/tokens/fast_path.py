"""What the fast path in plain sh answers from: for each host an answer, and what must hold for it to be true.

A helper's script (packaging/*-fast-path.sh) says how it is used. It asks for this by
``CREDHELPERS_FAST_PATH``; an installation without a fast path has no such files. What a shell cannot compare
letter by letter is left to Python.
"""

import os

from credhelpers import files
from credhelpers.stores.tokens.cache import CLOCK_SLACK, FAST_PATH, PLAIN, stored_name
from credhelpers.stores.tokens.storage import LARGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from credhelpers.stores.tokens.cache import Conditions, Entry

    Comparison = Callable[[str], str | None]

_FORMAT = "credhelpers fast path 1"
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-"
_LONGEST_SECRET = 128
_REGULAR = "8180 "  # a regular file with mode 0600, as stat prints it


def leave(shared: "Entry", host: str, conditions: "Conditions | None", now: float) -> None:
    """Leave a token for the fast path, which answers with it in the first half of the token's life.

    Args:
        shared: The token's entry.
        host: The host that it is for.
        conditions: The variables as `selection` returns them, and each file that counts with the
            `files.facts` that it had when it was read; None when a shell cannot compare them, and then
            nothing is left.
        now: Seconds since the epoch.
    """
    storage = shared.storage
    token_facts = files.facts(storage.path(shared.name))  # before it is read: never a later one's
    token = shared.load(now)
    if conditions is None or token is None or not PLAIN.issuperset(host + token.username + token.password):
        return
    variables, seen = conditions
    answer = f'{{"ServerURL":"{host}","Username":"{token.username}","Secret":"{token.password}"}}\n'
    fast_path, answer_path = (storage.path(start + host) for start in FAST_PATH)
    try:
        _write(answer_path, answer)
        answer_facts = files.facts(answer_path)
        if files.read_private(answer_path, LARGEST) != answer.encode():
            return  # another identity's, by now
        seen = {
            storage.path(shared.name): token_facts,
            answer_path: answer_facts,
            storage.path(stored_name(host)): "",
            **seen,
        }
        if not all(map(PLAIN.issuperset, seen)) or "unreadable" in seen.values():
            return
        times = f"{token.issued - CLOCK_SLACK} {token.renew_at}"
        facts = [f"{facts} {path}" for path, facts in seen.items() if facts]
        _write(fast_path, "\n".join([_FORMAT, variables, times, " ".join(seen), *facts, "end", ""]))
    except OSError:
        return  # then Python goes on answering


def selection(environ: "Mapping[str, str]", variables: "Mapping[str, Comparison]") -> str | None:
    """Return the variables that are set, with their values, each with a space before it.

    Args:
        environ: The environment as the shell sees it.
        variables: Every variable that must stay as it is, and what a shell compares of its value: one of
            the functions below, which return None for a value that is left to Python.

    Returns:
        None where a shell must not compare them.
    """
    text = ""
    for name, comparison in variables.items():
        value = environ.get(name)
        if value is None:
            continue
        compared = comparison(value) if PLAIN.issuperset(value) else None
        if compared is None:
            return None
        text += f" {name}={compared}"
    return text


def as_it_is(value: str) -> str:
    """Compare the value itself."""
    return value


def absolute_path(value: str) -> str | None:
    """Compare a path, unless it means something else in another directory."""
    return value if value.startswith("/") else None


def address(value: str) -> str | None:
    """Compare an address, unless there may be a password in it."""
    return None if "@" in value else value


def never(_: str) -> None:
    """Leave a secret to Python."""


def fingerprint(secret: str) -> str | None:
    """Compare two numbers that tell one plain secret from another, by arithmetic that a shell can do.

    They say far less of it than it is long: 62 bits, and only of a secret of at most 128 characters.
    """
    if len(secret) > _LONGEST_SECRET:
        return None
    first = second = 0
    for character in secret:
        number = _ALPHABET.index(character) + 1
        first = (first * 131 + number) % 2147483647
        second = (second * 8191 + number) % 2147483629
    return f"#{first}-{second}"


def _write(path: str, text: str) -> None:
    """Write a private file, unless it has just this content."""
    files.trust_directory(os.path.dirname(path))
    try:
        if files.facts(path).startswith(_REGULAR) and files.read_private(path, LARGEST) == text.encode():
            return
    except OSError:
        pass  # it is replaced
    files.replace(path, text.encode())
