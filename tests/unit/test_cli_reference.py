"""The reference of the command names every command, and beside each every option that it has."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from credhelpers.cli import main

_PAGE = Path(__file__).resolve().parents[2].joinpath("docs", "cli.md").read_text()


def _commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")
        else:
            yield path + name, command


def _section(name: str) -> str:
    title = "login and logout" if name in ("login", "logout") else name
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", _PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section of {name}"
    return found[1]


@pytest.mark.parametrize(("name", "command"), list(_commands(main)), ids=str)
def test_every_option_is_in_the_reference(name: str, command: click.Command) -> None:
    section = _section(name)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                assert f"`{option}" in section, f"{name} {option}"


@pytest.mark.parametrize(("name", "command"), list(_commands(main)), ids=str)
def test_commands_have_examples_and_exit_status(name: str, command: click.Command) -> None:
    if any(isinstance(parameter, click.Option) for parameter in command.params):
        assert command.epilog
        assert f"credhelpers {name}" in command.epilog
        assert "Exit status: 0" in command.epilog
