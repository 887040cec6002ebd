"""Logs that grow, that many processes write at once, and that syslog gets too."""

import multiprocessing
import re
import socket
from pathlib import Path

import pytest

from credhelpers.config import Settings
from credhelpers.log import Log

WRITERS = 8
RECORDS = 150
RECORD_BYTES = 100  # about
LARGEST = 50_000


def write_records(directory: str, writer: int) -> None:
    log = Log("pass", directory, Settings({"log.max_bytes": str(LARGEST)}))
    for number in range(RECORDS):
        log.info("a record", writer=str(writer), number=str(number), filler="x" * 20)


def test_many_writers_rotate_without_loss(tmp_path: Path) -> None:
    assert WRITERS * RECORDS * RECORD_BYTES < 3 * LARGEST, "else the oldest records are meant to go"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write_records, args=(str(tmp_path), n)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0

    files = sorted((tmp_path / "log").glob("pass.log*"))
    found = re.findall(r"writer=(\d+) number=(\d+) ", "".join(file.read_text() for file in files))
    assert len(files) > 1
    assert sorted(found) == sorted((str(w), str(n)) for w in range(WRITERS) for n in range(RECORDS))
    for file in files:
        assert file.stat().st_mode & 0o777 == 0o600


def test_three_full_files_are_kept(tmp_path: Path) -> None:
    log = Log("pass", str(tmp_path), Settings({"log.max_bytes": "1000"}))
    for number in range(100):
        log.info("a record", number=str(number))

    names = sorted(file.name for file in (tmp_path / "log").iterdir())
    assert names[-3:] == ["pass.log.1", "pass.log.2", "pass.log.3"]
    assert len(names) <= 4
    newest = "".join((tmp_path / "log" / name).read_text() for name in reversed(names))
    assert newest.rstrip().endswith("number=99")


def test_syslog_gets_records_if_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "devlog"
    monkeypatch.setattr("credhelpers.log._SYSLOG", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(5)
        Log("ecr-login", str(tmp_path), Settings({})).error("unheard")
        Log("ecr-login", str(tmp_path), Settings({"log.syslog": "True"})).error(
            "heard", serverURL="https://me:pw1@host"
        )
        heard = receiver.recv(4096).decode()

    assert re.fullmatch(
        r"<11>docker-credential-ecr-login\[\d+\]: time=.* level=error msg=\"heard\" .*", heard
    )
    assert "pw1" not in heard


def test_a_missing_syslog_is_not_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credhelpers.log._SYSLOG", str(tmp_path / "none"))
    Log("ecr-login", str(tmp_path), Settings({"log.syslog": "True"})).info("written all the same")
    assert "written all the same" in (tmp_path / "log/ecr-login.log").read_text()
