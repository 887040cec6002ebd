r"""JSON as Docker reads it, by Go's encoding/json.

How Docker 28.2.2 read a config.json when it pulled:

- The names of fields match in any case (``Auths``, ``credsstore``, ``IDENTITYTOKEN``), also by the two
  letters that Unicode folds to ASCII ones, long s and the Kelvin sign. Names in a map, such as servers, match
  exactly.
- Of several names for one field the last one counts, whatever its case: ``null`` leaves a text as it is and
  empties a map, and two maps become one. Here that is refused, so that what is edited is what Docker reads.
- An escape of half a surrogate pair, such as ``\ud800``, is U+FFFD.
- A byte order mark, a NUL byte and more than 10,000 levels make Docker ignore the file.
"""

import json
import re
from typing import NoReturn

_HALF_PAIR = re.compile("[\ud800-\udfff]")


class Repeated(ValueError):
    """A name is there twice."""


def load(text: str) -> object:
    """Return the value of a JSON text, in which no object has a name twice.

    Raises:
        Repeated: An object has a name twice.
        ValueError: It is not JSON; the text says why, in one line.
        RecursionError: It is nested deeper than Python reads, which is some 900 levels.
    """
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark, which Docker does not read")
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_table)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None


def characters(text: str) -> str:
    """Return a text with U+FFFD for each half of a surrogate pair."""
    return _HALF_PAIR.sub("\ufffd", text)


def fold(name: str) -> str:
    """Return one spelling for all spellings of a field's name."""
    return name.replace("\u017f", "s").lower()  # which takes the Kelvin sign to k


def spelling(table: dict[str, object], name: str) -> str:
    """Return a field's name as an object spells it; unchanged if the object does not have it.

    Raises:
        Repeated: It is there twice.
    """
    found = [key for key in table if fold(key) == fold(name)]
    if len(found) > 1:
        _refuse_repetition(*found[:2])
    return found[0] if found else name


def fields(table: dict[str, object]) -> dict[str, object]:
    """Return an object by the folded names of its fields.

    Raises:
        Repeated: A field is there twice.
    """
    folded = {fold(name): value for name, value in table.items()}
    if len(folded) != len(table):
        for name in table:
            spelling(table, name)
    return folded


def _table(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = {
        characters(name): characters(value) if isinstance(value, str) else value for name, value in pairs
    }
    if len(table) != len(pairs):
        names = [characters(name) for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _refuse_repetition(twice, twice)
    return table


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_repetition(name: str, other: str) -> NoReturn:
    if name == other:
        raise Repeated(f"the key {json.dumps(name)} is there twice")
    raise Repeated(f"the keys {json.dumps(name)} and {json.dumps(other)} are the same to Docker")
