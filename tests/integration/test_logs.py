"""`credhelpers logs`: all logs by time, those put aside too, and what comes while somebody looks."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credhelpers.config import Settings
from credhelpers.log import Log, record
from tests.support.operator import Operator

pytestmark = pytest.mark.timeout(120)

_NOON = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def operator(installed: Path, private_env: dict[str, str]) -> Operator:
    return Operator.at(installed, private_env)


def keep(operator: Operator, name: str, *entries: tuple[float, str, str]) -> None:
    """Write records, each of a second after noon, a level and a message, to a log or one put aside."""
    lines = [record(_NOON + second, level, message, {}) for second, level, message in entries]
    operator.write(f".ecr/log/{name}", "".join(lines))


def messages(text: str) -> list[str]:
    return [json.loads(line)["message"] for line in text.splitlines()]


def test_records_of_helpers_are_shown(operator: Operator) -> None:
    helper = operator.helper("ecr-login")
    helper.get("registry.example:5000")
    operator.helper("pass").get("other.example")

    shown = operator.succeed("logs").out

    assert "ecr-login Not an Amazon ECR registry  serverURL=registry.example:5000" in shown
    assert "pass      Credentials not found" in shown
    assert "\x1b" not in shown


def test_logs_are_merged_with_rotated_ones(operator: Operator) -> None:
    keep(operator, "pass.log.3", (1, "info", "1"))
    keep(operator, "pass.log.2", (3, "info", "3"))
    keep(operator, "pass.log.1", (5, "info", "5a"), (5, "info", "5b"))
    keep(operator, "pass.log", (5, "info", "5c"), (8, "info", "8"))
    keep(operator, "keyring.log.1", (2, "info", "2"))
    keep(operator, "keyring.log", (4, "info", "4"), (6, "info", "6"))
    keep(operator, "auto.log", (7, "info", "7"))

    merged = messages(operator.succeed("logs", "--json").out)

    assert merged == ["1", "2", "3", "4", "5a", "5b", "5c", "6", "7", "8"]


def test_one_helper_by_either_name(operator: Operator) -> None:
    keep(operator, "pass.log", (1, "info", "mine"))
    keep(operator, "keyring.log", (2, "info", "other"))

    for name in ("pass", "docker-credential-pass"):
        assert messages(operator.succeed("logs", name, "--json").out) == ["mine"]


def test_a_helper_without_a_log_is_an_error(operator: Operator) -> None:
    keep(operator, "pass.log", (1, "info", "mine"))

    cause, remedy = operator.run("logs", "acr-env").complaint

    assert cause.endswith("/log has no log of acr-env; it has: pass")
    assert remedy.endswith(": credhelpers logs")


def test_without_any_log_there_is_nothing_to_show(operator: Operator) -> None:
    result = operator.succeed("logs")

    assert (result.out, result.err) == ("", "")


def test_the_last_records_are_shown(operator: Operator) -> None:
    keep(operator, "pass.log", *((second, "info", str(second)) for second in range(60)))

    assert messages(operator.succeed("logs", "--json").out) == [str(second) for second in range(10, 60)]
    assert messages(operator.succeed("logs", "--json", "-n", "2").out) == ["58", "59"]
    assert messages(operator.succeed("logs", "--json", "-n", "0").out) == []
    assert len(messages(operator.succeed("logs", "--json", "-n", "1000").out)) == 60


def test_since_takes_a_time_or_a_duration(operator: Operator) -> None:
    now = datetime.now(UTC).timestamp() - _NOON
    old = [(now - 3600 * hours, "info", f"{hours}h") for hours in (50, 25, 3, 1)]
    keep(operator, "pass.log", *((now - 400_000 + second, "debug", "x") for second in range(60)), *old)

    assert messages(operator.succeed("logs", "--json", "--since", "2h").out) == ["1h"]
    assert messages(operator.succeed("logs", "--json", "--since", "2d").out) == ["25h", "3h", "1h"]
    assert messages(operator.succeed("logs", "--json", "--since", "2d", "-n", "1").out) == ["1h"]
    moment = datetime.now(UTC) - timedelta(hours=4)
    assert messages(operator.succeed("logs", "--json", "--since", moment.isoformat()).out) == ["3h", "1h"]
    assert len(messages(operator.succeed("logs", "--json", "--since", "2000-01-01").out)) == 64


@pytest.mark.parametrize("option", [["--since", "yesterday"], ["--since", "5 h"], ["-n", "-1"], ["-n", "x"]])
def test_a_wrong_command_line_is_exit_status_2(operator: Operator, option: list[str]) -> None:
    assert operator.run("logs", *option).code == 2


def test_fields_are_shown_as_logged(operator: Operator) -> None:
    text = 'a "quoted" back\\slash, a line\nand an escape \x1b[31m ü'
    log = Log("pass", str(operator.home / ".ecr"), Settings({}))
    log.error("It failed", error=text, serverURL="r.example:5000", empty="")

    (line,) = operator.succeed("logs", "--json").out.splitlines()

    entry = json.loads(line)
    assert entry["fields"] == {"error": text, "serverURL": "r.example:5000", "empty": ""}
    assert (entry["helper"], entry["level"], entry["message"]) == ("pass", "error", "It failed")


def test_control_characters_are_escaped(operator: Operator) -> None:
    operator.write(
        ".ecr/log/pass.log", 'raw \x1b]0;title\x07 line\ntime="x\x1b" level=\x1b msg="\\x1b[2J" a\x1b=b\x1b\n'
    )

    shown = operator.succeed("logs").out

    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.count("\n") == 2


def test_a_line_in_another_form_keeps_its_place(operator: Operator) -> None:
    keep(operator, "pass.log", (1, "info", "first"))
    with (operator.home / ".ecr/log/pass.log").open("a") as file:
        file.write("panic: something\n")
        file.write(record(_NOON + 9, "info", "last", {}))
    keep(operator, "keyring.log", (5, "info", "between"))

    assert messages(operator.succeed("logs", "--json").out) == [
        "first",
        "panic: something",
        "between",
        "last",
    ]


def test_levels_have_colours_on_a_terminal(operator: Operator) -> None:
    keep(operator, "pass.log", (1, "error", "bad"), (2, "warning", "odd"))
    with operator.at_terminal("logs") as terminal:
        assert terminal.finish() == 0
    assert "\x1b[31m" in terminal.shown
    assert "\x1b[33m" in terminal.shown

    with operator.but(NO_COLOR="1").at_terminal("logs") as terminal:
        assert terminal.finish() == 0
    assert "\x1b" not in terminal.shown
    assert "bad" in terminal.shown


def test_a_log_that_may_not_be_read_is_named(operator: Operator) -> None:
    (operator.home / ".ecr/log/pass.log").mkdir(parents=True)

    cause, _ = operator.run("logs").complaint

    assert cause.startswith("cannot read ")
    assert "pass.log" in cause


@contextmanager
def following(operator: Operator, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [str(operator.bin / "credhelpers"), "logs", "-f", "--json", *arguments],
        env=operator.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_message(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return str(json.loads(process.stdout.readline())["message"])


def test_following_shows_new_records(operator: Operator) -> None:
    keep(operator, "pass.log", (1, "info", "old"))
    with following(operator, "-n", "1") as process:
        assert next_message(process) == "old"
        operator.helper("ecr-login").get("registry.example:5000")
        assert next_message(process) == "Not an Amazon ECR registry"


def test_following_through_rotation(operator: Operator) -> None:
    """Each record fills half a log, so that files change their names all the time."""
    log = Log("pass", str(operator.home / ".ecr"), Settings({"log.max_bytes": "400"}))
    log.info("0", padding="x" * 200)
    with following(operator) as process:
        assert next_message(process) == "0"
        for number in range(1, 25):
            log.info(str(number), padding="x" * 200)
            if number % 4 == 0:  # as much as may come between two looks before the oldest file goes
                assert [next_message(process) for _ in range(4)] == [str(number - 3 + i) for i in range(4)]


def test_following_waits_for_the_whole_line(operator: Operator) -> None:
    keep(operator, "pass.log", (1, "info", "old"))
    line = record(_NOON + 2, "info", "in two pieces", {})
    with following(operator) as process, (operator.home / ".ecr/log/pass.log").open("a") as file:
        file.write(line[:30])
        file.flush()
        assert next_message(process) == "old"
        Log("keyring", str(operator.home / ".ecr"), Settings({})).info("meanwhile")
        assert next_message(process) == "meanwhile"
        file.write(line[30:])
        file.flush()
        assert next_message(process) == "in two pieces"


def test_following_a_helper_without_a_log(operator: Operator) -> None:
    with following(operator, "pass") as process:
        log = Log("pass", str(operator.home / ".ecr"), Settings({}))
        log.info("first")
        assert next_message(process) == "first"


def test_following_a_log_that_was_emptied(operator: Operator) -> None:
    keep(operator, "pass.log", *((second, "info", "old") for second in range(5)))
    with following(operator, "-n", "1") as process:
        assert next_message(process) == "old"
        keep(operator, "pass.log", (9, "info", "new"))
        assert next_message(process) == "new"


def test_following_ends_quietly_by_ctrl_c(operator: Operator) -> None:
    keep(operator, "pass.log", (1, "info", "old"))
    with following(operator) as process:
        assert next_message(process) == "old"
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, "")
