"""Another command of `credhelpers`, run from within one."""

import io
from contextlib import redirect_stdout

import click


def run_command(context: click.Context, *arguments: str) -> int:
    """Run a command as if typed, with its output, and return its exit status.

    Args:
        context: That of the command that is running.
        arguments: Its name and what follows it.

    Raises:
        CredentialError: It failed.
    """
    root = context.find_root()
    name, *rest = arguments
    command = root.command.get_command(root, name) if isinstance(root.command, click.Group) else None
    if command is None:
        raise LookupError(f"there is no command {name}")
    try:
        with command.make_context(name, rest, parent=root) as inner:
            command.invoke(inner)
    except click.exceptions.Exit as end:
        return end.exit_code
    return 0


def output_of(context: click.Context, *arguments: str) -> str:
    """Run a command as `run_command` does, and return what it writes to standard output."""
    with redirect_stdout(io.StringIO()) as shown:
        run_command(context, *arguments)
    return shown.getvalue()
