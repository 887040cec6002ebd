"""The executables that the suite is run against; a new one is one more row."""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Subject:
    """An executable that speaks the protocol.

    Args:
        name: What the tests and their deviations call it.
        executable: Its name, which is found in the directory of the installed executables.
        environment: The fixture that makes the environment in which it has its store.
        package: The Debian package that brings it, for a helper that is not ours; it proves the suite right.
        keeps: Whether it keeps what it is told to store.
    """

    name: str
    executable: str
    environment: str
    package: str = ""
    keeps: bool = True

    def __str__(self) -> str:
        return self.name


_REFERENCE = "golang-docker-credential-helpers"

SUBJECTS = (
    Subject("pass", "docker-credential-pass", "password_store_env"),
    Subject("keyring", "docker-credential-keyring", "secret_service_env"),
    Subject("ecr-login", "docker-credential-ecr-login", "ecr_env", keeps=False),
    Subject("auto", "docker-credential-auto", "password_store_env"),
    Subject("reference-pass", "docker-credential-pass", "password_store_env", _REFERENCE),
    Subject("reference-secretservice", "docker-credential-secretservice", "secret_service_env", _REFERENCE),
)

every_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=str)
every_helper_of_ours = pytest.mark.parametrize(
    "subject", [row for row in SUBJECTS if not row.package], ids=str
)
every_keeper = pytest.mark.parametrize("subject", [row for row in SUBJECTS if row.keeps], ids=str)
every_ecr_helper = pytest.mark.parametrize(
    "subject", [row for row in SUBJECTS if row.environment == "ecr_env"], ids=str
)
every_password_store = pytest.mark.parametrize(
    "subject", [row for row in SUBJECTS if row.environment == "password_store_env"], ids=str
)


def deviates(subject: str, reason: str) -> pytest.MarkDecorator:
    """Say that a helper of others does not do what the test asserts; that it fails is asserted too."""
    return pytest.mark.deviation(subject, reason)


def reference_deviates(reason: str) -> pytest.MarkDecorator:
    """Say it of both reference helpers, which share the code that speaks the protocol."""
    return pytest.mark.deviation("reference-pass reference-secretservice", reason)
