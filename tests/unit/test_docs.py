"""The documentation: its links lead somewhere, and the commands that it shows exist."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from credhelpers.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md")])
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_VERBS = {"store", "get", "erase", "list", "version", "--version", "help", "…"}
_KINDS = ("credhelpers", "docker-credential-", "scripts/", "make")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", _FENCE.sub("", page.read_text()), re.MULTILINE):
        kept = re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower())
        found.add(kept.replace(" ", "-"))
    return found


@every_page
def test_links_lead_to_a_file_and_heading(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text())):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


@every_page
def test_files_that_are_named_exist(page: Path) -> None:
    for name in re.findall(
        r"`((?:tests|scripts|docs|packaging|credhelpers)/[\w./-]+\.\w+)`", page.read_text()
    ):
        is_example = name.startswith("credhelpers/stores/json_lines/")
        assert is_example or (ROOT / name).is_file(), name


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """Give the blocks of a page in these languages; of a console, what is typed."""
    for language, text in _FENCE.findall(page.read_text()):
        if language in languages:
            typed = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
            yield "\n".join(typed) if language == "console" else text


@every_page
def test_shell_blocks_can_be_parsed(page: Path) -> None:
    for block in blocks(page, "sh", "console"):
        done = subprocess.run(
            ["/bin/sh", "-n"], input=block, capture_output=True, text=True, timeout=10, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), block


def command_lines(page: Path) -> Iterator[list[str]]:
    """Give the words of each simple command in the blocks of shell and in the code between the words."""
    text = page.read_text()
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _FENCE.sub("", text))
    lines = [line for block in blocks(page, "sh", "console") for line in block.splitlines()]
    for line in [*inline, *lines]:
        for command in re.split(r"\|\|?|&&|;|\$\(", line.partition(" #")[0]):
            words = [word.strip("()\"'") for word in command.split()]
            while words and (re.fullmatch(r"\w+=\S*", words[0]) or words[0] in ("sudo", "exec")):
                words.pop(0)
            if words:
                yield words


def command_named(words: list[str]) -> tuple[click.Command, list[str]]:
    """Return the command of credhelpers that words name, and the words that are left."""
    command: click.Command = main
    left = [word for word in words if word != "--debug"]
    while isinstance(command, click.Group) and left and re.fullmatch(r"[a-z][a-z-]*", left[0]):
        found = command.get_command(click.Context(command), left[0])
        assert found, f"there is no command {left[0]}: credhelpers {' '.join(words)}"
        command = found
        left = left[1:]
    return command, left


def options_of(command: click.Command) -> set[str]:
    parameters = [*command.params, *main.params]
    return {"--help", "-h", *(name for parameter in parameters for name in parameter.opts)}


@every_page
def test_credhelpers_has_what_is_shown(page: Path) -> None:
    for words in command_lines(page):
        if words[0] == "credhelpers" and len(words) > 1:
            command, left = command_named(words[1:])
            for word in left[: left.index("--")] if "--" in left else left:
                option = word.partition("=")[0]
                if option.startswith("-") and option != "-":
                    assert option.strip("[]") in options_of(command), " ".join(words)


@every_page
def test_helpers_have_the_verbs_that_are_shown(page: Path) -> None:
    for words in command_lines(page):
        if re.fullmatch(r"(\S*/)?docker-credential-[\w-]+", words[0]) and len(words) > 1:
            assert words[1] in _VERBS, " ".join(words)


@every_page
def test_scripts_have_the_options_that_are_shown(page: Path) -> None:
    for words in command_lines(page):
        if re.fullmatch(r"scripts/[\w.]+|benchmarks/run", words[0]):
            script = ROOT / words[0]
            assert script.is_file(), words[0]
            text = script.read_text()
            if "python" in text:  # what it starts takes the options
                text += "".join(path.read_text() for path in (ROOT / "benchmarks").glob("*.py"))
            own = words[1 : words.index("--")] if "--" in words else words[1:]
            for word in own:
                if word.startswith("--"):
                    assert word.partition("=")[0].strip("[]") in text, " ".join(words)


def test_many_commands_are_looked_at() -> None:
    """So that these tests do not come to pass because nothing is found."""
    lines = [words for page in PAGES for words in command_lines(page)]
    kinds = [sum(words[0].startswith(kind) and len(words) > 1 for words in lines) for kind in _KINDS]

    assert all(count >= 3 for count in kinds), dict(zip(_KINDS, kinds, strict=True))


@every_page
def test_make_has_the_targets_that_are_shown(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in command_lines(page):
        if words[0] == "make":
            named = {word for word in words[1:] if "=" not in word}
            assert named <= targets, " ".join(words)
