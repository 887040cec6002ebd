"""`doctor --fix`: runs the remedies that say of themselves that they are safe."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping

import click

from credhelpers.cli.shared import output
from credhelpers.cli.shared.helper_programs import own_directory
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding


def commands(sections: Iterable[tuple[str, list[Finding]]]) -> list[str]:
    """Return the fixes of all findings in their order, each once."""
    found = [finding for _, findings in sections for finding in findings]
    return list(dict.fromkeys(finding.remedy for finding in found if finding.fixable))


def need_terminal() -> None:
    """Check that the user can be asked.

    Raises:
        CredentialError: There is no terminal.
    """
    if not sys.stdin.isatty():
        raise CredentialError(
            "there is no terminal to ask which fixes to run",
            "run all that are safe, without a question: credhelpers doctor --fix --yes",
        )


def wants(command: str) -> bool:
    """Ask whether to run a command."""
    output.say(f"This can be fixed by: {command}")
    return click.confirm("Run it?", default=False)


def run(command: str, config_path: str, environ: Mapping[str, str]) -> bool:
    """Run one command as the user's shell would, with its output on standard error.

    Args:
        command: The command, as it was shown.
        config_path: The config.json that was examined.
        environ: The environment; `credhelpers` itself need not be on its PATH.

    Returns:
        Whether it succeeded.
    """
    path = f"{environ.get('PATH', os.defpath)}:{own_directory()}"
    own = {**environ, "PATH": path, "DOCKER_CONFIG": os.path.dirname(config_path)}
    stdin = None if sys.stdin.isatty() else subprocess.DEVNULL
    done = subprocess.run(["/bin/sh", "-c", command], env=own, stdin=stdin, stdout=sys.stderr, check=False)
    return done.returncode == 0
