"""The fixtures of the tests against AWS: an emulator, and a machine whose instance role it knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.aws import Aws, moto_server
from tests.support.worker import Worker, watched


@pytest.fixture
def aws() -> Iterator[Aws]:
    """An AWS that does as it should until it is told otherwise."""
    with Aws() as running:
        yield running


@pytest.fixture
def worker(installed: Path, private_env: dict[str, str], aws: Aws) -> Iterator[Worker]:
    """A machine with an instance role and nothing cached; no secret may show on its stderr or in its logs."""
    env = {**private_env, **aws.environment()}
    with watched(Worker(installed / "docker-credential-ecr-login", env, aws=aws)) as machine:
        yield machine


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The URL of moto's server, which speaks AWS's contracts as other people read them."""
    with moto_server() as url:
        yield url
