"""Why a token that AWS gave is not kept, for the person who wanted it fetched ahead of need."""

import time
from pathlib import Path

import pytest

from credhelpers.config import Settings
from credhelpers.credential import Credential, StoreUnavailable
from credhelpers.log import Log
from credhelpers.stores.ecr.store import EcrStore
from credhelpers.stores.tokens.cache import Token

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A home of the user's own, and an AWS that gives a token."""

    def fetch(*_: object) -> Token:
        now = time.time()
        return Token("AWS", "password", now, now + 100, 100)

    monkeypatch.setattr("credhelpers.stores.ecr.api.fetch_token", fetch)
    return {"HOME": str(tmp_path)}


def store(environ: dict[str, str]) -> EcrStore:
    return EcrStore(environ, Settings({}), Log("ecr-login", None, Settings({})))


def refused(environ: dict[str, str]) -> tuple[str, str]:
    with pytest.raises(StoreUnavailable) as raised:
        store(environ).refresh(HOST, time.time() - 1)
    return raised.value.cause, raised.value.remedy


def test_a_token_by_a_process_is_not_kept(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\ncredential_process = give\n")

    cause, remedy = refused(environ)

    assert "credential_process may return another identity" in cause
    assert "cache_process_credentials = true" in remedy


def test_a_path_with_a_variable_is_named(environ: dict[str, str]) -> None:
    cause, remedy = refused({**environ, "AWS_CONFIG_FILE": "$ELSEWHERE/config"})

    assert cause == "the token is not kept: AWS_CONFIG_FILE has another variable in it"
    assert remedy == "write the whole path, without a variable"


def test_a_disabled_cache_is_named(environ: dict[str, str]) -> None:
    cause, remedy = refused({**environ, "AWS_ECR_DISABLE_CACHE": "1"})

    assert "AWS_ECR_DISABLE_CACHE is set" in cause
    assert remedy.endswith("unset AWS_ECR_DISABLE_CACHE")


def test_a_login_blames_the_disk_not_a_process(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\ncredential_process = give\n")
    (tmp_path / ".ecr").mkdir(mode=0o700)
    (tmp_path / ".ecr" / "tokens").write_text("a file")

    with pytest.raises(StoreUnavailable, match="is not a directory"):
        store(environ).store(HOST, Credential("AWS", "secret"))
