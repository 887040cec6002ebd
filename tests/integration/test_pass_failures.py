"""Each way in which gpg or the disk can fail a password store has its own line and its own remedy."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.pass_store import Store
from tests.support.ahead import Ahead
from tests.support.client import Helper
from tests.support.gpg import (
    PASSPHRASE,
    GpgHome,
    configure_agent,
    end_agent,
    make_key,
    revoke,
    throwaway_gpg_home,
)
from tests.support.tools import require

SERVER = "https://registry.example/v1/"
DOCKER_LOGIN = f"store the credentials again: docker login '{SERVER}'"


@pytest.fixture
def store(private_env: dict[str, str], own_home: GpgHome, installed: Path) -> Store:
    return store_at(private_env, own_home, installed)


def store_at(private_env: dict[str, str], own_home: GpgHome, installed: Path) -> Store:
    directory = Path(private_env["HOME"], ".password-store")
    directory.mkdir(mode=0o700)
    (directory / ".gpg-id").write_text(own_home.fingerprint)
    helper = Helper(installed / "docker-credential-pass", {**private_env, **own_home.env})
    assert helper.store(SERVER, "me", "secret").code == 0
    return Store(helper, directory)


def entry(store: Store) -> Path:
    return store.folder_of(SERVER) / "me.gpg"


def unlock(store: Store) -> str:
    return f"unlock it in a terminal: GPG_TTY=$(tty) gpg --decrypt --output /dev/null '{entry(store)}'"


@pytest.fixture
def locked(store: Store, own_home: GpgHome) -> Store:
    """A store whose entry is encrypted for a key with a passphrase that no agent knows."""
    return lock(store, own_home)


def lock(store: Store, own_home: GpgHome) -> Store:
    # Without it each new agent takes seconds to measure how slow a passphrase's key can be made.
    (own_home.path / "gpg-agent.conf").write_text("s2k-count 65536\n")
    end_agent(own_home)
    fingerprint = make_key(own_home, "locked@credhelpers.example", passphrase=PASSPHRASE)
    assert store.with_env(PASSWORD_STORE_KEY=fingerprint).helper.store(SERVER, "me", "secret").code == 0
    end_agent(own_home)
    return store


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Store, GpgHome]]:
    """Such a store, and its keys."""
    with throwaway_gpg_home() as home:
        yield lock(store_at(private_env, home, installed), home), home


def set_pinentry(home: GpgHome, script: str) -> None:
    """Have the passphrase asked for by a script of ours; none at all when it is empty."""
    program = home.path / "pinentry"
    if script:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    configure_agent(home, program)


def answers(answer: str) -> str:
    """Return a pinentry that meets each question with an answer of the Assuan protocol."""
    return f"echo OK; while read -r word rest; do case $word in GETPIN) {answer};; *) echo OK;; esac; done"


def test_a_pinentry_that_is_missing_is_named(locked: Store, own_home: GpgHome) -> None:
    set_pinentry(own_home, "")
    cause, remedy = locked.unreadable(SERVER)
    assert cause == (
        "the GPG key is locked, and gpg-agent has no pinentry to ask for its passphrase: "
        f"{own_home.path}/pinentry, which {own_home.path}/gpg-agent.conf names, does not exist"
    )
    assert remedy.startswith("let it find another: ")


def test_a_cancelled_prompt(locked: Store, own_home: GpgHome) -> None:
    set_pinentry(own_home, answers('echo "ERR 83886179 Operation cancelled"'))
    assert locked.unreadable(SERVER) == (
        "the prompt for the GPG key's passphrase was cancelled",
        "try again, or " + unlock(locked),
    )


def test_a_prompt_that_times_out(locked: Store, own_home: GpgHome) -> None:
    set_pinentry(own_home, answers('echo "ERR 83886142 Timeout"'))
    assert locked.unreadable(SERVER) == (
        "the prompt for the GPG key's passphrase was not answered in time",
        "try again, or " + unlock(locked),
    )


def test_a_passphrase_that_is_given_unlocks(locked: Store, own_home: GpgHome) -> None:
    set_pinentry(own_home, answers(f'echo "D {PASSPHRASE}"; echo OK'))
    assert locked.secret(SERVER) == "secret"


def test_a_cached_passphrase_is_enough(locked: Store, own_home: GpgHome) -> None:
    own_home.run("--pinentry-mode", "loopback", "--passphrase", PASSPHRASE, "--decrypt", str(entry(locked)))
    assert locked.secret(SERVER) == "secret"


def test_storing_needs_no_passphrase(locked: Store, own_home: GpgHome) -> None:
    set_pinentry(own_home, "exec sleep 60")
    to_locked = locked.with_env(PASSWORD_STORE_KEY="locked@credhelpers.example")
    assert to_locked.helper.store("other.example", "me", "secret").code == 0


def test_an_expired_key_still_decrypts(store: Store, own_home: GpgHome) -> None:
    fingerprint = make_key(own_home, "expired@credhelpers.example", expires="seconds=60")
    for name in (fingerprint, "expired@credhelpers.example"):
        cause, remedy = store.with_env(PASSWORD_STORE_KEY=name).refused(SERVER)
        assert cause == f"the GPG key {name} has expired"
        assert remedy.startswith(f"extend it: gpg --quick-set-expire {fingerprint} 1y")
    own_home.run(
        *("--faked-system-time", "20200101T000010", "--yes", "--recipient", fingerprint),
        *("--output", str(entry(store)), "--encrypt"),
        stdin=b"old",
    )
    assert store.secret(SERVER) == "old"


def test_a_revoked_key_is_named(store: Store, own_home: GpgHome) -> None:
    fingerprint = make_key(own_home, "revoked@credhelpers.example")
    revoke(own_home, fingerprint)
    for name in (fingerprint, "revoked@credhelpers.example"):
        cause, remedy = store.with_env(PASSWORD_STORE_KEY=name).refused(SERVER)
        assert (cause, remedy) == (
            f"the GPG key {name} has been revoked",
            "choose another key: set PASSWORD_STORE_KEY to <your GPG key>",
        )


def test_a_missing_gnupg_home_is_named(store: Store, tmp_path: Path) -> None:
    lost = store.with_env(GNUPGHOME=str(tmp_path / "none"))
    for cause, remedy in (lost.unreadable(SERVER), lost.refused(SERVER)):
        assert cause.startswith("GnuPG has no keys here: ")
        assert str(tmp_path / "none") in cause
        assert "GNUPGHOME" in remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_gnupg_home_of_another_user_is_named(store: Store, own_home: GpgHome) -> None:
    end_agent(own_home)
    with readable_by_all(store.directory), readable_by_all(store.helper.executable.parent):
        command = [
            "/usr/bin/setpriv",
            "--reuid=65534",
            "--clear-groups",
            "--",
            str(store.helper.executable),
            "get",
        ]
        done = subprocess.run(
            command,
            input=SERVER.encode(),
            env={**store.helper.env, "PASSWORD_STORE_DIR": str(store.directory)},
            capture_output=True,
            timeout=20,
            check=False,
        )
    assert done.stdout.startswith(b"gpg cannot read its keys: "), done
    assert b"as root: chown -R 65534 " in done.stderr


@contextmanager
def readable_by_all(directory: Path) -> Iterator[None]:
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o755)
    for parent in directory.parents:
        if parent.stat().st_mode & 0o055 != 0o055:
            parent.chmod(0o755)
    yield


def test_a_gpg_that_is_not_installed_is_named(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "gpg"
    planted.write_text("#!/bin/sh\necho planted\n")
    planted.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for path in ("/nonexistent", ".::", ""):
        for cause, remedy in (
            store.with_env(PATH=path).unreadable(SERVER),
            store.with_env(PATH=path).refused(SERVER),
        ):
            assert cause == "GnuPG is not installed, or not on PATH"
            assert remedy == "install it: apt install gnupg, or dnf install gnupg2"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no OpenPGP data at all",
        None,  # half of what was there; gpg itself calls this a success
        b"\xcb\x0db\x00\x00\x00\x00\x00cleartx",  # a literal data packet (RFC 4880, 5.9)
    ],
    ids=["empty", "rubbish", "truncated", "not encrypted"],
)
def test_a_damaged_entry_is_named(store: Store, content: bytes | None) -> None:
    old = entry(store).read_bytes()
    entry(store).write_bytes(old[: len(old) // 2] if content is None else content)
    told, remedy = store.unreadable(SERVER)
    assert told.startswith(f"{entry(store)} is damaged"), told
    assert remedy == DOCKER_LOGIN


def test_an_entry_with_a_flipped_bit_is_named(store: Store) -> None:
    content = bytearray(entry(store).read_bytes())
    content[-10] ^= 1
    entry(store).write_bytes(content)
    told, remedy = store.unreadable(SERVER)
    assert told.startswith(f"{entry(store)} is damaged: "), told
    assert remedy == DOCKER_LOGIN


def test_a_bomb_is_not_read_to_its_end(store: Store, own_home: GpgHome) -> None:
    entry(store).unlink()
    own_home.run(
        *("--compress-level", "9", "--recipient", own_home.fingerprint),
        *("--output", str(entry(store)), "--encrypt"),
        stdin=b"0" * (64 << 20),
    )
    assert store.unreadable(SERVER) == ("the entry is larger than any secret", DOCKER_LOGIN)


def test_a_binary_entry_is_named(store: Store, own_home: GpgHome) -> None:
    entry(store).unlink()
    own_home.run(
        *("--recipient", own_home.fingerprint, "--output", str(entry(store)), "--encrypt"),
        stdin=b"\xff\xfe",
    )
    assert store.unreadable(SERVER) == (f"{entry(store)} is not UTF-8 text", DOCKER_LOGIN)


def test_a_fifo_or_broken_link_does_not_hang(store: Store, tmp_path: Path) -> None:
    entry(store).unlink()
    os.mkfifo(entry(store))
    assert store.unreadable(SERVER)[0] == f"{entry(store)} is not a regular file"
    entry(store).unlink()
    entry(store).symlink_to(tmp_path / "nowhere")
    assert store.unreadable(SERVER)[0] == f"{entry(store)} is a broken symbolic link"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize(
    ("option", "cause"), [("size=64k", "No space left on device"), ("ro", "Read-only file system")]
)
def test_a_full_disk_leaves_the_old_entry(store: Store, option: str, cause: str, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = [require("mount", "mount"), "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        shutil.copytree(store.directory, disk / "store")
        there = Store(store.with_env(PASSWORD_STORE_DIR=str(disk / "store")).helper, disk / "store")
        if option == "ro":
            subprocess.run([require("mount", "mount"), "-o", "remount,ro", str(disk)], check=True)
        told, remedy = there.refused(SERVER, "someone else", os.urandom(100_000).hex())
        assert told.startswith("cannot write to the password store: ")
        assert told.endswith(cause)
        assert remedy
        assert there.helper.get(SERVER).credentials().username == "me"
        assert there.secret(SERVER) == "secret"
        assert len(there.files()) == 1
        assert there.helper.erase(SERVER).code == (1 if option == "ro" else 0)
    finally:
        subprocess.run([require("umount", "mount"), str(disk)], check=True)


@ahead
def test_a_terminal_on_stderr_means_patience(locked: Store, own_home: GpgHome) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "wb", buffering=0) as terminal:
        name = os.ttyname(terminal.fileno())
        # Longer than without a terminal, and only on the terminal.
        give = f'sleep 5; [ "$tty" = {name} ] && echo "D {PASSPHRASE}"; echo OK'
        set_pinentry(
            own_home,
            "echo OK; while read -r word rest; do case $word in "
            f"GETPIN) {give};; OPTION) case $rest in ttyname=*) tty=${{rest#ttyname=}};; esac; echo OK;; "
            "*) echo OK;; esac; done",
        )
        done = subprocess.run(
            [str(locked.helper.executable), "get"],
            input=SERVER.encode(),
            stdout=subprocess.PIPE,
            stderr=terminal,
            env=dict(locked.helper.env),
            timeout=60,
            check=False,
        )
    assert b'"Secret":"secret"' in done.stdout


@ahead
def test_a_locked_key_without_a_terminal(locked: Store, own_home: GpgHome) -> None:
    cause, remedy = locked.unreadable(SERVER)
    assert cause.startswith("the GPG key is locked, and gpg cannot ask for its passphrase here: ")
    assert remedy == unlock(locked)
