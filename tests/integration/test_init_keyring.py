"""`credhelpers init keyring`: a keyring that works afterwards, or the reason why it cannot."""

from pathlib import Path

import pytest

from tests.support.keyring import SecretService, private_secret_service
from tests.support.operator import Operator

SERVER = "registry.example:5000"


@pytest.fixture
def operator(installed: Path, secret_service_env: dict[str, str]) -> Operator:
    return Operator.at(installed, secret_service_env)


def test_a_keyring_that_works_is_tested(operator: Operator, secret_service: SecretService) -> None:
    result = operator.succeed("init", "keyring")

    assert "a test secret was stored, read back and erased" in result.out
    assert secret_service.items() == []
    assert operator.helper("keyring").store(SERVER, "ada", "s3cret").code == 0


def test_json_reports_what_was_made(operator: Operator) -> None:
    assert operator.succeed("init", "keyring", "--json").json() == {
        "made_collection": False,
        "unlocked": False,
    }


def test_without_a_bus_it_is_refused(installed: Path, private_env: dict[str, str]) -> None:
    cause, remedy = Operator.at(installed, private_env).run("init", "keyring").complaint

    assert "bus" in cause
    assert "dbus-run-session" in remedy and "docker-credential-pass" in remedy


def test_a_locked_keyring_names_the_unlocking(installed: Path, private_env: dict[str, str]) -> None:
    with private_secret_service() as service:
        service.lock()
        cause, remedy = (
            Operator.at(installed, {**private_env, **service.env}).run("init", "keyring").complaint
        )

    assert "locked, and there is no display" in cause
    assert "gnome-keyring-daemon" in remedy
