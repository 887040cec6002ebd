"""The help of every command on narrow and wide terminals."""

from collections.abc import Iterator

import click
import pytest

from credhelpers.cli import main


def _commands(command: click.Command, path: str = "credhelpers") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner
            yield from _commands(inner, f"{path} {name}")


def _help(path: str, command: click.Command, columns: int) -> str:
    context = {**main.context_settings, "terminal_width": columns}
    return command.get_help(click.Context(command, info_name=path, **context))


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize(("path", "command"), list(_commands(main)))
def test_help_fits_and_words_are_whole(path: str, command: click.Command, columns: int) -> None:
    shown = _help(path, command, columns)

    assert shown.split() == _help(path, command, 1000).split()
    for line in shown.splitlines():
        is_example = "credhelpers " in line and line.startswith("    ")
        assert len(line) <= columns or is_example or len(line.split()) == 1, line
