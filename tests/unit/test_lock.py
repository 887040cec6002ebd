"""Locks between processes: one holder at a time, and none that outlives its process."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from credhelpers.locks import Lock, remove_lock


@pytest.fixture(params=["file", "directory"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "directory":
        (tmp_path / "lock").mkdir()
    return tmp_path / "lock"


def test_the_wait_for_a_lock_has_an_end(path: Path) -> None:
    with (
        Lock(str(path), 1),
        pytest.raises(TimeoutError, match="has held"),
        Lock(str(path), 0.01),
    ):
        pytest.fail("two hold the lock")
    with Lock(str(path), 0):
        pass


def test_only_one_holds_it_at_a_time(path: Path) -> None:
    counter = path.parent / "counter"
    counter.write_text("0")

    def count() -> None:
        for _ in range(20):
            with Lock(str(path), 30):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "80"


def test_a_killed_holder_frees_the_lock(path: Path) -> None:
    hold = (
        "import sys\nfrom credhelpers.locks import Lock\n"
        "with Lock(sys.argv[1], 1):\n  print('held', flush=True)\n  sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TimeoutError), Lock(str(path), 0):
            pytest.fail("two hold the lock")
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with Lock(str(path), 0):
            pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "made-through-the-link")
    with pytest.raises(OSError, match="symbolic"), Lock(str(tmp_path / "link"), 0):
        pytest.fail("a lock on a link")
    assert not (tmp_path / "made-through-the-link").exists()


def test_a_failed_wait_leaves_no_descriptor_open(path: Path) -> None:
    with Lock(str(path), 1):
        before = len(os.listdir("/proc/self/fd"))
        with pytest.raises(TimeoutError), Lock(str(path), 0):
            pytest.fail("two hold the lock")
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_lock_file_that_is_held_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with Lock(str(path), 1):
        remove_lock(str(path))
        assert path.exists()
    remove_lock(str(path))
    assert not path.exists()


def test_one_holder_while_the_file_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    counter = tmp_path / "counter"
    counter.write_text("0")
    done = threading.Event()

    def count() -> None:
        for _ in range(50):
            with Lock(str(path), 30):
                counter.write_text(str(int(counter.read_text()) + 1))

    def clear() -> None:
        while not done.is_set():
            remove_lock(str(path))

    cleaner = threading.Thread(target=clear)
    counters = [threading.Thread(target=count) for _ in range(4)]
    for thread in (cleaner, *counters):
        thread.start()
    for thread in counters:
        thread.join()
    done.set()
    cleaner.join()
    assert counter.read_text() == "200"
