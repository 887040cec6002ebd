"""`credhelpers status`: every credential that Docker would use, and no secret but one that is asked for."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient, install
from tests.support.aws import HOST, PASSWORD, Aws, failing
from tests.support.worker import ACCESS_KEY_ID, SECRET_ACCESS_KEY

SERVER = "registry.example:5000"
HUB = "https://index.docker.io/v1/"
ROLE = "arn:aws:iam::123456789012:role/pull"


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


def problems(user: Patient) -> dict[str, str]:
    """Return the causes of what could not be found out, by helper."""
    answer = user.run("status", "--json")
    assert answer.code == 1
    return {problem["helper"]: problem["cause"] for problem in json.loads(answer.out)["problems"]}


def test_a_stored_password_is_told_with_its_helper_and_username(user: Patient) -> None:
    row = status(user)[SERVER]
    assert (row["helper"], row["store"], row["username"]) == ("pass", "pass", "ada")
    assert (row["kind"], row["plaintext"], row["expires"]) == ("password", False, None)


def test_an_identity_token_is_called_one(user: Patient) -> None:
    assert user.helper("pass").store("token.example", "<token>", CANARY).code == 0
    assert status(user)["token.example"]["kind"] == "identity token"


def test_plain_text_lists_what_there_is_in_aligned_columns(user: Patient) -> None:
    user.configure(credsStore="pass", auths={"plain.example": plain("bob")})
    answer = user.run("status")
    heading, first, second = answer.out.decode().splitlines()
    assert heading.split() == ["SERVER", "HELPER", "USERNAME", "KIND", "NOTE"]
    assert first.split()[:3] == ["plain.example", "config.json", "bob"]
    assert second.split() == [SERVER, "pass", "ada", "password"]
    for name in ("HELPER", "USERNAME", "KIND"):
        assert heading[heading.index(name) - 1] == first[heading.index(name) - 1] == " "
    assert second.index("pass") == heading.index("HELPER")
    assert answer.err.decode().splitlines() == [
        "credhelpers: config.json holds secrets in plain text",
        "credhelpers: credhelpers migrate",
    ]
    assert "\x1b" not in (answer.out + answer.err).decode()


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_a_table_in_colours_unless_they_are_not_wanted(
    user: Patient, environment: dict[str, str], coloured: bool
) -> None:
    user.configure(credsStore="pass", auths={"plain.example": plain("bob")})
    shown = user.but(COLUMNS="120", **environment).on_terminal("status")
    assert "─" in shown
    assert SERVER in shown
    assert ("\x1b[31m" in shown) is coloured
    assert ("\x1b[33mcredhelpers: config.json holds secrets" in shown) is coloured


@pytest.mark.parametrize(
    ("entry", "kind", "username"),
    [
        (plain("bob"), "password", "bob"),
        ({"identitytoken": CANARY}, "identity token", "<token>"),
        ({"username": "bob", "password": CANARY}, "password", "bob"),
        ({"registrytoken": CANARY}, "registry token", ""),
        ({"auth": "!"}, "unreadable", ""),
    ],
)
def test_a_secret_in_the_file_is_flagged(
    user: Patient, entry: dict[str, str], kind: str, username: str
) -> None:
    user.configure(auths={"plain.example": entry})
    row = status(user)["plain.example"]
    assert (row["helper"], row["kind"], row["username"]) == ("config.json", kind, username)
    assert row["plaintext"] is True
    assert row["note"] == ""


def test_a_secret_in_the_file_that_docker_does_not_use_is_told_as_such(user: Patient) -> None:
    user.configure(credsStore="pass", auths={SERVER: plain("bob")})
    answer = user.run("status", "--json")
    rows = [row for row in json.loads(answer.out)["credentials"] if row["server"] == SERVER]
    assert {(row["helper"], row["username"], row["note"]) for row in rows} == {
        ("pass", "ada", ""),
        ("config.json", "bob", "not used: Docker asks pass"),
    }


def test_a_server_with_a_helper_of_its_own_is_asked_of_that_one_only(user: Patient, tmp_path: Path) -> None:
    install(tmp_path / "others", "x", f'echo \'{{"{SERVER}":"eve"}}\'')
    user.configure(credsStore="pass", credHelpers={SERVER: "x", "none.example": "x"})
    rows = status(user)
    assert (rows[SERVER]["helper"], rows[SERVER]["username"]) == ("x", "eve")
    assert rows["none.example"]["note"] == "the helper lists nothing for it"


def test_a_login_that_the_helper_knows_nothing_of_is_told(user: Patient) -> None:
    user.configure(credsStore="pass", auths={"gone.example": {}, SERVER: {}})
    rows = status(user)
    assert rows["gone.example"]["note"] == "config.json has a login, but the helper lists nothing for it"
    assert rows[SERVER]["username"] == "ada"


def test_the_keyring_is_asked_too(installed: Path, secret_service_env: dict[str, str]) -> None:
    user = Patient(installed, {**secret_service_env, "PATH": f"{installed}:/usr/bin:/bin"})
    user.configure(credsStore="keyring")
    assert user.helper("keyring").store(HUB, "ada", CANARY).code == 0
    assert (status(user)[HUB]["helper"], status(user)[HUB]["username"]) == ("keyring", "ada")
    user.assert_no_secret_was_shown()


def test_without_a_configuration_the_store_that_docker_takes_by_itself_is_asked(user: Patient) -> None:
    user.config.unlink()
    assert status(user)[SERVER]["helper"] == "pass"


def test_nothing_at_all_is_told_in_a_line(user: Patient) -> None:
    user.configure(auths={})
    answer = user.but(PATH="/nowhere").run("status")
    assert answer.out.decode() == f"No credentials; Docker's configuration is {user.config}.\n"


def test_another_directory_of_dockers_is_read_when_it_is_named(user: Patient, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"plain.example": plain("bob")}}))
    assert set(status(user, "--docker-config", str(tmp_path))) == {"plain.example"}


def test_an_ecr_registry_without_a_token_is_told_without_asking_aws(user: Patient, aws: Aws) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    row = status(user)[HOST]
    assert (row["kind"], row["username"], row["expires"]) == ("ECR token", "AWS", None)
    assert row["note"] == "the next pull gets a token"
    assert row["identity"] == "the AWS SDK's default chain"
    assert aws.total == 0


def test_an_ecr_token_is_told_with_whose_it_is_and_the_time_that_is_left(user: Patient, aws: Aws) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    assert user.helper("ecr-login").get(HOST).found
    before = aws.total
    row = status(user)[HOST]
    assert 12 * 3600 - 60 < row["seconds_left"] <= 12 * 3600
    assert row["note"] == ""
    assert "11 h 59 min" in user.run("status").out.decode()
    assert aws.total == before


@pytest.mark.parametrize(
    ("environment", "identity"),
    [
        ({"AWS_PROFILE": "prod"}, "profile prod"),
        (
            {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY},
            f"access key {ACCESS_KEY_ID}",
        ),
        ({"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, f"web identity as {ROLE}"),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}, "the container's role"),
    ],
)
def test_an_identity_is_told_by_what_selects_it(
    user: Patient, environment: dict[str, str], identity: str
) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    assert status(user.but(**environment))[HOST]["identity"] == identity


def test_the_identity_that_the_configuration_chooses_is_told(user: Patient) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    user.set(f'[[ecr.registry]]\nmatch = "*"\nprofile = "base"\nrole_arn = "{ROLE}"\n')
    assert status(user)[HOST]["identity"] == f"role {ROLE} by profile base"


def test_another_identitys_token_is_not_taken_for_ones_own(user: Patient) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    assert user.helper("ecr-login").get(HOST).found
    assert status(user.but(AWS_PROFILE="other"))[HOST]["expires"] is None


def test_a_token_that_somebody_logged_in_with_is_told_as_such(user: Patient) -> None:
    user.configure(credsStore="ecr-login")
    assert user.helper("ecr-login").store(HOST, "AWS", CANARY).code == 0
    row = status(user)[HOST]
    assert row["identity"] == "docker login"
    assert row["seconds_left"] > 0


def test_a_failure_that_is_remembered_is_told(user: Patient, aws: Aws) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    aws.fault = failing(400, "AccessDeniedException")
    user.helper("ecr-login").get(HOST)
    assert "AccessDeniedException" in status(user)[HOST]["note"]


def test_auto_is_told_with_whom_it_asks(user: Patient) -> None:
    user.configure(credsStore="auto")
    assert user.helper("ecr-login").get(HOST).found
    rows = status(user)
    assert (rows[SERVER]["helper"], rows[SERVER]["store"]) == ("auto", "pass")
    assert (rows[HOST]["store"], rows[HOST]["kind"]) == ("ecr-login", "ECR token")
    assert "auto -> pass" in user.run("status").out.decode()


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("echo the vault is sealed; exit 1", "docker-credential-x: the vault is sealed"),
        ("echo rubbish", "docker-credential-x list: the answer is not valid for a credential helper"),
        ("kill -9 $$", "docker-credential-x was killed by signal 9"),
        ("", "docker-credential-x is not on PATH"),
    ],
)
def test_a_broken_helper_costs_only_its_rows(user: Patient, tmp_path: Path, script: str, cause: str) -> None:
    if script:
        install(tmp_path / "others", "x", script)
    user.configure(
        credsStore="pass", credHelpers={"broken.example": "x"}, auths={"plain.example": plain("bob")}
    )
    assert problems(user) == {"x": cause}
    assert set(status(user, code=1)) == {SERVER, "plain.example"}
    answer = user.run("status")
    assert f"credhelpers: {cause}" in answer.err.decode()
    assert SERVER in answer.out.decode()


def test_a_broken_helper_behind_auto_is_named_too(user: Patient, tmp_path: Path) -> None:
    install(tmp_path / "others", "x", "echo the vault is sealed; exit 1")
    user.configure(credsStore="auto")
    user.set('[[auto.route]]\nmatch = "broken.example"\nhelper = "x"\n')
    assert problems(user) == {"auto": "docker-credential-x: the vault is sealed"}
    assert set(status(user, code=1)) == {SERVER}


def test_a_setting_that_means_nothing_costs_not_what_stands_in_the_file(user: Patient) -> None:
    user.configure(credsStore="pass", auths={"plain.example": plain("bob")})
    path = user.set("nonsense = 1\n")
    assert f"{path}, line 1: nonsense is not known" in problems(user)["credhelpers"]
    assert set(status(user, code=1)) == {"plain.example"}


def test_a_configuration_that_docker_cannot_read_is_an_error_with_a_remedy(user: Patient) -> None:
    user.config.write_text("{")
    answer = user.run("status")
    assert (answer.code, answer.out) == (1, b"")
    cause, remedy = answer.err.decode().splitlines()
    assert "is not valid JSON" in cause
    assert "correct it" in remedy


def test_names_cannot_write_on_the_terminal(user: Patient, tmp_path: Path) -> None:
    install(tmp_path / "others", "x", "printf '%s' '{\"evil\\u001b[2J.example\":\"e\\nve\"}'")
    user.configure(credsStore="x")
    answer = user.run("status")
    assert b"evil\\x1b[2J.example is not listed" in answer.err
    assert b"\x1b" not in answer.out + answer.err


def secret(user: Patient, *arguments: str) -> str:
    """Return what stands on the screen where a secret was asked for; it is no leak."""
    answer = user.run("status", *arguments)
    assert answer.code == 0, answer
    user.seen.clear()
    return answer.out.decode()


def test_the_secret_of_one_server_is_shown_on_request(user: Patient) -> None:
    lines = [
        f"server:   {SERVER}",
        "helper:   pass",
        "username: ada",
        "kind:     password",
        f"secret:   {CANARY}",
    ]
    assert secret(user, "--show-secret", SERVER).splitlines() == lines
    assert json.loads(secret(user, "--json", "--show-secret", f"https://{SERVER}/team"))["secret"] == CANARY


def test_the_secret_of_an_ecr_registry_is_its_token(user: Patient) -> None:
    user.configure(credHelpers={HOST: "ecr-login"})
    assert f"secret:   {PASSWORD}" in secret(user, "--show-secret", HOST)


def test_the_secret_in_the_file_is_shown_on_request(user: Patient) -> None:
    user.configure(auths={"plain.example": plain("bob")})
    assert f"secret:   {CANARY}" in secret(user, "--show-secret", "plain.example")


@pytest.mark.parametrize("store", ["pass", "absent", ""])
def test_a_secret_that_is_not_there_is_an_error_with_a_remedy(user: Patient, store: str) -> None:
    user.configure(credsStore=store, auths={"plain.example": {}})
    answer = user.run("status", "--show-secret", "none.example")
    assert (answer.code, answer.out) == (1, b"")
    assert answer.err.decode().splitlines()[-1].startswith("credhelpers: ")
