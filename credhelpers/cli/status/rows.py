"""A credential as `credhelpers status` shows it."""

import os
from dataclasses import dataclass, replace

from credhelpers.cli.shared import ecr_tokens
from credhelpers.cli.shared.plan import routed
from credhelpers.clients.docker_config import TOKEN_USERNAME, hostname_of
from credhelpers.config import Settings
from credhelpers.suite import AUTO, ECR


@dataclass(frozen=True)
class Row:
    """One credential.

    Attributes:
        server: As the client asks for it, or as the helper lists it.
        helper: The helper that the client asks, `IN_FILE` or `IN_ENVIRONMENT`; for podman the path of a file.
        store: The helper that has it: the same, or the one that auto asks.
        username: Empty where none is kept.
        kind: ``password``, ``identity token``, ``registry token``, ``ECR token``, ``unreadable`` or, where
            nothing is kept, empty.
        plaintext: Whether the secret is in a file of the client.
        identity: What selects the AWS identity of an ECR token.
        expires: When an ECR token expires, in seconds since the epoch; None without a token.
        note: Anything else the user should know.
        shadowed_by: What the client uses instead; empty for a credential that it uses.
        client: ``docker``, or ``podman`` for podman, skopeo and buildah.
    """

    server: str
    helper: str
    store: str
    username: str
    kind: str
    plaintext: bool = False
    identity: str = ""
    expires: int | None = None
    note: str = ""
    shadowed_by: str = ""
    client: str = "docker"


def row_of(server: str, helper: str, username: str, settings: Settings, shadow: str) -> Row:
    """Return the row of a credential that a helper has, or for ECR would get."""
    store = routed(server, os.environ, settings) if helper == AUTO.name else helper
    if store == ECR.name:
        return replace(_ecr_row(server, helper, username, settings), shadowed_by=shadow)
    kind = "identity token" if username == TOKEN_USERNAME else "password"
    return Row(server, helper, store, username, kind, shadowed_by=shadow)


def _ecr_row(server: str, helper: str, username: str, settings: Settings) -> Row:
    kept = ecr_tokens.cached(server, os.environ, settings)
    if kept is None:
        return Row(server, helper, ECR.name, "", "", note="not an ECR registry, so it gets no token")
    identity = ecr_tokens.selected_identity(os.environ, kept.chosen)
    note = f"the last request failed: {kept.failure.cause}" if kept.failure else ""
    host = hostname_of(server)
    if kept.token is None:
        note = note or "the next pull gets a token"
        return Row(host, helper, ECR.name, username, "ECR token", identity=identity, note=note)
    if kept.by_login:
        identity = "docker login"
    expires, user = kept.token.expires, kept.token.username
    return Row(host, helper, ECR.name, user, "ECR token", identity=identity, expires=expires, note=note)
