"""Every way of installing gives the same executables: isolated, quick, and with the same answers."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from credhelpers.suite import HELPERS
from tests.integration.ways import WAYS, Wheels, install, plant, system_python
from tests.support.aws import HOST, PASSWORD
from tests.support.client import Answer, Helper
from tests.support.tools import SYSTEM_PATH, require
from tests.support.worker import Worker

_NAMES = sorted(["credhelpers", *(f"docker-credential-{name}" for name in HELPERS)])
_HELPERS = [name for name in _NAMES if name != "credhelpers"]
_REQUESTS = (("version", b""), ("list", b""), ("get", b"registry.example:5000"), ("frobnicate", b""))


@pytest.fixture(scope="module")
def installation(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Installs in one of the ways, once, and returns the directory of the executables."""

    @cache
    def directory(way: str) -> Path:
        return install(way, wheels, tmp_path_factory.mktemp("an installation") / "root")

    return directory


@pytest.fixture(params=WAYS)
def directory(request: pytest.FixtureRequest, installation: Callable[[str], Path]) -> Path:
    """The directory of the executables that one way of installing has made."""
    return installation(request.param)


@pytest.fixture
def by_pip(installation: Callable[[str], Path]) -> Path:
    """The directory of the executables in a virtual environment of pip's."""
    return installation("pip")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of one user, whom everything that is compared is run for."""
    return {"HOME": str(tmp_path_factory.mktemp("home")), "PATH": SYSTEM_PATH}


@pytest.fixture(scope="module")
def expected(installed: Path, home: dict[str, str]) -> dict[tuple[str, str], Answer]:
    """What the executables that scripts/install.sh has installed answer to each request."""
    requests = [(name, verb, stdin) for name in _HELPERS for verb, stdin in _REQUESTS]
    return {
        (name, verb): Helper(installed / name, home).run(verb, stdin=stdin) for name, verb, stdin in requests
    }


def packages(directory: Path) -> Path:
    """Return where the packages lie of which these are the executables."""
    environment = (directory / "credhelpers").resolve().parent.parent
    (found,) = environment.glob("lib/python3.*/site-packages")
    return found


@contextmanager
def without_the_package(directory: Path) -> Iterator[None]:
    """Take away what Python would need, and bring it back."""
    package = packages(directory) / "credhelpers"
    aside = package.rename(package.with_name("aside"))
    try:
        yield
    finally:
        aside.rename(package)


def test_every_executable_is_installed(directory: Path) -> None:
    assert {*_NAMES} <= {entry.name for entry in directory.iterdir()}


def test_the_answers_are_those_of_install_sh(
    directory: Path, expected: dict[tuple[str, str], Answer], home: dict[str, str]
) -> None:
    for name in _HELPERS:
        for verb, stdin in _REQUESTS:
            answer = Helper(directory / name, home).run(verb, stdin=stdin)
            assert answer == expected[name, verb], (name, verb)
    assert Helper(directory / "credhelpers", home).run("--version").out.startswith(b"credhelpers ")


def test_a_directory_as_stdin_is_one_line(directory: Path, home: dict[str, str]) -> None:
    for name in _HELPERS:
        with open_directory("/") as descriptor:
            answer = Helper(directory / name, home).run("get", stdin=descriptor)
        assert (answer.code, answer.out) == (1, b"no credentials server URL\n")
        assert answer.err == f"{name}: no credentials server URL\n".encode()


@contextmanager
def open_directory(path: str) -> Iterator[int]:
    """Yield a descriptor of a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def test_a_warm_token_is_given_without_python(directory: Path, worker: Worker) -> None:
    helper = replace(worker, executable=directory / "docker-credential-ecr-login")
    helper.password()  # which leaves the token for the fast path

    with without_the_package(directory):
        assert helper.password() == PASSWORD


def test_a_missing_package_is_told(directory: Path, private_env: dict[str, str]) -> None:
    with without_the_package(directory):
        for name in _NAMES:
            answer = Helper(directory / name, private_env).run("list")
            assert answer.code == 1
            assert answer.out == b"credhelpers cannot be started: its Python or its packages are missing\n"
            assert answer.err.endswith(b"install it again\n")


@pytest.fixture
def hostile(private_env: dict[str, str], tmp_path: Path) -> Iterator[tuple[dict[str, str], Path, Path]]:
    """An environment that leads to planted modules, a directory of such, and the file that they leave."""
    evidence, planted = tmp_path / "evidence", tmp_path / "planted"
    version = Path(system_python()).name
    plant(planted, evidence)
    plant(Path(private_env["HOME"], f".local/lib/{version}/site-packages"), evidence)
    env = private_env | {
        "PYTHONPATH": str(planted),
        "PYTHONSTARTUP": str(planted / "json.py"),
        "PATH": f".:{private_env['PATH']}",
        "ENV": str(planted / "readlink"),
        "BASH_ENV": str(planted / "readlink"),
        "CDPATH": str(planted),
        "IFS": "/",
        "SHELLOPTS": "noglob:nounset:errexit",
    }
    yield env, planted, evidence


@pytest.mark.parametrize("home", [{}, {"PYTHONHOME": "/nonexistent"}], ids=["PYTHONPATH", "PYTHONHOME"])
def test_no_foreign_module_is_run(
    directory: Path, hostile: tuple[dict[str, str], Path, Path], home: dict[str, str]
) -> None:
    env, planted, evidence = hostile
    subprocess.run([system_python(), "-c", "import json"], env=env, cwd=planted, check=False, timeout=60)
    assert evidence.exists(), "the trap does not work on this machine's own Python"
    evidence.unlink()
    own = packages(directory)
    for name in ("sitecustomize.py", "json.py", "planted.pth"):
        (own / name).write_bytes((planted / name).read_bytes())
    try:
        for name in _NAMES:
            for verb in ("version", "list", "--version"):
                done = subprocess.run(
                    [directory / name, verb],
                    env=env | home,
                    cwd=planted,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    check=False,
                    timeout=60,
                )
                assert b"cannot be started" not in done.stdout
    finally:
        for name in ("sitecustomize.py", "json.py", "planted.pth"):
            (own / name).unlink()
    assert not evidence.exists(), evidence.read_text()


@pytest.mark.parametrize("shell", ["dash", "busybox", "bash"])
def test_any_shell_starts_it_whatever_is_set(by_pip: Path, private_env: dict[str, str], shell: str) -> None:
    path = require(shell, shell)
    copy = by_pip / "docker-credential-copy"
    text = (by_pip / "docker-credential-auto").read_text()
    copy.write_text(text.replace("#!/bin/sh", f"#!{path} sh" if shell == "busybox" else f"#!{path}", 1))
    copy.chmod(0o755)
    link = by_pip / "docker-credential-link"
    link.symlink_to(copy.name)
    env = private_env | {
        "SHELLOPTS": "noglob:nounset:errexit:xtrace",
        "IFS": "/p",
        "PATH": "relative:*:/usr/bin",
    }
    expected = b"docker-credential-auto (credhelpers) "
    try:
        for name in (str(copy), str(link), f"./{copy.name}", f"../bin/{link.name}"):
            done = subprocess.run(
                [name, "version"], env=env, cwd=by_pip, capture_output=True, timeout=60, check=True
            )
            assert done.stdout.startswith(expected), name
    finally:
        link.unlink()
        copy.unlink()


def test_system_packages_only_where_configured(by_pip: Path, private_env: dict[str, str]) -> None:
    probe = by_pip / "docker-credential-probe"
    head, end, _ = (by_pip / "docker-credential-pass").read_text().partition('\n\n"""')
    probe.write_text(head + "\nprint(*sys.path, sep='\\n')\n")
    probe.chmod(0o755)
    configuration = by_pip.parent / "pyvenv.cfg"
    written = configuration.read_text()
    alone = "include-system-site-packages = false"
    assert end
    assert alone in written

    def path() -> list[str]:
        done = subprocess.run(
            [probe], env=private_env, capture_output=True, text=True, timeout=60, check=True
        )
        return [os.path.realpath(entry) for entry in done.stdout.splitlines()]

    try:
        own = path()
        configuration.write_text(written.replace(alone, alone.replace("false", "true")))
        shared = path()
    finally:
        configuration.write_text(written)
        probe.unlink()

    assert own[-1] == str(packages(by_pip))
    assert shared[: len(own)] == own
    assert [entry for entry in shared[len(own) :] if entry.endswith("-packages")]


def test_doctor_knows_the_fast_path_of_pip(by_pip: Path, worker: Worker) -> None:
    docker = worker.home / ".docker"
    docker.mkdir()
    (docker / "config.json").write_text(f'{{"credHelpers": {{"{HOST}": "ecr-login"}}}}')
    env = {**worker.env, "PATH": f"{by_pip}:/usr/bin:/bin"}

    said = Helper(by_pip / "credhelpers", env).run("doctor").out.decode()

    assert f"everything else starts {by_pip / 'docker-credential-ecr-login'}" in " ".join(said.split())
