"""Private state on disk: no file of another user is read or written, and a file is never half written."""

import errno
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credhelpers import files

PRIVATE = 0o600
LIMIT = 1000
LARGEST = 1 << 20
NOBODY = 65534

only_root_can_give_away = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can give files to another user"
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


def private_file(path: Path, content: bytes = b"content", mode: int = PRIVATE) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


class TestReading:
    def test_a_private_file_is_read(self, directory: Path) -> None:
        path = private_file(directory / "f", bytes(range(256)))
        assert files.read_private(str(path), LIMIT) == bytes(range(256))

    @pytest.mark.parametrize("size", [0, LIMIT - 1, LIMIT])
    def test_a_file_of_up_to_the_limit_is_read_whole(self, directory: Path, size: int) -> None:
        path = private_file(directory / "f", b"x" * size)
        assert len(files.read_private(str(path), LIMIT)) == size

    def test_a_huge_file_is_refused_unread(self, directory: Path) -> None:
        path = private_file(directory / "f", b"")
        os.truncate(path, 1 << 40)
        with pytest.raises(files.Untrusted):
            files.read_private(str(path), LIMIT)

    @pytest.mark.parametrize("permissions", [0o640, 0o604, 0o620, 0o602, 0o660, 0o666, 0o777, 0o644])
    def test_a_file_that_others_may_use_is_refused(self, directory: Path, permissions: int) -> None:
        path = private_file(directory / "f", mode=permissions)
        with pytest.raises(files.Untrusted):
            files.read_private(str(path), LIMIT)

    @only_root_can_give_away
    def test_a_file_of_another_user_is_refused(self, directory: Path) -> None:
        path = private_file(directory / "f")
        os.chown(path, NOBODY, NOBODY)
        with pytest.raises(files.Untrusted):
            files.read_private(str(path), LIMIT)

    def test_a_link_is_not_followed(self, directory: Path) -> None:
        (directory / "link").symlink_to(private_file(directory / "f"))
        with pytest.raises(OSError, match="symbolic") as caught:
            files.read_private(str(directory / "link"), LIMIT)
        assert caught.value.errno == errno.ELOOP

    def test_a_fifo_is_refused_at_once(self, directory: Path) -> None:
        os.mkfifo(directory / "fifo", PRIVATE)
        with pytest.raises(files.Untrusted):
            files.read_private(str(directory / "fifo"), LIMIT)

    def test_a_directory_is_refused(self, directory: Path) -> None:
        (directory / "d").mkdir(mode=0o700)
        with pytest.raises(files.Untrusted):
            files.read_private(str(directory / "d"), LIMIT)

    def test_a_missing_file_is_missing(self, directory: Path) -> None:
        with pytest.raises(FileNotFoundError):
            files.read_private(str(directory / "f"), LIMIT)


class TestReplacing:
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(contents=st.lists(st.binary(max_size=3000), min_size=1, max_size=4))
    def test_the_newest_content_stands_alone(self, directory: Path, contents: list[bytes]) -> None:
        path = directory / "f"
        for content in contents:
            files.replace(str(path), content)
        assert path.read_bytes() == contents[-1]
        assert mode(path) == PRIVATE
        assert list(directory.iterdir()) == [path]

    def test_it_is_private_whatever_the_umask(self, directory: Path) -> None:
        path = private_file(directory / "f", mode=0o666)
        old = os.umask(0)
        try:
            files.replace(str(path), b"new")
        finally:
            os.umask(old)
        assert mode(path) == PRIVATE

    def test_a_link_is_replaced_not_its_target(self, directory: Path) -> None:
        target = private_file(directory / "target", b"theirs")
        (directory / "link").symlink_to(target)
        files.replace(str(directory / "link"), b"ours")
        assert target.read_bytes() == b"theirs"
        assert not (directory / "link").is_symlink()
        assert (directory / "link").read_bytes() == b"ours"

    def test_a_fifo_is_replaced_at_once(self, directory: Path) -> None:
        os.mkfifo(directory / "f", PRIVATE)
        files.replace(str(directory / "f"), b"ours")
        assert (directory / "f").read_bytes() == b"ours"

    def test_a_failure_keeps_the_old_content(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = private_file(directory / "f", b"old")
        for function in ("fsync", "replace"):
            with monkeypatch.context() as patched:
                patched.setattr(os, function, _fail)
                with pytest.raises(OSError, match="No space"):
                    files.replace(str(path), b"new")
            assert path.read_bytes() == b"old"
            assert list(directory.iterdir()) == [path]

    def test_a_directory_in_its_place_is_kept(self, directory: Path) -> None:
        (directory / "d").mkdir()
        with pytest.raises(IsADirectoryError):
            files.replace(str(directory / "d"), b"new")
        assert list(directory.iterdir()) == [directory / "d"]

    def test_readers_see_old_or_new_content(self, directory: Path) -> None:
        path = private_file(directory / "f", b"0" * 500)

        def write() -> None:
            for number in range(100):
                files.replace(str(path), b"%d" % (number % 10) * 500)

        writer = threading.Thread(target=write)
        writer.start()
        while writer.is_alive():
            content = files.read_private(str(path), LIMIT)
            assert len(content) == 500
            assert len(set(content)) == 1

    def test_only_its_abandoned_files_are_removed(self, directory: Path) -> None:
        abandoned = private_file(directory / "f.1-2.tmp")
        long_ago = abandoned.stat().st_mtime - 3600
        others = [private_file(directory / name) for name in ("f.3-4.tmp", "g.1-2.tmp", "f.1-2", "f.tmpx")]
        for path in (abandoned, *others[1:]):
            os.utime(path, (long_ago, long_ago))
        files.replace(str(directory / "f"), b"new")
        assert sorted(directory.iterdir()) == sorted([directory / "f", *others])


class TestDirectories:
    def test_missing_parents_are_made_private_too(self, directory: Path) -> None:
        files.make_private_directory(str(directory / "a" / "b" / "c"))
        assert [mode(directory / part) for part in ("a", "a/b", "a/b/c")] == [0o700] * 3

    def test_an_open_one_of_ours_is_tightened(self, directory: Path) -> None:
        (directory / "d").mkdir()
        (directory / "d").chmod(0o755)
        files.make_private_directory(str(directory / "d"))
        assert mode(directory / "d") == 0o700

    @pytest.mark.parametrize("permissions", [0o720, 0o702, 0o777])
    def test_one_others_may_write_to_is_refused(self, directory: Path, permissions: int) -> None:
        (directory / "d").mkdir()
        (directory / "d").chmod(permissions)
        for function in (files.make_private_directory, files.trust_directory):
            with pytest.raises(files.Untrusted):
                function(str(directory / "d"))
        assert mode(directory / "d") == permissions

    @only_root_can_give_away
    def test_one_of_another_user_is_refused(self, directory: Path) -> None:
        (directory / "d").mkdir(mode=0o700)
        os.chown(directory / "d", NOBODY, NOBODY)
        with pytest.raises(files.Untrusted):
            files.make_private_directory(str(directory / "d"))

    @pytest.mark.parametrize("make", [lambda path: path.symlink_to("elsewhere"), private_file])
    def test_a_file_in_its_place_is_refused(self, directory: Path, make: Callable[[Path], object]) -> None:
        (directory / "elsewhere").mkdir(mode=0o700)
        make(directory / "d")
        with pytest.raises(files.Untrusted):
            files.make_private_directory(str(directory / "d"))

    def test_many_may_make_it_at_once(self, directory: Path) -> None:
        failures: list[BaseException] = []

        def make() -> None:
            try:
                for number in range(50):
                    files.make_private_directory(str(directory / str(number) / "a" / "b"))
            except OSError as error:
                failures.append(error)

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


class TestAppending:
    def test_lines_are_added_to_a_private_file(self, directory: Path) -> None:
        for line in (b"one\n", b"two\n"):
            files.append_private(str(directory / "f"), line, LARGEST)
        assert (directory / "f").read_bytes() == b"one\ntwo\n"
        assert mode(directory / "f") == PRIVATE

    def test_an_open_file_of_ours_is_tightened(self, directory: Path) -> None:
        path = private_file(directory / "f", b"", mode=0o644)
        files.append_private(str(path), b"line\n", LARGEST)
        assert mode(path) == PRIVATE

    def test_a_link_is_not_followed(self, directory: Path) -> None:
        target = private_file(directory / "target")
        (directory / "link").symlink_to(target)
        with pytest.raises(OSError, match="symbolic"):
            files.append_private(str(directory / "link"), b"line\n", LARGEST)
        assert target.read_bytes() == b"content"

    @pytest.mark.parametrize("reader", [False, True])
    def test_a_fifo_is_refused_without_waiting(self, directory: Path, reader: bool) -> None:
        path = directory / "fifo"
        os.mkfifo(path, PRIVATE)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if reader else -1
        with pytest.raises(OSError, match="fifo"):
            files.append_private(str(path), b"line\n", LARGEST)
        if reader:
            os.close(descriptor)

    @only_root_can_give_away
    def test_a_file_of_another_user_is_refused(self, directory: Path) -> None:
        path = private_file(directory / "f")
        os.chown(path, NOBODY, NOBODY)
        with pytest.raises(files.Untrusted):
            files.append_private(str(path), b"line\n", LARGEST)
        assert path.read_bytes() == b"content"

    def test_a_full_file_is_rotated(self, directory: Path) -> None:
        for number in range(20):
            files.append_private(str(directory / "f"), b"%06d\n" % number, largest=21)
        kept = {path.name: path.read_bytes().split() for path in directory.iterdir()}
        assert kept == {
            "f": [b"000018", b"000019"],
            "f.1": [b"000015", b"000016", b"000017"],
            "f.2": [b"000012", b"000013", b"000014"],
            "f.3": [b"000009", b"000010", b"000011"],
        }

    def test_rotation_loses_no_line_of_many_writers(self, directory: Path) -> None:
        def write(name: int) -> None:
            for number in range(60):
                files.append_private(str(directory / "f"), b"%d-%02d\n" % (name, number), largest=700)

        threads = [threading.Thread(target=write, args=(name,)) for name in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lines = b"".join(path.read_bytes() for path in directory.iterdir()).split()
        assert sorted(lines) == sorted(
            b"%d-%02d" % (name, number) for name in range(5) for number in range(60)
        )


def _fail(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_facts_are_what_stat_prints(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    (tmp_path / "link").symlink_to(path)
    command = ["stat", "-L", "-c", "%f %u %h %d:%i %s %.9Y %.9Z", str(tmp_path / "link")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout

    assert files.facts(str(tmp_path / "link")) == printed.strip() == files.facts(str(path))


def test_facts_change_with_the_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    seen = {files.facts(str(path))}
    for content in ("a", "b"):
        path.write_text(content)
        os.utime(path, ns=(10**18, 10**18))
        seen.add(files.facts(str(path)))
    copy = tmp_path / "copy"
    shutil.copy2(path, copy)
    copy.replace(path)
    seen.add(files.facts(str(path)))

    assert len(seen) == 4
    assert "" in seen
