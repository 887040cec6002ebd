"""`credhelpers logout`: a registry's credential erased, as `docker logout` does it."""

import click

from credhelpers.cli.shared import options, output
from credhelpers.cli.shared.helper_programs import helper_for, open_installed
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.docker_config_edit import forget
from credhelpers.clients.former_helpers import scrub
from credhelpers.clients.shared_file import Edit
from credhelpers.servers import HUB_KEY

_EXAMPLES = """\b
Examples:
  credhelpers logout
  credhelpers logout registry.example:5000

\b
Exit status: 0 when no credential for it is left, also when there was none; 1 when something
failed; 2 when the command line is wrong."""


@click.command(epilog=_EXAMPLES)
@options.server
@click.option(
    "--store",
    type=options.HelperName(),
    help="Erase it from docker-credential-NAME. [default: the helper that Docker asks]",
)
@options.docker_config
@options.json_report()
def logout(*, server: str, store: str | None, config_path: str, as_json: bool) -> None:
    """Erase a registry's credential under every key that docker logout erases, and from config.json.

    Without SERVER that is Docker Hub's.
    """
    key = docker_key(server)
    name = store or helper_for(DockerConfig.read(config_path), key)
    helper = open_installed(name) if name else None
    scrub(config_path)
    spellings = _spellings(key)
    if helper:
        for spelling in spellings:
            helper.erase(spelling)
    Edit(config_path, forget(config_path, spellings)).make()
    if as_json:
        output.report_json({"server": key, "store": name or None})
    else:
        places = f"docker-credential-{name} and {config_path} have" if name else f"{config_path} has"
        output.say(f"{key}: logged out; {places} no credential for it.")


def _spellings(key: str) -> list[str]:
    """Return the keys that docker logout erases (docker/cli command/registry/logout.go).

    For Docker Hub these include the tokens of its login in a browser (internal/oauth/manager).
    """
    if key == HUB_KEY:
        return [HUB_KEY, HUB_KEY + "access-token", HUB_KEY + "refresh-token"]
    return [key, f"http://{key}", f"https://{key}"]
