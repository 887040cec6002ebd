"""Registries of clouds, which need no login because a helper gets a token whenever it is asked."""

import os

from credhelpers.cli.shared.plan import routed
from credhelpers.config import load
from credhelpers.credential import CredentialError
from credhelpers.servers import host_of
from credhelpers.stores.auto.external import PREFIX, find_helper
from credhelpers.stores.auto.routes import cloud_helpers
from credhelpers.suite import AUTO, HELPERS


def token_helper(server: str, docker_asks: str) -> str:
    """Return the helper that gets a server's tokens whenever Docker asks; empty for one that needs a login.

    Args:
        server: As the user names it.
        docker_asks: The helper that Docker asks about it.

    Raises:
        CredentialError: A helper would get its tokens, but Docker does not ask that one.
    """
    settings = load(os.environ)
    serves = (helper.name for helper in HELPERS.values() if helper.serves and helper.serves(server, settings))
    issuer, host = next(serves, ""), host_of(server)
    issuers = [issuer] if issuer else cloud_helpers(server)
    asked = routed(server, os.environ, settings) if docker_asks == AUTO.name else docker_asks
    if not issuers or asked in issuers:
        return asked if issuers else ""
    installed = issuer or next((name for name in issuers if find_helper(name, os.environ)), "")
    if installed and docker_asks == AUTO.name:
        return ""  # a route keeps its credential elsewhere
    if issuer:
        raise CredentialError(
            f"{host} needs no login: {PREFIX}{issuer} gets its tokens, but Docker does not ask it",
            f"let Docker ask it: credhelpers configure --ecr {host}; "
            "or store a credential all the same: --username NAME",
        )
    if installed:
        raise CredentialError(
            f"{host} needs no login: {PREFIX}{installed} gets its tokens, but Docker does not ask it",
            "let Docker ask it: credhelpers configure --store auto; "
            "or store a credential all the same: --username NAME",
        )
    raise CredentialError(
        f"{host} needs no login where {' or '.join(PREFIX + name for name in issuers)} is installed",
        "install it, then let Docker ask it: credhelpers configure --store auto; "
        "or store a credential all the same: --username NAME",
    )
