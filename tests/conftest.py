"""The fixtures that all tests share: the installed executables and throwaway homes, keys and keyrings."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ahead import private_environment
from tests.support.gpg import GpgHome, password_store_of, throwaway_gpg_home
from tests.support.installer import REPOSITORY, Checkout
from tests.support.keyring import SecretService, private_secret_service
from tests.support.shared import once

if os.environ.get("HYPOTHESIS_PROFILE"):  # else this costs an import in every run
    import hypothesis

    hypothesis.settings.register_profile("fuzz", max_examples=300, deadline=None, derandomize=False)
    hypothesis.settings.load_profile(os.environ["HYPOTHESIS_PROFILE"])


# They take longest; only the last one needs the session's installation.
_INSTALL = ("test_install.py", "test_install_users.py", "test_install_refusals.py", "test_install_ways.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let two workers begin with what needs no installation of the session, so that neither waits for it.

    With `--dist worksteal` each takes one half: the first worker begins with the tests of install.sh, and the
    second one with the unit tests; then it makes the session's installation while the first is still at work.
    """
    first = [item for name in _INSTALL for item in items if item.path.name == name]
    unit = [item for item in items if item.path.parent.name == "unit"]
    early = {*first, *unit}
    others = [item for item in items if item not in early]
    before = max(len(items) // 2 - len(first), 0)
    items[:] = [*first, *others[:before], *unit, *others[before:]]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` directory that scripts/install.sh makes, or the one that CREDHELPERS_TEST_BIN names."""
    named = os.environ.get("CREDHELPERS_TEST_BIN")
    return Path(named).resolve() if named else once(tmp_path_factory, "prefix", _install) / "bin"


def _install(prefix: Path) -> None:
    done = Checkout(REPOSITORY, os.environ).install("--prefix", str(prefix))
    assert done.returncode == 0, f"scripts/install.sh failed:\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def private_env(tmp_path: Path) -> dict[str, str]:
    """The environment of a throwaway user, with nothing inherited."""
    return private_environment(tmp_path)


@pytest.fixture(scope="session")
def gpg_home() -> Iterator[GpgHome]:
    """A GnuPG home with one key that has no passphrase."""
    with throwaway_gpg_home() as home:
        yield home


@pytest.fixture
def own_home() -> Iterator[GpgHome]:
    """A GnuPG home that a test may spoil."""
    with throwaway_gpg_home() as home:
        yield home


@pytest.fixture
def password_store_env(private_env: dict[str, str], gpg_home: GpgHome) -> dict[str, str]:
    """The environment of a user who has a key and an empty password store in ~/.password-store."""
    return password_store_of(private_env, gpg_home)


@pytest.fixture(scope="session")
def running_secret_service() -> Iterator[SecretService]:
    """A keyring on a private bus; take `secret_service` for an empty one."""
    with private_secret_service() as service:
        yield service


@pytest.fixture
def secret_service(running_secret_service: SecretService) -> SecretService:
    """An unlocked keyring with nothing in it."""
    running_secret_service.clear()
    return running_secret_service


@pytest.fixture
def secret_service_env(private_env: dict[str, str], secret_service: SecretService) -> dict[str, str]:
    """The environment of a user whose keyring is unlocked and empty."""
    return {**private_env, **secret_service.env}
