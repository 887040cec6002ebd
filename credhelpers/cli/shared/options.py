"""Arguments and options that several commands share."""

import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from credhelpers.cli.shared.helper_programs import installed_helpers
from credhelpers.clients.docker_config import DockerConfig, docker_config_path, docker_key, hostname_of
from credhelpers.config import load
from credhelpers.credential import CredentialError
from credhelpers.log import Log
from credhelpers.servers import HUB_KEY
from credhelpers.stores.auto.external import PREFIX
from credhelpers.suite import ECR, HELPERS, STORES

OFFLINE_VARIABLE = "CREDHELPERS_OFFLINE"
"""Keeps doctor from asking registries, as its ``--offline`` does."""

_F = TypeVar("_F", bound=Callable[..., Any])
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class HelperName(click.ParamType):  # type: ignore[type-arg]  # no parameter before click 8.4
    """The name of a helper; the name of its executable is understood too."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what follows ``docker-credential-``."""
        name = value.removeprefix(PREFIX)
        if not _NAME.fullmatch(name):
            self.fail("a helper's name has letters, digits, dots, dashes and underscores only", param, ctx)
        return name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the stores of the suite, and the installed helpers of other projects."""
        del ctx, param
        names = dict.fromkeys([*STORES, *sorted(installed_helpers() - HELPERS.keys())])
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_server(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the servers that the configuration or the token cache names, for the shell's completion."""
    del parameter
    return [CompletionItem(name) for name in _servers(context) if name.startswith(incomplete)]


def _servers(context: click.Context) -> list[str]:
    """Return the hosts of servers; what is broken is left out, and no helper is started."""
    servers: list[str] = []
    try:
        path = context.params.get("config_path") or docker_config_path(os.environ)
        config = DockerConfig.read(path)
        servers += [*config.cred_helpers, *config.auths]
    except (CredentialError, OSError):
        pass
    try:
        settings = load(os.environ)
        servers += ECR.open(os.environ, settings, Log("credhelpers", None, settings)).list()
    except (CredentialError, OSError):
        pass
    names = {"docker.io" if docker_key(server) == HUB_KEY else hostname_of(server) for server in servers}
    return sorted(name for name in names if name and name.isprintable() and " " not in name)


STORE_NAMES = "|".join((*STORES, "NAME"))
"""How the help shows an option that takes the name of a store."""


def _config_path(context: click.Context, option: click.Parameter, directory: str | None) -> str:
    del context, option
    return docker_config_path(os.environ, directory)


docker_config = click.option(
    "--docker-config",
    "config_path",
    metavar="DIR",
    callback=_config_path,
    help="Docker's directory, if not $DOCKER_CONFIG or ~/.docker.",
)
"""The directory of Docker's configuration; the command gets the path of its config.json."""


def _server(context: click.Context, argument: click.Parameter, value: str) -> str:
    del context, argument
    if not hostname_of(value) or not value.isprintable() or " " in value or "@" in value:
        raise click.BadParameter("a registry is named by host and port, such as registry.example:5000")
    return value


server = click.argument(
    "server", callback=_server, default="docker.io", required=False, shell_complete=complete_server
)
"""A registry; without it Docker Hub, as for docker."""


def json_report(text: str = "Report in JSON.") -> Callable[[_F], _F]:
    """Return the option ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help=text)
