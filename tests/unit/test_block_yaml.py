"""The plain part of YAML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers.clients.block_yaml import parse

PLAIN = """\
---
# a comment
apiVersion: kubelet.config.k8s.io/v1   # behind a value
kind: "CredentialProviderConfig"
empty:
providers:
- name: 'a # no comment'
  matchImages: ["*.x", y]
  args:
    - get
    -
      nested: 1
- matchImages:
  - "*.dkr.ecr.*.amazonaws.com"
  name: b
"""


def test_a_configuration() -> None:
    assert parse(PLAIN) == {
        "apiVersion": "kubelet.config.k8s.io/v1",
        "kind": "CredentialProviderConfig",
        "empty": None,
        "providers": [
            {"name": "a # no comment", "matchImages": ["*.x", "y"], "args": ["get", {"nested": "1"}]},
            {"matchImages": ["*.dkr.ecr.*.amazonaws.com"], "name": "b"},
        ],
    }


def test_json_is_yaml() -> None:
    assert parse('{"a": [1]}') == {"a": [1]}


def test_nothing() -> None:
    assert parse("# only a comment\n") is None


@pytest.mark.parametrize(
    "text",
    [
        "a: &anchor x",
        "a: *alias",
        "a: !tag x",
        "a: |\n  text",
        "a: {b: c}",
        "a: [b,\n  c]",
        'a: "b',
        'a: "b\\n"',
        "just text",
        "a: 1\n   b: 2",
        "  a: 1\nb: 2",
        "\ta: 1",
        '{"a": ',
        "- " * 3000 + "a",
    ],
)
def test_what_is_not_plain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


@given(st.text(alphabet="ab:- \n'\"#[],{}*", max_size=50))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        pass
