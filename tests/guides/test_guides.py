"""Every guide: its commands print what it shows, and its configuration is written and used."""

import os
import re
from pathlib import Path

import pytest

from tests.e2e.registry import Login
from tests.guides import guide
from tests.guides.conftest import ECR_HOSTS
from tests.guides.guide import PARSERS, Block
from tests.guides.machine import Machine

ROOT = Path(__file__).parents[2]
PAGES = sorted(page for page in ROOT.glob("docs/guides/*.md") if page.name != "README.md")
REWRITE = bool(os.environ.get("REWRITE_GUIDES"))
IMAGE = f"{ECR_HOSTS[0]}/team/app:1"
_READ_BY_ITS_PROGRAM = {"nginx", "ini", "text", "groovy", "dockerfile"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@every_page
def test_guide(page: Path, machine: Machine, robot: Login, hub_user: Login) -> None:
    for block in guide.read(page):
        if "given" in block.marks:
            printed, status = machine.run(block.marks["given"])
            assert status == 0, printed
        if "file" in block.marks:
            machine.write(block.marks["file"], block.text)
        elif block.language == "console" and not block.needs:
            _type(page, block, machine, [robot, hub_user])


def _type(page: Path, block: Block, machine: Machine, logins: list[Login]) -> None:
    for command in block.commands():
        printed, status = machine.run(command.line)
        if REWRITE and not command.matches(printed):
            page.write_text(page.read_text().replace(str(command), f"$ {command.line}\n{printed}", 1))
            continue
        shown = f"{page.name}, line {block.number}: $ {command.line}\n{printed}exit {status}"
        assert (status != 0) == command.fails, shown
        assert command.matches(printed), shown
        for login in logins:
            assert login.password not in printed, f"a secret: {shown}"
            assert login.encoded() not in printed, f"a secret: {shown}"


@every_page
def test_what_is_typed_is_run_or_marked(page: Path) -> None:
    for block in guide.read(page):
        assert block.language, f"{page.name}, line {block.number}: a block without a language"
        assert block.language not in ("sh", "bash", "shell"), f"{page.name}, line {block.number}: use console"
        if block.language == "console":
            assert block.commands(), f"{page.name}, line {block.number}: nothing is typed"
        if block.needs:
            words = re.sub(r"\s+", " ", block.before)
            assert f"needs {block.needs}" in words, f"{page.name}, line {block.number}: say so above it"


@every_page
def test_snippets_can_be_parsed(page: Path) -> None:
    for block in guide.read(page):
        if parse := PARSERS.get(block.language):
            parse(block.text)
        else:
            assert block.language in {"console", *_READ_BY_ITS_PROGRAM}, f"{page.name}: {block.language}"


def test_readme_configurations_pull(machine: Machine) -> None:
    configurations = [block.text for block in guide.read(ROOT / "README.md") if block.language == "json"]
    assert len(configurations) == 2
    for configuration in configurations:
        machine.write("~/.docker/config.json", configuration)
        printed, status = machine.run(f"docker pull -q {IMAGE}; docker rmi {IMAGE}")
        assert (status, printed.splitlines()[0]) == (0, IMAGE), printed


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/guides/README.md").read_text()

    assert [page.name for page in PAGES if f"]({page.name})" not in index] == []


def test_most_commands_are_run() -> None:
    """So that these tests do not come to pass because nothing is found, or all is marked."""
    blocks = [block for page in PAGES for block in guide.read(page) if block.language == "console"]
    run = sum(len(block.commands()) for block in blocks if not block.needs)
    marked = sum(len(block.commands()) for block in blocks if block.needs)

    print(f"{run} commands are run, {marked} need what only the reader has")  # noqa: T201  with -s
    assert run > 3 * marked
