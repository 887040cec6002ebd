"""Tokens of ECR that `docker login` has left: none is copied, because it ends within 12 hours of its making.

Docker's next helper has to get a token of its own, by this machine's identity; only then the old one goes.
"""

import os
from shlex import quote

from credhelpers import config
from credhelpers.cli.shared.helper_programs import cause_and_remedy, open_installed
from credhelpers.cli.shared.migration import Found, in_file
from credhelpers.cli.shared.plan import routed
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.credential import CredentialError, Fix
from credhelpers.stores.auto.external import PREFIX
from credhelpers.stores.ecr.hosts import registry_for
from credhelpers.suite import AUTO, ECR

_USERNAME = "AWS"
"""The username of every token (docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html)."""


def is_token(item: Found) -> bool:
    """Return whether a credential is a token of ECR's."""
    if item.username != _USERNAME:
        return False
    return registry_for(docker_key(item.server), config.load(os.environ))[0] is not None


def gets_tokens(server: str, helper: str) -> bool:
    """Return whether a helper gets tokens from AWS for a server."""
    behind = routed(server, os.environ, config.load(os.environ)) if helper == AUTO.name else helper
    return behind == ECR.name


def check_own_token(item: Found, helper: str) -> None:
    """Check that a helper has another token than the one that `docker login` has left.

    Args:
        item: What `docker login` has left.
        helper: The helper that Docker is going to ask.

    Raises:
        CredentialError: It has none, so that the old one must stay where it is.
    """
    server = docker_key(item.server)
    forget = f"drop the old token: credhelpers logout {quote(server)}"
    if not gets_tokens(server, helper):
        raise CredentialError(
            f"this token of ECR ends within 12 hours, and {PREFIX}{helper} cannot get the next",
            f"credhelpers configure --ecr {quote(server)}; or {forget}",
        )
    messages = bytearray()
    try:
        open_installed(helper, messages.extend).get(server)
    except CredentialError as error:
        cause, remedy = cause_and_remedy(bytes(messages), f"{PREFIX}{helper}")
        remedy = remedy or error.remedy
        raise CredentialError(
            f"this token of ECR ends within 12 hours, and there is no other: {cause or error.cause}",
            f"{remedy}; or {forget}" if remedy else forget,
        ) from None


def to_remove_plaintext(auths: DockerConfig) -> str:
    """Return the command that gets the secrets out of Docker's config.json; a fix where it may be one."""
    items = in_file(auths)
    tokens = [docker_key(item.server) for item in items if is_token(item)]
    foreign = [server for server in tokens if not gets_tokens(server, auths.helper_for(server))]
    if foreign and auths.creds_store:
        return f"credhelpers configure --ecr {quote(foreign[0])}"
    if foreign:
        return "credhelpers setup"
    if tokens and len(tokens) == len(items):
        return f"credhelpers logout {quote(tokens[0])}"
    if tokens and not auths.creds_store:
        return "credhelpers setup"
    return Fix("credhelpers migrate" if auths.creds_store else "credhelpers migrate --to pass")
