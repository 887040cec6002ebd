"""The log: one line a record, no secret of a URL, and no trouble when it cannot be written."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers import log
from credhelpers.config import Settings
from credhelpers.log import Log

NOW = 1_700_000_000.0
SECRET = "canary7d1fe02a"
_FIELD = r'(?:[A-Za-z0-9\-._/@^+]+|"(?:[^"\\]|\\.)*")'
LINE = re.compile(rf'time="2023-11-14T22:13:20Z" level=info msg="done"((?: [a-zA-Z]+={_FIELD})*)\n')
_WORDS = st.sampled_from(
    ["cannot", "reach", "https://registry.example/v1/", "a@b.example", "arn:aws:iam::1:role/x", "="]
)


def record(**fields: str) -> str:
    return log.record(NOW, "info", "done", fields)


def test_a_record_is_what_logrus_writes() -> None:
    assert log.record(
        NOW, "error", "Error retrieving credentials", {"serverURL": "a.example", "error": 'no "x"'}
    ) == (
        'time="2023-11-14T22:13:20Z" level=error msg="Error retrieving credentials"'
        ' serverURL=a.example error="no \\"x\\""\n'
    )


@given(st.dictionaries(st.from_regex("[a-z]+", fullmatch=True), st.text(), max_size=3))
def test_a_record_is_one_printable_line(fields: dict[str, str]) -> None:
    line = log.record(NOW, "info", "done", fields)
    assert LINE.fullmatch(line)
    assert line[:-1].isprintable()
    line.encode()


@given(st.text(max_size=200).filter(lambda text: "?" not in text and "@" not in text))
def test_a_value_can_be_read_back(value: str) -> None:
    field = record(value=value).removesuffix("\n").partition(" value=")[2]
    text = field[1:-1].replace('\\"', '"') if field.startswith('"') else field
    if not value.isprintable() or "\\" in value or '"' in value:
        text = text.encode("latin-1", "backslashreplace").decode("unicode_escape")
    assert text == value


def test_a_value_cannot_end_its_quotes() -> None:
    assert record(value='x" level=panic\ntime="').count('"') - record(value="").count('"') == 2
    assert record(value='a\\"b').endswith(' value="a\\\\\\"b"\n')


def test_a_long_value_is_cut() -> None:
    assert len(record(value="x" * 1_000_000)) < 2000


@pytest.mark.parametrize(
    "text",
    [
        f"https://alice:{SECRET}@registry.example/v1/",
        f"https://{SECRET}@registry.example",
        f"alice:{SECRET}@registry.example:5000",
        f"//alice:{SECRET}@registry.example",
        f"https://alice:p@{SECRET}@registry.example",
        f"https://registry.example/v1/?token={SECRET}",
        f"registry.example?token={SECRET}",
        f'sed "s#,?x#" "https://registry.example/a,?token={SECRET}"',
        f"registry.example:5000/v2/?token={SECRET}",
        f"https://registry.example/?a=1&b=https://u:{SECRET}@h/?c={SECRET}",
        f"cannot reach https://alice:{SECRET}@registry.example: refused",
        f'Get "https://alice:{SECRET}@registry.example/v2/": refused',
        f"first\nhttps://alice:{SECRET}@registry.example",
        f"https://a:b@one.example\thttps://alice:{SECRET}@two.example",
        f"https://a:b@one.example,https://alice:{SECRET}@two.example/v1/",
    ],
)
def test_passwords_in_urls_are_not_logged(text: str) -> None:
    assert SECRET not in log.redact(text)
    assert SECRET not in record(serverURL=text)
    assert SECRET not in log.one_line(text)
    assert "example" in log.redact(text)


@given(
    st.lists(_WORDS),
    st.lists(_WORDS),
    st.sampled_from(["https://", "//", "HTTP://"]),
    st.sampled_from("\n\t ,;'\"("),
)
def test_a_password_is_redacted_anywhere(
    before: list[str], after: list[str], scheme: str, between: str
) -> None:
    text = (
        between.join([*before, f"{scheme}alice:{SECRET}@registry.example/v1/?q={SECRET}"])
        + " "
        + " ".join(after)
    )
    redacted = log.redact(text)
    assert SECRET not in redacted
    assert "registry.example/v1/" in redacted


@pytest.mark.parametrize(
    "text",
    [
        "alice@example.com",
        "arn:aws:iam::1:role/x",
        "h.example:5000/app@sha256:0a1b",
        "really?",
        "https://h.example/a@b",
        "sed -E 's#,?[[:space:]]*\"x\"##;t;s#(a|b)?c##'",
    ],
)
def test_what_holds_no_password_is_left_as_it_is(text: str) -> None:
    assert log.redact(text) == text


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert log.one_line(text).isprintable()


class TestTheFile:
    def test_records_below_the_level_are_left_out(self, tmp_path: Path) -> None:
        written = Log("pass", str(tmp_path / ".ecr"), Settings({"log.level": "warning"}))
        for write in (written.debug, written.info, written.warning, written.error):
            write(write.__name__)
        text = (tmp_path / ".ecr/log/pass.log").read_text()
        assert re.findall(r'level=(\w+) msg="(\w+)"', text) == [("warning", "warning"), ("error", "error")]

    def test_it_is_the_users_alone(self, tmp_path: Path) -> None:
        Log("pass", str(tmp_path / ".ecr"), Settings({})).info("done")
        assert [(tmp_path / name).stat().st_mode & 0o777 for name in (".ecr/log", ".ecr/log/pass.log")] == [
            0o700,
            0o600,
        ]

    @pytest.mark.parametrize("what", ["file", "link", "open directory"])
    def test_one_warning_if_it_cannot_be_written(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], what: str
    ) -> None:
        place = tmp_path / "log"
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        if what == "file":
            place.write_text("in the way")
        elif what == "link":
            place.symlink_to(elsewhere)
        else:
            place.mkdir()
            place.chmod(0o777)
        written = Log("pass", str(tmp_path), Settings({}))
        for _ in range(3):
            written.error("failed")
        assert re.fullmatch(r"cannot write the log: .+\n", capfd.readouterr().err)
        assert list(elsewhere.iterdir()) == []

    def test_without_a_home_there_is_no_log(self, capfd: pytest.CaptureFixture[str]) -> None:
        Log("pass", None, Settings({})).error("failed")
        assert capfd.readouterr() == ("", "")

    def test_a_closed_stderr_is_not_an_error(self) -> None:
        saved = os.dup(2)
        try:
            os.close(2)
            log.warn("anything")
        finally:
            os.dup2(saved, 2)
            os.close(saved)
