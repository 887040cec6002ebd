"""A cache that is hostile, broken, full or missing: the answer comes, and the user is told why."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.aws import HOST, PASSWORD, TOKEN_CALL
from tests.support.client import Answer
from tests.support.tools import require
from tests.support.worker import Worker, rotate

NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount and give files away")


def _told_once(answer: Answer, reason: str) -> bool:
    lines = answer.err.decode().splitlines()
    return len([line for line in lines if reason in line]) == len(lines) == 1


def _symlink(tokens: Path) -> None:
    elsewhere = tokens.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    precious = elsewhere / "precious"
    precious.write_text("old")
    os.utime(precious, (0, 0))
    tokens.symlink_to(elsewhere)


def _world_writable(tokens: Path) -> None:
    tokens.mkdir()
    tokens.chmod(0o777)


def _group_writable(tokens: Path) -> None:
    tokens.mkdir()
    tokens.chmod(0o770)


def _foreign(tokens: Path) -> None:
    tokens.mkdir(mode=0o700)
    os.chown(tokens, NOBODY, NOBODY)


def _file(tokens: Path) -> None:
    tokens.write_text("")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_symlink, "is a symbolic link"),
        (_world_writable, "other users may write to"),
        (_group_writable, "other users may write to"),
        pytest.param(_foreign, "belongs to another user", marks=as_root),
        (_file, "is not a directory"),
    ],
)
def test_an_untrusted_directory_is_not_used(
    worker: Worker, spoil: Callable[[Path], None], reason: str
) -> None:
    worker.tokens.parent.mkdir(mode=0o700)
    spoil(worker.tokens)
    before = worker.tokens.lstat()
    kept = sorted(worker.tokens.rglob("*"))

    for _ in range(2):
        answer = worker.get(HOST)
        assert answer.credentials().secret == PASSWORD
        assert _told_once(answer, reason), answer.err
        assert reason in worker.log

    assert worker.erase(HOST).code == 0
    assert worker.list().value() == {}
    assert worker.aws.calls[TOKEN_CALL] == 2
    assert sorted(worker.tokens.rglob("*")) == kept
    after = worker.tokens.lstat()
    assert (after.st_mode, after.st_uid, after.st_ino) == (before.st_mode, before.st_uid, before.st_ino)


def test_a_readable_directory_is_tightened(worker: Worker) -> None:
    worker.password()
    worker.tokens.chmod(0o755)
    worker.age(13 * 3600)

    answer = worker.get(HOST)

    assert (answer.credentials().secret, answer.err) == (PASSWORD, b"")
    assert worker.tokens.stat().st_mode & 0o777 == 0o700


def _garbage(file: Path) -> None:
    file.write_bytes(os.urandom(3000))


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-20])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _times_that_are_none(file: Path) -> None:
    lines = file.read_text().split("\n")
    file.write_text("\n".join([*lines[:2], "soon", "never", *lines[4:]]))


def _gigantic(file: Path) -> None:
    os.truncate(file, 1 << 30)


def _fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def _readable_for_all(file: Path) -> None:
    file.chmod(0o644)


def _given_away(file: Path) -> None:
    os.chown(file, NOBODY, NOBODY)


def _link_to_a_copy(file: Path) -> None:
    copy = file.parent.parent / "copy"
    file.rename(copy)
    file.symlink_to(copy)


@pytest.mark.parametrize(
    "spoil",
    [
        _garbage,
        _truncated,
        _empty,
        _times_that_are_none,
        _gigantic,
        _fifo,
        _readable_for_all,
        _link_to_a_copy,
        pytest.param(_given_away, marks=as_root),
    ],
)
def test_a_damaged_file_is_reported_and_replaced(worker: Worker, spoil: Callable[[Path], None]) -> None:
    machine = worker.without_fast_path()
    machine.password()
    file = worker.token_file()
    spoil(file)
    new = rotate(worker)

    answer = machine.get(HOST)

    assert answer.credentials().secret == new
    assert _told_once(answer, "token cache"), answer.err
    assert "The token cache is not used" in worker.log
    healed = machine.get(HOST)
    assert (healed.credentials().secret, healed.err) == (new, b"")
    assert worker.aws.calls[TOKEN_CALL] == 2


def test_a_directory_in_a_files_place(worker: Worker) -> None:
    worker.password()
    file = worker.token_file()
    file.unlink()
    file.mkdir()

    answer = worker.get(HOST)

    assert answer.credentials().secret == PASSWORD
    assert _told_once(answer, "token cache"), answer.err


def _in_mounts(worker: Worker, script: str) -> Worker:
    """Return the machine with its helper run after a shell script in a mount namespace of its own."""
    unshare = require("unshare", "util-linux")
    shell = worker.home / "mounted"
    shell.write_text(
        f'#!/bin/sh\nexec {unshare} -m sh -ec \'{script}\nexec "$0" "$@"\' \'{worker.executable}\' "$@"\n'
    )
    shell.chmod(0o700)
    return replace(worker, executable=shell)


@as_root
def test_a_read_only_home_costs_the_cache_only(worker: Worker) -> None:
    worker.password()
    worker.age(13 * 3600)
    state = worker.home / ".ecr"
    read_only = _in_mounts(worker, f'mount --bind "{state}" "{state}"\nmount -o remount,ro,bind "{state}"')

    answer = read_only.get(HOST)

    assert answer.credentials().secret == PASSWORD
    lines = answer.err.decode().splitlines()
    assert (
        sorted(line.partition("Read-only file system")[1] for line in lines) == ["Read-only file system"] * 2
    )
    assert any("token cache" in line for line in lines)
    assert any("cannot write the log" in line for line in lines)


@as_root
def test_a_full_disk_costs_the_cache_only(worker: Worker) -> None:
    state = worker.home / ".ecr"
    state.mkdir(mode=0o700)
    fill = f'mount -t tmpfs -o size=16k,mode=700 none "{state}"\ncat /dev/zero 2>&- >"{state}/full" || true'
    full = _in_mounts(worker, fill)

    answer = full.get(HOST)

    assert answer.credentials().secret == PASSWORD
    assert len(answer.err.decode().splitlines()) == 2
    assert answer.err.decode().count("No space left on device") == 2


def test_without_home_passwd_is_asked(worker: Worker, tmp_path: Path) -> None:
    # The real home of whoever runs the tests is not for tests, so a passwd file of our own stands in.
    known = subprocess.run(
        ["getent", "passwd", str(os.geteuid())], capture_output=True, text=True, check=True
    ).stdout.split(":")
    home = tmp_path / "known"
    home.mkdir(mode=0o700)
    passwd = tmp_path / "passwd"
    passwd.write_text(":".join([*known[:5], str(home), "/bin/sh"]) + "\n")
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    machine = _in_mounts(worker, f'mount --bind "{passwd}" /etc/passwd')

    for wrong in (None, "", "relative", "/nonexistent", "/etc/passwd"):
        answer = machine.but(HOME=wrong).get(HOST)
        assert (answer.credentials().secret, answer.err) == (PASSWORD, b"")

    assert len(list((home / ".ecr" / "tokens").glob("eu-central-1-????????"))) == 1


@as_root
def test_another_users_home_is_not_written_to(worker: Worker, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir()
    os.chown(others, NOBODY, NOBODY)
    cache = tmp_path / "cache"

    assert worker.but(HOME=str(others), AWS_ECR_CACHE_DIR=str(cache)).password() == PASSWORD

    assert list(others.iterdir()) == []
    assert worker.aws.calls[TOKEN_CALL] == 1
