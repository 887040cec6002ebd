"""config.toml and the logs, where this user or another one cannot read them."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from credhelpers.cli.doctor import executable, state
from credhelpers.finding import Finding
from tests.integration.doctor import Patient, install
from tests.remedies.conftest import needs_root
from tests.remedies.mending import POWERLESS, Mending

OTHER_USER = 12345
SETTING = "[log]\nlevel = 'debug'\n"


def complaint(patient: Patient, *arguments: str) -> str:
    """Return the remedy of a run of the command that fails."""
    answer = patient.run(*arguments)
    assert answer.code == 1, answer
    return answer.err.decode().splitlines()[-1].removeprefix("credhelpers: ")


@pytest.mark.parametrize("variable", [{}, {"CREDHELPERS_CONFIG": "{}"}])
def test_a_closed_directory_is_opened(powerless: Patient, mend: Mending, variable: dict[str, str]) -> None:
    path = powerless.set(SETTING)
    user = powerless.but(**{name: value.format(path) for name, value in variable.items()})
    path.parent.parent.chmod(0o600)
    found = user.doctor().of("config.toml")
    assert "Permission denied" in found.text
    mend(found.remedy, user.env, prefix=POWERLESS)
    assert user.doctor().state("config.toml") == "ok"


def test_a_link_to_itself_is_moved_away(user: Patient, mend: Mending) -> None:
    path = user.set(SETTING)
    path.unlink()
    path.symlink_to(path)
    mend(user.doctor().of("config.toml").remedy, user.env)
    assert user.doctor().state("config.toml") == "ok"


@pytest.mark.parametrize("closed", ["pass.log", "."])
def test_a_closed_log_can_be_shown_again(powerless: Patient, mend: Mending, closed: str) -> None:
    directory = powerless.home / ".ecr" / "log"
    directory.mkdir(parents=True)
    (directory / "pass.log").write_text('time="2030-01-01T00:00:00Z" level=info msg="mine"\n')
    (directory / closed).chmod(0o300 if closed == "." else 0)
    mend(complaint(powerless, "logs"), powerless.env, prefix=POWERLESS)
    assert b"mine" in powerless.run("logs").out


def test_the_logs_that_there_are_can_be_shown(user: Patient, mend: Mending) -> None:
    user.helper("ecr-login").get("registry.example")
    mended = mend(complaint(user, "logs", "absent"), user.env)
    assert "Not an Amazon ECR registry" in mended.shown


def as_another_user(function: Callable[[], Finding]) -> Finding:
    """Return what a function finds when another user calls it."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(OTHER_USER, OTHER_USER, OTHER_USER)
            os.setresuid(OTHER_USER, OTHER_USER, OTHER_USER)
            os.write(sink, pickle.dumps(function()))
        finally:
            os._exit(0)
    os.close(sink)
    with os.fdopen(source, "rb") as stream:
        found = pickle.loads(stream.read())
    os.waitpid(child, 0)
    assert isinstance(found, Finding)
    return found


def check_settings(path: Path) -> Finding:
    return as_another_user(lambda: state.check_settings({"CREDHELPERS_CONFIG": str(path)})[1][0])


@pytest.fixture
def shared(open_directory: Path) -> Path:
    """A configuration of root's that every user can read."""
    path = open_directory / "sub" / "config.toml"
    path.parent.mkdir()
    path.parent.chmod(0o755)
    path.write_text(SETTING)
    path.chmod(0o644)
    return path


@needs_root
def test_root_opens_a_configuration_for_everybody(user: Patient, shared: Path, mend: Mending) -> None:
    shared.chmod(0o600)
    found = check_settings(shared)
    assert "Permission denied" in found.text
    mend(found.remedy, user.env)
    assert check_settings(shared).state == "ok"


@needs_root
def test_root_opens_a_directory_for_everybody(user: Patient, shared: Path, mend: Mending) -> None:
    shared.parent.chmod(0o700)
    found = check_settings(shared)
    assert "Permission denied" in found.text
    mend(found.remedy, user.env)
    assert check_settings(shared).state == "ok"


@needs_root
def test_root_closes_a_writable_configuration(user: Patient, shared: Path, mend: Mending) -> None:
    shared.chmod(0o666)
    mend(check_settings(shared).remedy, user.env)
    assert check_settings(shared).state == "ok"


def check_helper(directory: Path, check: str) -> Finding:
    def look() -> Finding:
        environ = {"PATH": f"{directory}:/usr/bin:/bin"}
        found = executable.check_executable("x", environ, "")[1]
        return next(finding for finding in found if finding.check == check)

    return as_another_user(look)


@needs_root
def test_root_lets_everybody_run_a_helper(user: Patient, open_directory: Path, mend: Mending) -> None:
    install(open_directory, "x", "echo x 1").chmod(0o644)
    mend(check_helper(open_directory, "on PATH").remedy, user.env)
    assert check_helper(open_directory, "on PATH").state == "ok"


@needs_root
def test_root_closes_a_helper_that_all_may_write(user: Patient, open_directory: Path, mend: Mending) -> None:
    install(open_directory, "x", "echo x 1").chmod(0o757)
    mend(check_helper(open_directory, "executable").remedy, user.env)
    assert check_helper(open_directory, "executable").state == "ok"
