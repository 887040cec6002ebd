"""Arguments and options that several commands share."""

import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from credhelpers.clients.docker_config import docker_config_path, hostname_of
from credhelpers.stores.auto.external import PREFIX
from credhelpers.suite import STORES

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
        """Return the stores of the suite."""
        del ctx, param
        return [CompletionItem(name) for name in STORES if name.startswith(incomplete)]


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


server = click.argument("server", callback=_server)
"""A registry."""


def json_report(text: str = "Report in JSON.") -> Callable[[_F], _F]:
    """Return the option ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help=text)
