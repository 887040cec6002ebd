"""The call to AWS goes by the environment that is passed in, whatever the process's own says."""

import hashlib
import json
import os
import pwd
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from credhelpers.config import Settings
from credhelpers.credential import CredentialsNotFound
from credhelpers.stores.ecr.api import fetch_token
from credhelpers.stores.ecr.chain import adopt_environment
from credhelpers.stores.ecr.hosts import Registry
from tests.support.aws import HOST, PASSWORD, TOKEN_CALL, Aws, Misbehaving, reset, silence

REGISTRY = Registry(HOST, "eu-central-1")
PASSED = "AKIAPASSED"
AMBIENT = "AKIAAMBIENT"
SSO = (
    "[profile dev]\nsso_session=corp\nsso_account_id=123456789012\nsso_role_name=pull\n"
    "[sso-session corp]\nsso_region=eu-central-1\nsso_start_url=https://corp.example/start\n"
)

Behaviour = Callable[[socket.socket], None]


def _keys(key: str) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def ambient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """An environment of the process that would lead to keys, files and an endpoint that nobody wants."""
    home = tmp_path / "ambient"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text("[profile other]\nregion=eu-west-9\n")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    changes = {
        **_keys(AMBIENT),
        "HOME": str(home),
        "AWS_PROFILE": "other",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_SESSION_TOKEN": "ambient",
    }
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    return dict(os.environ)


def _fetch(environ: dict[str, str], **chosen: str) -> str:
    before = dict(os.environ)
    try:
        return fetch_token(REGISTRY, chosen, Settings({}), environ).password
    finally:
        assert dict(os.environ) == before


@pytest.mark.usefixtures("ambient")
def test_passed_keys_and_endpoint_are_used(aws: Aws, private_env: dict[str, str]) -> None:
    aws.access_key_ids.add(PASSED)

    assert _fetch({**private_env, **aws.environment(), **_keys(PASSED)}) == PASSWORD

    (request,) = aws.requests
    assert request.scope[0] == PASSED
    assert "X-Amz-Security-Token" not in request.headers


@pytest.mark.usefixtures("ambient")
def test_the_passed_files_are_read(aws: Aws, private_env: dict[str, str], tmp_path: Path) -> None:
    aws.access_key_ids.add(PASSED)
    config = tmp_path / "config"
    config.write_text(
        f"[profile mine]\naws_access_key_id={PASSED}\naws_secret_access_key=x\nendpoint_url={aws.url}\n"
    )

    environ = {**private_env, "AWS_CONFIG_FILE": str(config), "AWS_PROFILE": "mine"}

    assert _fetch(environ) == PASSWORD
    assert aws.requests[-1].scope[0] == PASSED


@pytest.mark.usefixtures("ambient")
def test_the_files_of_the_passed_home_are_read(aws: Aws, private_env: dict[str, str]) -> None:
    aws.access_key_ids.add(PASSED)
    credentials = Path(private_env["HOME"], ".aws", "credentials")
    credentials.parent.mkdir()
    credentials.write_text(f"[default]\naws_access_key_id={PASSED}\naws_secret_access_key=x\n")

    assert _fetch({**private_env, **aws.environment()}) == PASSWORD
    assert aws.requests[-1].scope[0] == PASSED


@pytest.mark.usefixtures("ambient")
def test_the_sso_session_of_the_passed_home(aws: Aws, private_env: dict[str, str]) -> None:
    directory = Path(private_env["HOME"], ".aws")
    cache = directory / "sso" / "cache"
    cache.mkdir(parents=True)
    (directory / "config").write_text(SSO)
    session = {"accessToken": "x", "expiresAt": "2099-01-01T00:00:00Z"}
    (cache / f"{hashlib.sha1(b'corp').hexdigest()}.json").write_text(json.dumps(session))

    assert _fetch({**private_env, **aws.environment()}, profile="dev") == PASSWORD
    assert aws.requests[0].path.startswith("/federation/credentials")


@pytest.mark.usefixtures("ambient")
def test_a_program_gets_the_passed_environment(aws: Aws, private_env: dict[str, str], tmp_path: Path) -> None:
    aws.access_key_ids.add(PASSED)
    program = tmp_path / "give"
    program.write_text(
        '#!/bin/sh\nprintf \'{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "x"}\' "$MY_KEY"\n'
    )
    program.chmod(0o755)
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process=give\n")
    path = f"{tmp_path}:{private_env['PATH']}"
    environ = {**private_env, **aws.environment(), "PATH": path, "AWS_CONFIG_FILE": str(config)}

    assert _fetch({**environ, "MY_KEY": PASSED}) == PASSWORD
    assert aws.requests[-1].scope[0] == PASSED


@pytest.mark.usefixtures("ambient")
def test_a_failure_names_the_passed_variable(private_env: dict[str, str]) -> None:
    with pytest.raises(CredentialsNotFound) as told:
        _fetch({**private_env, "AWS_DEFAULT_PROFILE": "nowhere"})

    assert "'nowhere', which AWS_DEFAULT_PROFILE names" in told.value.cause


@pytest.mark.parametrize("behaviour", [reset, silence])
@pytest.mark.usefixtures("ambient")
def test_a_failure_restores_the_environment(private_env: dict[str, str], behaviour: Behaviour) -> None:
    before = dict(os.environ)
    with Misbehaving(behaviour) as broken, pytest.raises(CredentialsNotFound):
        environ = {**private_env, **_keys(PASSED), "AWS_ENDPOINT_URL": broken.url}
        fetch_token(REGISTRY, {}, Settings({"ecr.call_seconds": "0.5"}), environ)

    assert dict(os.environ) == before


def test_another_users_home_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("LEFT_OVER", "1")
    before = dict(os.environ)
    try:
        adopt_environment({"HOME": "/proc/1", "PATH": "/bin"} if os.geteuid() else {"HOME": "/nonexistent"})

        assert os.environ["HOME"] == pwd.getpwuid(os.geteuid()).pw_dir
        assert "LEFT_OVER" not in os.environ
        assert os.environ["RES_OPTIONS"] == "timeout:1 attempts:2"

        adopt_environment({"RES_OPTIONS": "timeout:7"})
        assert os.environ["RES_OPTIONS"] == "timeout:7"
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_the_process_environment_is_not_used(
    ambient: dict[str, str], aws: Aws, private_env: dict[str, str]
) -> None:
    assert ambient["AWS_ACCESS_KEY_ID"] == AMBIENT

    with pytest.raises(CredentialsNotFound):
        _fetch({**private_env, **aws.environment(), "AWS_EC2_METADATA_DISABLED": "true"})

    assert aws.calls[TOKEN_CALL] == 0
