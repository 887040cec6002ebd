"""The executables that the suite is run against; a new one is one more row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

VERBS = ("store", "get", "erase", "list")


@dataclass(frozen=True)
class Subject:
    """An executable that speaks the protocol.

    Args:
        name: What the tests and their deviations call it.
        executable: Its name in the directory of the installed executables, or an absolute path.
        environment: The fixture that makes the environment in which it has its store.
        package: The Debian package that brings it, for a reference helper; it proves the suite right.
        keeps: Whether it keeps what it is told to store.
        verbs: The verbs that it implements; the tests of the others are left out.
    """

    name: str
    executable: str
    environment: str
    package: str = ""
    keeps: bool = True
    verbs: tuple[str, ...] = VERBS

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

Choice = Callable[[Subject], bool]


def _every(choice: Choice) -> pytest.MarkDecorator:
    """Run a test on every row of which this is true; see `pytest_generate_tests` in conftest.py."""
    return pytest.mark.subjects.with_args(choice)


every_subject = _every(lambda row: True)
every_strict_helper = _every(lambda row: not row.package)
every_keeper = _every(lambda row: row.keeps)
every_ecr_helper = _every(lambda row: row.environment == "ecr_env")
every_password_store = _every(lambda row: row.environment == "password_store_env")


def chosen(rows: Sequence[Subject], marks: list[pytest.Mark]) -> list[Subject]:
    """Return the rows on which a test runs that has these marks."""
    choices: list[Choice] = [mark.args[0] for mark in marks]
    return [row for row in rows if all(choice(row) for choice in choices)]


def needs(*verbs: str) -> pytest.MarkDecorator:
    """Leave a test out for a helper that lacks one of these verbs."""
    return pytest.mark.needs(*verbs)


def deviates(subject: str, reason: str) -> pytest.MarkDecorator:
    """Say that a reference helper does not do what the test asserts; that it fails is asserted too."""
    return pytest.mark.deviation(subject, reason)


def reference_deviates(reason: str) -> pytest.MarkDecorator:
    """Say it of both reference helpers, which share the code that speaks the protocol."""
    return pytest.mark.deviation("reference-pass reference-secretservice", reason)
