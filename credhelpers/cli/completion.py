"""`credhelpers completion`: the script by which a shell completes the commands; it is click's."""

import click
from click.shell_completion import get_completion_class

_EXAMPLES = """\b
Examples:
  eval "$(credhelpers completion bash)"
  eval "$(credhelpers completion zsh)"
  credhelpers completion fish | source

Put the line of your shell into ~/.bashrc, into ~/.zshrc behind compinit, or into
~/.config/fish/config.fish."""


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the script that completes commands, options, and the names of servers, stores and logs."""
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101  click has all three
    click.echo(script(context.find_root().command, {}, "credhelpers", "_CREDHELPERS_COMPLETE").source())
