"""What commands show in real terminals of several widths, and through a pipe."""

import json
import re
from pathlib import Path

import pytest

from credhelpers.cli.shared.remedy_commands import PROGRAMS
from tests.support import tmux
from tests.support.aws import HOST
from tests.support.operator import Operator

PLAIN = {"auth": "YWRhOnB3"}
COMMANDS = {
    "doctor": {
        "credsStore": "absent",
        "credHelpers": {HOST: "ecr-logn"},
        "auths": {"registry.example:5000": PLAIN, "https://mirror.registry.example/v2/": PLAIN},
    },
    "configure --store pass": {"auths": {f"mirror-{number}.registry.example": PLAIN for number in range(5)}},
    "echo | credhelpers login registry.example --username ada --password-stdin": {"auths": {"a.example": {}}},
    "migrate --to absent": {},
    "setup --dry-run": {"credsStore": "absent", "auths": {"registry.example:5000": PLAIN}},
    "emulator --list-faults": {},
    "login user@registry.example": {},
}


@pytest.fixture
def operator(installed: Path, password_store_env: dict[str, str]) -> Operator:
    return Operator.at(installed, password_store_env)


def is_whole(line: str) -> bool:
    """Return whether a line that is too long has nothing that could be in another line."""
    words = re.sub(r"^ *(->|\d\.)", "", line).removesuffix(";").split()
    return len(words) == 1 or words[0] in PROGRAMS or words[0].startswith("/")


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("command", COMMANDS)
def test_lines_fit_and_words_are_whole(
    operator: Operator, command: str, columns: int, tmp_path: Path
) -> None:
    line = command if "credhelpers" in command else f"credhelpers {command}"
    operator.write(".docker/config.json", json.dumps(COMMANDS[command]))
    piped = tmux.show(f"({line}) 2>&1 | cat", operator.env, 1000, tmp_path)
    for backup in operator.home.glob(".docker/*backup"):
        backup.unlink()
    operator.write(".docker/config.json", json.dumps(COMMANDS[command]))

    shown = tmux.show(line, operator.env, columns, tmp_path)

    assert "\n".join(shown).split() == "\n".join(piped).split()
    for shown_line in shown:
        assert len(shown_line) <= columns or is_whole(shown_line), shown_line


def test_commands_are_copied_in_one_line(operator: Operator, tmp_path: Path) -> None:
    operator.write(".docker/config.json", json.dumps(COMMANDS["doctor"]))

    shown = tmux.show("credhelpers doctor", operator.env, 60, tmp_path)

    assert f"credhelpers configure --ecr {HOST}" in "\n".join(shown)
