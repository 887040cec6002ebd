"""The answer itself: asks the helper as Docker does, and reports the answer without the secret."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from credhelpers.cli.shared.helper_programs import cause_and_remedy
from credhelpers.clients.docker_config import TOKEN_USERNAME
from credhelpers.credential import Credential, CredentialError, CredentialsNotFound
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.stores.auto.external import ExternalStore

ANSWER = "answer"


@dataclass(frozen=True)
class Answer:
    """What a client gets for a server.

    Attributes:
        finding: What doctor says of it.
        credential: The credential; None for a client that continues without one.
        is_known: Whether that is so; False when the helper fails.
    """

    finding: Finding
    credential: Credential | None = None
    is_known: bool = True


def check_answer(
    path: str, server: str, environ: Mapping[str, str], seconds: float, *, is_ecr: bool
) -> Answer:
    """Ask a helper for a server's credential.

    Args:
        path: The helper's executable.
        server: As Docker asks for it.
        environ: The environment.
        seconds: How long it may take.
        is_ecr: Whether the server is an ECR registry, which needs a credential for every pull.
    """
    messages = bytearray()
    name = os.path.basename(path)
    try:
        credential = ExternalStore(path, environ, seconds, messages.extend).get(server)
    except CredentialsNotFound:
        cause, remedy = cause_and_remedy(bytes(messages), name)
        text = f"{name} has no credential for {server}" + (f": {cause}" if cause else "")
        if is_ecr:
            return Answer(fail(ANSWER, "no-token", text, remedy or see_why(name, server)))
        text, remedy = f"{text}; Docker continues without one", remedy or f"docker login {quote(server)}"
        return Answer(warn(ANSWER, "none", text, remedy))
    except CredentialError as error:
        _, remedy = cause_and_remedy(bytes(messages), name)
        finding = fail(ANSWER, "error", error.cause, remedy or see_why(name, server))
        return Answer(finding, is_known=False)
    whose = "an identity token" if credential.username == TOKEN_USERNAME else f"that of {credential.username}"
    return Answer(ok(ANSWER, f"{name} gives a credential for {server}: {whose}"), credential)


def see_why(name: str, server: str) -> str:
    """Return the command that shows everything that a helper writes but the line with the secret."""
    return f"see why: printf %s {quote(server)} | {quote(name)} get | grep -v '\"Secret\"'"
