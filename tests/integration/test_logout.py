"""`credhelpers logout`: what Docker's own logout erases, in the store and in config.json."""

import json
from pathlib import Path

import pytest

from tests.support.operator import Operator

HUB = "https://index.docker.io/v1/"


@pytest.fixture
def operator(installed: Path, password_store_env: dict[str, str]) -> Operator:
    """A user of the password store whose Docker knows it."""
    user = Operator.at(installed, password_store_env)
    user.write(".docker/config.json", '{"credsStore": "pass"}')
    return user


def config(operator: Operator) -> object:
    return json.loads((operator.home / ".docker" / "config.json").read_text())


def test_every_key_of_docker_logout_is_erased(operator: Operator) -> None:
    helper = operator.helper("pass")
    spellings = ["r.example", "http://r.example", "https://r.example"]
    for server in (*spellings, "r.example:5000"):
        helper.store(server, "ada", "s3cret")
    auths: dict[str, object] = {"r.example": {}, "https://r.example": {}, "r.example:5000": {}}
    operator.write(".docker/config.json", json.dumps({"auths": auths, "credsStore": "pass"}))

    result = operator.succeed("logout", "https://r.example/team")

    assert "r.example: logged out; docker-credential-pass and " in result.out
    assert result.out.endswith("/config.json have no credential for it.\n")
    assert helper.stored() == {"r.example:5000": "ada"}
    assert config(operator) == {"auths": {"r.example:5000": {}}, "credsStore": "pass"}


@pytest.mark.parametrize("named", [("docker.io",), ()])
def test_tokens_of_docker_hub_are_erased(operator: Operator, named: tuple[str, ...]) -> None:
    helper = operator.helper("pass")
    for server in (HUB, HUB + "access-token", HUB + "refresh-token"):
        helper.store(server, "ada", "s3cret")

    operator.succeed("logout", *named)

    assert helper.stored() == {}


def test_a_plaintext_secret_is_removed(operator: Operator) -> None:
    auths = {"a.example": {"auth": "YWRhOnB3"}, "b.example": {"auth": "YWRhOnB3"}}
    operator.write(".docker/config.json", json.dumps({"auths": auths}))

    report = operator.succeed("logout", "a.example", "--json").json()

    assert report == {"server": "a.example", "store": None}
    assert config(operator) == {"auths": {"b.example": {"auth": "YWRhOnB3"}}}


def test_twice_succeeds_and_makes_no_file(installed: Path, password_store_env: dict[str, str]) -> None:
    user = Operator.at(installed, password_store_env)

    user.succeed("logout", "registry.example")
    user.succeed("logout", "registry.example")

    assert not (user.home / ".docker").exists()
