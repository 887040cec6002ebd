"""Fixtures: an AWS emulator, a machine whose instance role it knows, and wheels to install from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.ways import Wheels, make_wheels
from tests.support.ahead import Ahead, Started
from tests.support.aws import Aws, moto_server
from tests.support.shared import once
from tests.support.worker import Worker, worker_at


@pytest.fixture(scope="module", autouse=True)
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The module's tests that mostly wait; they run in threads from its first test on."""
    ahead = getattr(request.module, "ahead", None)
    if not isinstance(ahead, Ahead):
        yield {}
        return
    items = [
        item
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module
    ]
    with ahead.start(
        items, request.getfixturevalue("installed"), tmp_path_factory.mktemp("ahead")
    ) as running:
        yield running


@pytest.fixture
def aws() -> Iterator[Aws]:
    """An AWS that does as it should until it is told otherwise."""
    with Aws() as running:
        yield running


@pytest.fixture
def worker(installed: Path, private_env: dict[str, str], aws: Aws) -> Iterator[Worker]:
    """A machine with an instance role and nothing cached; no secret may show on its stderr or in its logs."""
    with worker_at(installed, private_env, aws) as machine:
        yield machine


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The URL of moto's server, which speaks AWS's contracts as other people read them."""
    with moto_server() as url:
        yield url


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """A folder with the wheel of this project and all that it needs."""
    home = tmp_path_factory.mktemp("home")
    return Wheels(once(tmp_path_factory, "a folder", lambda folder: make_wheels(folder, home)))
