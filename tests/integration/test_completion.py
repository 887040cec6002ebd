"""What bash completes of `credhelpers`, once it has been told to as docs/cli.md says."""

import subprocess
from pathlib import Path

import pytest

from tests.support.operator import Operator
from tests.support.tools import require

_SCRIPT = """
eval "$(_CREDHELPERS_COMPLETE=bash_source credhelpers)"
COMP_WORDS=(%s)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_credhelpers_completion credhelpers
printf '%%s\\n' "${COMPREPLY[@]}"
"""


def completions(operator: Operator, words: str) -> list[str]:
    done = subprocess.run(
        [require("bash", "bash"), "-c", _SCRIPT % words],
        env=operator.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def operator(installed: Path, private_env: dict[str, str]) -> Operator:
    return Operator.at(installed, private_env)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("credhelpers log", ["login", "logout", "logs"]),
        ("credhelpers init ''", ["pass", "keyring"]),
        ("credhelpers refresh --w", ["--watch"]),
        ("credhelpers login registry.example --pass", ["--password-stdin"]),
    ],
)
def test_commands_and_options_are_completed(operator: Operator, words: str, found: list[str]) -> None:
    assert completions(operator, words) == found


def test_helpers_that_have_a_log_are_completed(operator: Operator) -> None:
    operator.write(".ecr/log/pass.log", "")
    operator.write(".ecr/log/ecr-login.log", "")

    assert completions(operator, "credhelpers logs ''") == ["ecr-login", "pass"]
    assert completions(operator, "credhelpers logs p") == ["pass"]
