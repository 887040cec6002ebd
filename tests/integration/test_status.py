"""`credhelpers status` at a terminal and towards AWS; tests/stories/status tells the rest."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient
from tests.support import tmux
from tests.support.aws import HOST, Aws, failing

SERVER = "registry.example:5000"


def plain(username: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{username}:{CANARY}".encode()).decode()}


@pytest.fixture
def user(installed: Path, password_store_env: dict[str, str], aws: Aws, tmp_path: Path) -> Iterator[Patient]:
    """A user with a password in the password store, whose Docker asks for it."""
    path = f"{tmp_path / 'others'}:{installed}:/usr/bin:/bin"
    someone = Patient(installed, {**password_store_env, **aws.environment(), "PATH": path})
    assert someone.helper("pass").store(SERVER, "ada", CANARY).code == 0
    someone.configure(credsStore="pass")
    yield someone
    someone.assert_no_secret_was_shown()


def status(user: Patient, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    """Return what is told of each server."""
    answer = user.run("status", "--json", *arguments)
    assert answer.code == code, answer
    return {row["server"]: row for row in json.loads(answer.out)["credentials"]}


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours(user: Patient, environment: dict[str, str], coloured: bool) -> None:
    user.configure(credsStore="pass", auths={"plain.example": plain("bob")})
    shown = user.but(COLUMNS="120", **environment).on_terminal("status")
    assert SERVER in shown
    assert ("\x1b[31mplain.example" in shown) is coloured
    assert ("\x1b[33mcredhelpers: config.json holds secrets" in shown) is coloured


def test_aws_is_not_asked_without_a_token(user: Patient, aws: Aws) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    row = status(user)[HOST]
    assert (row["kind"], row["username"], row["expires"]) == ("ECR token", "AWS", None)
    assert row["note"] == "the next pull gets a token"
    assert row["identity"] == "the AWS SDK's default chain"
    assert aws.total == 0


def test_aws_is_not_asked_with_a_token(user: Patient, aws: Aws) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    assert user.helper("ecr-login").get(HOST).found
    before = aws.total
    row = status(user)[HOST]
    assert 12 * 3600 - 60 < row["seconds_left"] <= 12 * 3600
    assert row["note"] == ""
    assert "11 h 59 min" in user.run("status").out.decode()
    assert aws.total == before


def test_a_remembered_failure_is_told(user: Patient, aws: Aws) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    aws.fault = failing(400, "AccessDeniedException")
    user.helper("ecr-login").get(HOST)
    assert "AccessDeniedException" in status(user)[HOST]["note"]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_names_are_whole_at_any_width(user: Patient, columns: int, tmp_path: Path) -> None:
    user.configure(
        credsStore="pass",
        credHelpers={HOST: "ecr-login"},
        auths={f"{'mirror.' * 12}registry.example": plain("a-user-with-a-name-of-some-length")},
    )

    shown = tmux.show("credhelpers status", user.env, columns, tmp_path)

    words = user.run("status").out.split()[7:]
    assert set(map(bytes.decode, words)) <= set("\n".join(shown).split())
    assert all(len(line) <= columns or len(line.split()) == 1 for line in shown)
