"""Lines for people: wrapped between words, and no command in two halves."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers.cli.shared.wrapping import cells, columns, wrap

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


def lines(text: str, width: int = 60, *, is_remedy: bool = False, first: str = "") -> list[str]:
    return wrap(text, width, 4, is_remedy=is_remedy, first=first).split("\n")


@given(st.text(alphabet="ab -:;,/.~é語"), st.integers(20, 100), st.integers(0, 10))
def test_words_stay_whole_and_in_order(text: str, width: int, indent: int) -> None:
    wrapped = wrap(text, width, indent)

    assert wrapped.split() == text.split()
    for line in wrapped.split("\n"):
        before = line.rstrip().rpartition(" ")[0]
        assert cells(line.rstrip()) <= width or cells(before) < max(indent, 1) or not before.strip()


def test_what_fits_stays_as_it_is() -> None:
    assert wrap("  a  b ", 60, 4) == "  a  b "


def test_a_pipe_gets_one_line() -> None:
    assert columns(io.StringIO()) is None
    assert wrap("word " * 100, None, 4) == "word " * 100


def test_further_lines_are_indented() -> None:
    assert lines("word " * 20) == ["word " * 11 + "word", "    " + ("word " * 8).strip()]


def test_colours_take_no_room() -> None:
    text = "\x1b[31m" + "a" * 30 + "\x1b[0m " + "b" * 29

    assert lines(text) == [text]


def test_a_long_name_begins_a_line() -> None:
    name = "a" * 80

    assert lines(f"the registry {name} is away") == ["the registry", f"    {name}", "    is away"]


@pytest.mark.parametrize(
    ("remedy", "shown"),
    [
        (f"log in: docker login {HOST}", ["credhelpers: log in:", f"    docker login {HOST}"]),
        (
            f"see why: credhelpers doctor {HOST}; or try again later",
            ["credhelpers: see why:", f"    credhelpers doctor {HOST};", "    or try again later"],
        ),
        (
            f"try again: credhelpers configure --ecr {HOST}, or ask the operator of this machine",
            [
                "credhelpers: try again:",
                f"    credhelpers configure --ecr {HOST},",
                "    or ask the operator of this machine",
            ],
        ),
        (
            f"credhelpers configure --ecr {HOST} --store auto",
            ["credhelpers:", f"    credhelpers configure --ecr {HOST} --store auto"],
        ),
        (
            "the registry has no certificate that this machine trusts, so name one: --ca FILE",
            [
                "credhelpers: the registry has no certificate that this",
                "    machine trusts, so name one: --ca FILE",
            ],
        ),
    ],
)
def test_a_command_stays_in_one_line(remedy: str, shown: list[str]) -> None:
    assert lines(remedy, is_remedy=True, first="credhelpers: ") == shown


def test_commands_in_sentences_stay_whole() -> None:
    sentence = "Docker does not ask pass yet: credhelpers configure --store pass"

    assert lines(sentence) == ["Docker does not ask pass yet:", "    credhelpers configure --store pass"]


def test_a_cause_that_begins_like_a_command_wraps() -> None:
    cause = "docker-credential-absent is not on PATH, so Docker will not find it there"

    assert len(lines(cause)) == 2


def test_a_command_stays_behind_its_arrow() -> None:
    command = f"credhelpers configure --ecr {HOST}"

    assert wrap(command, 60, 11, is_remedy=True, first="        -> ") == f"        -> {command}"
