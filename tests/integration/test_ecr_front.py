"""The front in plain sh says what Python says, and no longer than it may, whichever shell /bin/sh is."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.aws import HOST, PASSWORD, TOKEN_CALL
from tests.support.tools import require
from tests.support.worker import Worker, rotate

TEMPLATE = Path(__file__).parents[2] / "packaging/ecr-login-front.sh"
HOUR = 3600
PYTHON_WAS_STARTED = "python"


def python_helper(installed: Path) -> Path:
    """The executable that the front hands over to."""
    behind = installed.parent / "lib/credhelpers/bin/docker-credential-ecr-login"
    return behind if behind.exists() else installed / "docker-credential-ecr-login"


@pytest.fixture(params=["dash", "busybox", "bash"])
def front(
    request: pytest.FixtureRequest, installed: Path, worker: Worker, tmp_path: Path
) -> Iterator[Worker]:
    """A machine whose helper is the front, run by one shell, with a witness of every hand-over."""
    shell = require(request.param, request.param)
    first_line = f"#!{shell} sh" if request.param == "busybox" else f"#!{shell}"
    witness = tmp_path / "hand-over"
    witness.write_text(
        f'#!/bin/sh\n: >"{tmp_path}/{PYTHON_WAS_STARTED}"\nexec "{python_helper(installed)}" "$@"\n'
    )
    helper = tmp_path / "docker-credential-ecr-login"
    text = TEMPLATE.read_text().replace("@HELPER@", str(witness))
    helper.write_text(text.replace("#!/bin/sh", first_line, 1))
    for path in (witness, helper):
        path.chmod(0o755)
    yield replace(worker, executable=helper)


def python_was_started(front: Worker) -> bool:
    mark = front.executable.with_name(PYTHON_WAS_STARTED)
    found = mark.exists()
    mark.unlink(missing_ok=True)
    return found


def warm(front: Worker) -> None:
    """Get a token and the front's file beside it."""
    front.password()
    assert python_was_started(front)


def test_a_warm_token_comes_without_python_and_without_a_request(front: Worker) -> None:
    warm(front)
    requests = front.aws.total

    answer = front.get(HOST)

    assert answer.credentials().secret == PASSWORD
    assert not python_was_started(front)
    assert front.aws.total == requests


def test_the_front_answers_byte_for_byte_as_python(front: Worker, installed: Path) -> None:
    warm(front)
    python = replace(front, executable=python_helper(installed))

    assert front.get(HOST) == python.get(HOST)


def test_whatever_is_no_plain_host_is_handed_over_unchanged(front: Worker, installed: Path) -> None:
    warm(front)
    python = replace(front, executable=python_helper(installed))
    spellings = (f"https://{HOST}", f"{HOST}/team/app", HOST.upper(), f"{HOST}:443", HOST[:-1])

    for stdin in (*spellings, f"{HOST}\n", f"{HOST}\nextra", "", "\n"):
        assert front.run("get", stdin=stdin.encode()) == python.run("get", stdin=stdin.encode())
        assert python_was_started(front), stdin


def test_whatever_is_not_get_is_handed_over(front: Worker, installed: Path) -> None:
    python = replace(front, executable=python_helper(installed))

    for arguments in ((), ("list",), ("version",), ("get", "get"), ("g et",), ("frobnicate",)):
        assert front.run(*arguments) == python.run(*arguments)
        assert python_was_started(front), arguments


def test_a_closed_stdin_is_handed_over(front: Worker) -> None:
    warm(front)
    assert front.run("get", stdin=None).code == 1
    assert python_was_started(front)


def test_another_identity_never_gets_this_ones_token(front: Worker) -> None:
    warm(front)
    other = rotate(front)
    with_keys = front.with_keys()

    assert with_keys.password() == other
    assert front.password() == PASSWORD


def test_a_value_that_a_shell_could_take_otherwise_is_handed_over(front: Worker) -> None:
    warm(front)

    for value in ("a b", "a'b", "$(touch hacked)", "`id`", "ä", '"', "a\\b", "*"):
        assert front.but(AWS_PROFILE=value).get(HOST).code == 1
        assert python_was_started(front), value
    assert not list(front.home.rglob("hacked"))


def test_a_configuration_file_that_comes_changes_or_goes_is_noticed(front: Worker) -> None:
    warm(front)
    for name in (".aws/config", ".aws/credentials", ".config/credhelpers/config.toml"):
        path = front.home / name
        path.parent.mkdir(parents=True, exist_ok=True)

        path.write_text("")
        front.password()
        assert python_was_started(front), f"{name} has come"

    for name in (".aws/config", ".aws/credentials", ".config/credhelpers/config.toml"):
        path = front.home / name
        os.utime(path, ns=(1, 1_000_000_000))
        front.password()
        assert python_was_started(front), f"{name} has another time, and an earlier one"
        front.password()
        assert not python_was_started(front)

        path.unlink()
        front.password()
        assert python_was_started(front), f"{name} has gone"


def test_a_token_past_half_its_life_is_pythons_affair(front: Worker) -> None:
    warm(front)
    for path in (front.token_file(), front.tokens / f"front-{HOST}"):
        status = path.stat()
        os.utime(path, (status.st_atime, status.st_mtime - 7 * HOUR))

    front.password()

    assert python_was_started(front)


def test_a_clock_that_was_set_back_is_pythons_affair(front: Worker) -> None:
    warm(front)
    since = front.tokens / f"front-{HOST}.since"
    os.utime(since, (since.stat().st_atime, since.stat().st_mtime + 24 * HOUR))

    front.password()

    assert python_was_started(front)


def test_a_token_that_was_touched_is_pythons_affair(front: Worker) -> None:
    warm(front)
    token = front.token_file()
    content = token.read_bytes()
    token.unlink()
    token.write_bytes(content)

    front.password()

    assert python_was_started(front)


def test_erase_takes_the_token_from_the_front_too(front: Worker) -> None:
    warm(front)
    new = rotate(front)

    assert front.erase(HOST).code == 0
    assert front.password() == new


def test_a_stored_token_is_given_before_the_fronts(front: Worker) -> None:
    warm(front)
    assert front.store(HOST, "AWS", "brought by docker login").code == 0

    assert front.get(HOST).credentials().secret == "brought by docker login"


def test_a_directory_or_file_that_is_not_ours_is_not_read(front: Worker) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    warm(front)
    front.password()
    assert not python_was_started(front)
    os.chown(front.tokens / f"front-{HOST}", 65534, -1)

    front.password()

    assert python_was_started(front)


def test_a_link_in_place_of_the_directory_is_not_followed(front: Worker) -> None:
    warm(front)
    elsewhere = front.tokens.rename(front.home / "elsewhere")
    front.tokens.symlink_to(elsewhere)

    front.password()

    assert python_was_started(front)


def test_settings_that_change_everything_are_pythons_affair(front: Worker) -> None:
    warm(front)
    other = front.home / "other.toml"
    other.write_text("")

    for name in ("AWS_ECR_DISABLE_CACHE", "CREDHELPERS_CONFIG"):
        front.but(**{name: str(other)}).password()
        assert python_was_started(front), name


def test_another_cache_directory_is_used_by_both(front: Worker) -> None:
    moved = front.but(AWS_ECR_CACHE_DIR=str(front.home / "moved"))
    warm(moved)

    moved.password()

    assert not python_was_started(moved)
    assert not front.tokens.exists()


def test_no_home_is_pythons_affair(front: Worker) -> None:
    assert front.but(HOME=None, AWS_ECR_CACHE_DIR=str(front.home / "state")).password() == PASSWORD
    assert python_was_started(front)


def test_what_never_ends_is_ended(front: Worker) -> None:
    warm(front)
    endless = subprocess.Popen([shutil.which("cat") or "cat", "/dev/zero"], stdout=subprocess.PIPE)
    with endless:
        assert front.run("get", stdin=endless.stdout, timeout=20).code != 0
        endless.kill()


def test_a_front_left_by_nobody_costs_one_call(front: Worker) -> None:
    for _ in range(5):
        front.password()
    assert front.aws.calls[TOKEN_CALL] == 1
