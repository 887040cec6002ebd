"""Editing JSON in its text: what is meant changes, and every other byte stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers.clients import json_text
from credhelpers.clients.docker_config_edit import hand_over, set_helpers
from credhelpers.credential import CredentialError

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.text(max_size=5), _VALUES, max_size=5)
_INDENTS = st.sampled_from([None, 2, 4, "\t"])
_KEYS = st.lists(st.text(max_size=5), min_size=1, max_size=3).map(tuple)


def _dump(value: object, indent: int | str | None, *, ascii_only: bool = False) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=ascii_only)


def _set(content: dict[str, object], keys: tuple[str, ...], value: object) -> None:
    for key in keys[:-1]:
        inner = content.get(key)
        if not isinstance(inner, dict):
            inner = content[key] = {}
        content = inner
    content[keys[-1]] = value


@given(_OBJECTS, _INDENTS, st.booleans(), _KEYS, _VALUES)
def test_putting_changes_one_member(
    content: dict[str, object],
    indent: int | str | None,
    ascii_only: bool,
    keys: tuple[str, ...],
    value: object,
) -> None:
    text = json_text.put(_dump(content, indent, ascii_only=ascii_only), keys, value)

    _set(content, keys, value)
    assert json.loads(text) == content
    assert list(json.loads(text)) == list(content)


@given(_OBJECTS, _INDENTS, st.text(max_size=5), _VALUES)
def test_remove_undoes_put(
    content: dict[str, object], indent: int | str | None, key: str, value: object
) -> None:
    content.pop(key, None)
    before = _dump(content, indent)

    assert json_text.remove(json_text.put(before, (key,), value), (key,)) == before


@given(_OBJECTS, _INDENTS, st.text(max_size=5), st.text(max_size=5))
def test_a_new_member_fits_the_layout(
    content: dict[str, object], indent: int | str | None, key: str, value: str
) -> None:
    content.pop(key, None)
    if content:
        assert json_text.put(_dump(content, indent), (key,), value) == _dump({**content, key: value}, indent)


@given(_OBJECTS, st.sets(st.sampled_from(["a", "b", "c", ""])), _INDENTS)
def test_strip_takes_only_unwanted_members(
    content: dict[str, object], names: set[str], indent: int | str | None
) -> None:
    entries: dict[str, dict[str, object]] = {
        "a": {"auth": "x", "n": 1, "Auth": 2},
        "b": {"auth": {"auth": 1}},
        "c": {"n": []},
    }
    content["auths"] = {**entries, "": 1}

    text = json_text.strip_each(_dump(content, indent), "auths", names, lambda name: name.lower() == "auth")

    left = {
        name: {key: value for key, value in entry.items() if name not in names or key.lower() != "auth"}
        for name, entry in entries.items()
    }
    assert json.loads(text) == {**content, "auths": {**left, "": 1}}


@given(_OBJECTS, _INDENTS, st.text(max_size=5), _VALUES)
def test_put_text_undoes_put(
    content: dict[str, object], indent: int | str | None, key: str, value: object
) -> None:
    before = _dump({**content, key: value}, indent)
    former = json_text.find(before, key)

    assert former is not None
    assert json_text.put_text(json_text.put(before, (key,), "x"), key, former) == before


@pytest.mark.parametrize("make", ["set_helpers", "hand_over"])
def test_deep_nesting_is_edited_or_refused(make: str) -> None:
    outcomes = set()
    for depth in range(850, 1050):
        deep = '{"a":' * depth + "[]" + "}" * depth
        before = f'{{"auths":{{"r":{{"auth":"YTpi","x":{deep}}}}}}}'
        change = (
            set_helpers("config.json", "pass", {})
            if make == "set_helpers"
            else hand_over("config.json", {"r": None}, [], "pass")
        )
        try:
            after = change(before.encode())
        except CredentialError as refusal:
            outcomes.add(refusal.cause)
        else:
            assert after is not None and deep.encode() in after
            outcomes.add("edited")
    assert outcomes == {"edited", "config.json has objects or lists nested too deeply"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{\n\t"s": "x"\n}'),
        (" { \n } \n", ' {\n\t"s": "x"\n} \n'),
        ('{"a":1}', '{"a":1,"s":"x"}'),
        ('{"a": [1,  2]}', '{"a": [1,  2], "s": "x"}'),
        (
            '{\n  "a" : 1e5 ,\n\n  "b": "\\u003c"\n}\n',
            '{\n  "a" : 1e5 ,\n\n  "b": "\\u003c",\n\n  "s": "x"\n}\n',
        ),
        ('{\r\n    "a": 1\r\n}\r\n', '{\r\n    "a": 1,\r\n    "s": "x"\r\n}\r\n'),
        ('{"s":"y","a": 1}', '{"s":"x","a": 1}'),
    ],
)
def test_the_layout_of_a_hand_written_file_stays(before: str, after: str) -> None:
    assert json_text.put(before, ("s",), "x") == after
