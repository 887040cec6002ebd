"""The users whose faults are mended, and the one who mends them."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.e2e.registry import Login
from tests.integration.doctor import Patient
from tests.remedies import catalogue
from tests.remedies.mending import POWERLESS, Mending
from tests.support.aws import Aws
from tests.support.registries import real_registry

SERVER = "registry.example:5000"


@pytest.fixture
def mend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mending]:
    """Carries out remedies; the catalogue has to name this test for each, and each has to be carried out."""
    mending = Mending(tmp_path, catalogue.entries_of(name_of(request)))
    yield mending
    if not request.node.stash.get(_FAILED, default=False):
        mending.assert_complete()


def name_of(request: pytest.FixtureRequest) -> str:
    """Return the name of a test as the catalogue has it."""
    path = request.path.relative_to(request.config.rootpath)
    return f"{path}::{request.function.__name__}"


_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note a failure, so that `mend` does not hide it behind another one."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, default=False) or report.failed  # type: ignore[attr-defined]
    return report


@pytest.fixture
def user(installed: Path, private_env: dict[str, str], tmp_path: Path) -> Patient:
    """A user who lets docker-credential-ecr-login keep everything, and has logged in nowhere."""
    env = {**private_env, "PATH": f"{installed}:/usr/bin:/bin"}
    if os.geteuid() != 0:  # else podman's programs look below /run/containers, which root's may have closed
        env["XDG_RUNTIME_DIR"] = str(tmp_path / "runtime")
        (tmp_path / "runtime").mkdir(mode=0o700)
    patient = Patient(installed, env)
    patient.configure(credsStore="ecr-login")
    return patient


@pytest.fixture
def powerless(user: Patient, tmp_path: Path) -> Patient:
    """The same user, without root's right to read and write everything."""
    return wrapped(user, tmp_path / "wrapped", " ".join(POWERLESS))


def wrapped(patient: Patient, directory: Path, command: str) -> Patient:
    """Return a user whose programs are started by another command, such as one that mounts something."""
    directory.mkdir()
    for program in patient.bin.iterdir():
        wrapper = directory / program.name
        wrapper.write_text(f'#!/bin/sh\nset -e\nset -- \'{program}\' "$@"\n{command} "$@"\n')
        wrapper.chmod(0o755)
    return Patient(directory, patient.env, patient.seen)


def in_mounts(mount: str) -> str:
    """Return what starts a command where something else is mounted, for that command alone."""
    return f'exec unshare -m sh -ec \'{mount}; exec "$0" "$@"\''


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can enter, as those of pytest cannot be."""
    with tempfile.TemporaryDirectory(prefix="ch-remedy-", dir="/tmp") as directory:
        path = Path(directory)
        path.chmod(0o755)
        yield path


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount and give files away")


@pytest.fixture
def aws() -> Iterator[Aws]:
    """An AWS that does as it should until it is told otherwise."""
    with Aws() as running:
        yield running


@pytest.fixture
def keeper(user: Patient, password_store_env: dict[str, str]) -> Patient:
    """The same user with an empty password store, which Docker is told to use."""
    user.configure(credsStore="pass")
    return user.but(**{**password_store_env, "PATH": user.env["PATH"]})


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A registry that knows ada."""
    with real_registry(tmp_path / "registry", Login("ada", CANARY), None) as name:
        yield name
