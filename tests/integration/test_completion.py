"""What bash, zsh and fish complete of `credhelpers`, with the lines of docs/cli.md."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.aws import HOST, Aws
from tests.support.operator import Operator
from tests.support.terminal import Terminal
from tests.support.tools import require

_BASH = """
eval "$(credhelpers completion bash)"
COMP_WORDS=(%s)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_credhelpers_completion credhelpers
printf '%%s\\n' "${COMPREPLY[@]}"
"""
_FISH = "credhelpers completion fish | source; complete --do-complete '%s'"


def run(shell: str, script: str, operator: Operator) -> list[str]:
    done = subprocess.run(
        [require(shell, shell), "-c", script],
        env=operator.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


def completions(operator: Operator, words: str) -> list[str]:
    return run("bash", _BASH % words, operator)


@pytest.fixture
def operator(installed: Path, private_env: dict[str, str]) -> Operator:
    user = Operator.at(installed, private_env)
    servers = {"credHelpers": {"a.example": "pass"}, "auths": {"https://b.example/v2/": {}}}
    user.write(".docker/config.json", json.dumps(servers))
    return user


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("credhelpers log", ["login", "logout", "logs"]),
        ("credhelpers init ''", ["keyring", "pass"]),
        ("credhelpers init p", ["pass"]),
        ("credhelpers refresh --w", ["--watch"]),
        ("credhelpers login registry.example --pass", ["--password-stdin"]),
        ("credhelpers completion ''", ["bash", "fish", "zsh"]),
        ("credhelpers login ''", ["a.example", "b.example"]),
        ("credhelpers logout b", ["b.example"]),
        ("credhelpers doctor ''", ["a.example", "b.example"]),
        ("credhelpers refresh a.example ''", ["a.example", "b.example"]),
        ("credhelpers status --show-secret a", ["a.example"]),
        ("credhelpers configure --store k", ["keyring"]),
        ("credhelpers migrate --to pa", ["pass"]),
    ],
)
def test_commands_and_names_are_completed(operator: Operator, words: str, found: list[str]) -> None:
    assert sorted(completions(operator, words)) == found


def test_fish_completes(operator: Operator) -> None:
    found = run("fish", _FISH % "credhelpers log", operator)
    assert {"login", "logout", "logs"} < set(found) and "doctor" not in found
    assert run("fish", _FISH % "credhelpers logout b", operator) == ["b.example"]


def test_zsh_completes(operator: Operator) -> None:
    start = 'autoload -U compinit; compinit -D; eval "$(credhelpers completion zsh)"; echo ready$((1+1))\n'
    env = {**operator.env, "COLUMNS": "80"}
    with Terminal([require("zsh", "zsh"), "-f", "-i"], env) as terminal:
        terminal.type(start)
        terminal.expect("ready2")
        terminal.type("credhelpers logout b.\t; exit\n")
        terminal.expect("b.example")


def test_helpers_that_have_a_log_are_completed(operator: Operator) -> None:
    operator.write(".ecr/log/pass.log", "")
    operator.write(".ecr/log/ecr-login.log", "")

    assert completions(operator, "credhelpers logs ''") == ["ecr-login", "pass"]
    assert completions(operator, "credhelpers logs p") == ["pass"]


def test_cached_registries_are_completed(operator: Operator) -> None:
    with Aws() as aws:
        user = operator.but(**aws.environment())
        assert user.helper("ecr-login").get(HOST).found
        asked = aws.total

        assert completions(user, "credhelpers refresh 1") == [HOST]
        assert aws.total == asked


def test_helpers_of_other_projects_are_completed(operator: Operator) -> None:
    operator.write("bin/docker-credential-vault", "").chmod(0o755)
    user = operator.but(PATH=f"{operator.home / 'bin'}:{operator.env['PATH']}")

    assert completions(user, "credhelpers migrate --from v") == ["vault"]


def test_another_directory_of_docker_counts(operator: Operator) -> None:
    operator.write("elsewhere/config.json", '{"auths": {"c.example": {}}}')

    words = f"credhelpers logout --docker-config {operator.home / 'elsewhere'} ''"
    assert completions(operator, words) == ["c.example"]


@pytest.mark.parametrize("command", ["login", "logs", "doctor", "refresh"])
def test_broken_files_are_no_error(operator: Operator, command: str) -> None:
    operator.write(".docker/config.json", "{")
    operator.write(".config/credhelpers/config.toml", "nonsense")
    operator.write(".ecr", "not a directory")

    assert completions(operator, f"credhelpers {command} ''") == []


def test_no_home_is_no_error(operator: Operator) -> None:
    user = operator.but(HOME="/nowhere")

    assert completions(user, "credhelpers login ''") == []
