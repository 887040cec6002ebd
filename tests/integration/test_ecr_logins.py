"""Tokens of ECR that `docker login` has left in config.json or a store: none is copied, each is replaced."""

import base64
import json
import shlex
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.support.aws import HOST, PASSWORD, Aws
from tests.support.operator import Operator, Result

OTHER = "registry.example:5000"
OLD = {"auth": base64.b64encode(b"AWS:expired").decode()}
SECRET = {"auth": base64.b64encode(f"ada:{CANARY}".encode()).decode()}


@pytest.fixture
def cron(installed: Path, password_store_env: dict[str, str], aws: Aws) -> Operator:
    """A user with a password store and a role, whose cron job has stored a token that has expired."""
    env = {**password_store_env, **aws.environment(), "PATH": f"{installed}:/usr/bin:/bin"}
    operator = Operator.at(installed, env)
    write(operator, auths={HOST: OLD})
    return operator


@pytest.fixture
def powerless(cron: Operator) -> Operator:
    """The same user on a machine without AWS credentials."""
    cron.env["AWS_EC2_METADATA_DISABLED"] = "true"
    return cron


def write(operator: Operator, **content: object) -> None:
    operator.write(".docker/config.json", json.dumps(content))


def config(operator: Operator) -> dict[str, object]:
    content: dict[str, object] = json.loads((operator.home / ".docker/config.json").read_text())
    return content


def gets_own_token(operator: Operator, helper: str = "auto") -> bool:
    return operator.helper(helper).get(HOST).credentials().secret == PASSWORD


def run_remedy(operator: Operator, result: Result, command: str) -> Result:
    """Run a command, which has to be in what was said."""
    assert command in result.out + result.err
    return operator.run(*shlex.split(command)[1:])


def test_setup_replaces_the_token(cron: Operator) -> None:
    write(cron, auths={HOST: OLD, OTHER: SECRET})
    result = cron.succeed("setup", "--offline", "--no-podman", "--yes")
    assert f"get another token for {HOST}" in result.out
    assert f"docker-credential-auto has a token of its own for {HOST}" in result.out
    assert config(cron) == {"auths": {HOST: {}, OTHER: {}}, "credsStore": "auto"}
    assert gets_own_token(cron)


def test_setup_without_aws_leaves_it(powerless: Operator) -> None:
    result = powerless.run("setup", "--offline", "--no-podman", "--yes")
    assert result.code == 1
    assert f"{HOST}: this token of ECR ends within 12 hours, and there is no other" in result.err
    assert "no AWS credentials are configured" in result.err
    assert config(powerless) == {"auths": {HOST: OLD}}
    assert run_remedy(powerless, result, f"credhelpers logout {HOST}").code == 0
    powerless.succeed("setup", "--offline", "--no-podman", "--yes")


@pytest.mark.parametrize("as_json", [False, True])
def test_migrate_replaces_the_token(cron: Operator, *, as_json: bool) -> None:
    write(cron, auths={HOST: OLD, OTHER: SECRET})
    assert f"another token in place of {HOST}" in cron.succeed("migrate", "--to", "auto", "--dry-run").out
    result = cron.succeed("migrate", "--to", "auto", *(["--json"] if as_json else []))
    if as_json:
        report = json.loads(result.out)
        assert [item["server"] for item in report["moved"]] == [OTHER]
        assert [item["server"] for item in report["renewed"]] == [HOST]
    else:
        assert f"dropped the old token of {HOST}" in result.out
    assert config(cron)["auths"] == {HOST: {}, OTHER: {}}
    assert gets_own_token(cron)


def test_migrate_without_aws_leaves_it(powerless: Operator) -> None:
    result = powerless.run("migrate", "--to", "auto")
    assert result.code == 1
    assert "no AWS credentials are configured" in result.err
    assert config(powerless) == {"auths": {HOST: OLD}}


@pytest.mark.parametrize(
    "command", [("setup", "--offline", "--no-podman", "--yes"), ("migrate", "--to", "auto")]
)
def test_a_token_under_a_url(cron: Operator, command: tuple[str, ...]) -> None:
    """As `aws ecr get-login` has written it."""
    write(cron, auths={f"https://{HOST}": OLD})
    cron.succeed(*command)
    assert "auth" not in json.dumps(list(config(cron)["auths"].values()))  # type: ignore[attr-defined]
    assert gets_own_token(cron)


def test_podman_has_another_token(cron: Operator) -> None:
    other = {"auth": base64.b64encode(b"AWS:older").decode()}
    path = cron.write(".config/containers/auth.json", json.dumps({"auths": {HOST: other}}))
    path.chmod(0o600)
    cron.run("setup", "--offline", "--podman", "--yes")
    assert config(cron) == {"auths": {HOST: {}}, "credsStore": "auto"}
    assert gets_own_token(cron)


def test_no_token_goes_into_pass(cron: Operator) -> None:
    result = cron.run("migrate", "--to", "pass")
    assert result.code == 1
    assert "docker-credential-pass cannot get the next" in result.err
    assert config(cron) == {"auths": {HOST: OLD}}
    assert run_remedy(cron, result, f"credhelpers configure --ecr {HOST}").code == 0
    cron.succeed("migrate", "--to", "pass")
    expected = {"auths": {HOST: {}}, "credHelpers": {HOST: "ecr-login"}, "credsStore": "pass"}
    assert config(cron) == expected
    assert cron.helper("pass").stored() == {}
    assert gets_own_token(cron, "ecr-login")


def test_a_token_in_another_helper(cron: Operator) -> None:
    write(cron, credsStore="pass")
    assert cron.helper("pass").store(HOST, "AWS", "expired").code == 0
    cron.succeed("migrate", "--from", "pass", "--to", "auto")
    assert not cron.helper("pass").get(HOST).found
    assert gets_own_token(cron)


def test_the_advice_for_a_token(cron: Operator) -> None:
    result = cron.run("status")
    assert "-> credhelpers setup" in cron.run("doctor", "--offline", "--client", "docker").out
    assert run_remedy(cron, result, "credhelpers setup").code == 1
    assert "--yes" in cron.run("setup").err


def test_the_advice_after_configure(cron: Operator) -> None:
    result = cron.run("configure", "--ecr", HOST)
    command = f"credhelpers logout {HOST}"
    assert f"-> {command}" in cron.run("doctor", "--offline", "--client", "docker").out
    assert command in cron.run("status").err
    assert run_remedy(cron, result, command).code == 0
    assert config(cron) == {"auths": {}, "credHelpers": {HOST: "ecr-login"}}


def test_the_advice_with_another_store(cron: Operator) -> None:
    write(cron, auths={HOST: OLD}, credsStore="pass")
    result = cron.run("status")
    assert run_remedy(cron, result, f"credhelpers configure --ecr {HOST}").code == 0
    assert f"credhelpers logout {HOST}" in cron.run("status").err
