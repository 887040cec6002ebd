"""`credhelpers init`: one subcommand for each helper whose table entry names one."""

from importlib import import_module

import click

from credhelpers.suite import HELPERS


class _Stores(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [helper.name for helper in HELPERS.values() if helper.init]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, attribute = HELPERS[cmd_name].init.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=_Stores)
def init() -> None:
    """Set up a place to keep credentials in."""
