"""The runner of the stories: what it reads, and which outputs it takes for the expected ones."""

from pathlib import Path

import pytest

from tests.stories.story import Step, difference, read


def test_a_story_is_files_and_commands(tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text("# A file is shown.\n\n> name\nfirst\n\n$ cat name; exit 3\nfirst\nexit 3\n")

    assert read(story) == [
        Step(3, path="name", lines=["first"]),
        Step(6, command="cat name; exit 3", lines=["first"], code=3),
    ]


@pytest.mark.parametrize("text", ["$ true\n", "# Title.\nwithout a command\n", "# Title.\n$ a\n\nb\n"])
def test_a_line_of_no_step_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "story.txt").write_text(text)

    with pytest.raises(ValueError, match="line"):
        read(tmp_path / "story.txt")


@pytest.mark.parametrize(
    ("expected", "output"),
    [("a b", "a b\n"), ("a ... c", "a b c\n"), ("...", ""), ("a|...|d", "a\nb\nc\nd\n"), ("a|b", "a\n\nb\n")],
)
def test_an_output_that_is_expected(expected: str, output: str) -> None:
    assert difference(Step(1, command="x", lines=expected.split("|")), output, 0) == ""


@pytest.mark.parametrize(
    ("expected", "output", "code"),
    [("a", "b\n", 0), ("a.c", "abc\n", 0), ("a", "a\na\n", 0), ("a ... c", "a\nc\n", 0), ("a", "a\n", 1)],
)
def test_an_output_that_is_not_expected(expected: str, output: str, code: int) -> None:
    shown = difference(Step(1, command="x", lines=expected.split("|")), output, code)

    assert "line 1: $ x" in shown
    assert f"exit {code}" in shown
