"""No core file holds a secret, whatever ends a process that has one in memory."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.client import Credentials

REQUEST = Credentials("registry.example", "me", "canary-5ecret").to_json()
SECONDS = 20.0


@contextmanager
def waiting(executable: Path, *arguments: str, env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a command that waits for the rest of its standard input."""
    with subprocess.Popen(
        [str(executable), *arguments],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=env["HOME"],
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def core_limit(pid: int) -> str:
    """Return the soft limit for core files of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[4] for line in lines if line.startswith("Max core file size"))


def wait_until_forbidden(pid: int) -> None:
    deadline = time.monotonic() + SECONDS
    while core_limit(pid) != "0":
        assert time.monotonic() < deadline, "it may leave a core file"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def core_files_allowed() -> Iterator[None]:
    """Core files are allowed to this process, and so to those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


@pytest.fixture
def env(password_store_env: dict[str, str]) -> dict[str, str]:
    return password_store_env


@pytest.mark.parametrize("name", ["pass", "keyring", "auto", "ecr-login"])
def test_a_helper_with_a_secret_leaves_none(installed: Path, env: dict[str, str], name: str) -> None:
    with waiting(installed / f"docker-credential-{name}", "store", env=env) as process:
        assert process.stdin
        process.stdin.write(REQUEST[:-4])
        process.stdin.flush()
        wait_until_forbidden(process.pid)
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        assert os.WTERMSIG(status) == signal.SIGABRT
        assert not os.WCOREDUMP(status)
        process.returncode = -signal.SIGABRT
    assert not list(Path(env["HOME"]).glob("core*"))


@pytest.mark.parametrize("name", ["pass", "keyring", "auto"])
def test_a_helper_that_gives_a_secret_leaves_none(installed: Path, env: dict[str, str], name: str) -> None:
    with waiting(installed / f"docker-credential-{name}", "get", env=env) as process:
        wait_until_forbidden(process.pid)


def test_what_a_helper_starts_leaves_none(installed: Path, env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "gpg").write_text(
        f"#!/bin/sh\nulimit -c > {tmp_path}/limit\nulimit -H -c > {tmp_path}/hard\n"
    )
    (tmp_path / "gpg").chmod(0o755)
    env = {**env, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    with waiting(installed / "docker-credential-pass", "store", env=env) as process:
        assert process.communicate(REQUEST, timeout=SECONDS)[0]
    assert (tmp_path / "limit").read_text() == "0\n"
    assert (tmp_path / "hard").read_text() != "0\n"


def test_the_operators_command_leaves_none(installed: Path, env: dict[str, str]) -> None:
    arguments = ("login", "registry.example", "--username", "me", "--password-stdin")
    with waiting(installed / "credhelpers", *arguments, env=env) as process:
        wait_until_forbidden(process.pid)
