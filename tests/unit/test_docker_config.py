"""What config.json and auth.json say: read as Docker reads them, and refused when Docker could not either."""

import base64
import json
import os
from pathlib import Path

import pytest

from credhelpers.clients.docker_config import DockerConfig, docker_config_path, docker_key
from credhelpers.clients.shared_file import LARGEST
from credhelpers.credential import CredentialError

HUB = "https://index.docker.io/v1/"


def _auth(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _config(content: object) -> DockerConfig:
    return DockerConfig("/c/config.json", json.dumps(content).encode())


def _executable(directory: Path, *names: str) -> str:
    for name in names:
        (directory / name).touch(mode=0o755)
    return str(directory)


def test_docker_config_is_below_the_home(tmp_path: Path) -> None:
    assert docker_config_path({"HOME": str(tmp_path)}) == f"{tmp_path}/.docker/config.json"


def test_the_command_line_overrides_the_variable(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "DOCKER_CONFIG": "/else/where"}

    assert docker_config_path(environ) == "/else/where/config.json"
    assert docker_config_path(environ, "/named") == "/named/config.json"


def test_a_servers_helper_overrides_the_store() -> None:
    config = _config({"credsStore": "pass", "credHelpers": {"r.example": "ecr-login", "file.example": ""}})

    assert config.helper_for("r.example") == "ecr-login"
    assert config.helper_for("r.example:5000") == "pass"
    assert config.helper_for("file.example") == ""


def test_docker_has_a_default_store(tmp_path: Path) -> None:
    path = _executable(tmp_path, "pass", "docker-credential-pass", "docker-credential-secretservice")

    assert _config({}).helper_for("r.example", path) == "pass"
    assert _config({}).helper_for("r.example") == ""
    assert _config({"auths": {"r.example": {}}}).helper_for("r.example", path) == ""
    (tmp_path / "pass").unlink()
    assert _config({}).helper_for("r.example", path) == "secretservice"
    assert _config({}).helper_for("r.example", "/nowhere") == ""


def test_every_kind_of_secret_is_found() -> None:
    config = _config(
        {
            "auths": {
                "password.example": {"auth": _auth("ada:se:cret\0")},
                "clear.example": {"username": "ada", "password": "secret"},
                "identity.example": {"auth": _auth("00000000:"), "identitytoken": "it"},
                "registry.example": {"registrytoken": "rt"},
                "unreadable.example": {"auth": "%%%"},
                "kept.example": {},
                "mail.example": {"email": "ada@example"},
                "null.example": None,
            }
        }
    )

    found = {
        server: (secret.kind, secret.credential.username, secret.credential.secret)
        for server, secret in config.plaintext().items()
    }

    assert found == {
        "password.example": ("password", "ada", "se:cret"),
        "clear.example": ("password", "ada", "secret"),
        "identity.example": ("identity token", "<token>", "it"),
        "registry.example": ("registry token", "", "rt"),
        "unreadable.example": ("unreadable", "", ""),
    }


def test_a_secret_never_shows_in_a_repr() -> None:
    secrets = _config({"auths": {"r.example": {"auth": _auth("ada:hidden")}}}).plaintext()

    assert "hidden" not in repr(secrets)


def test_a_url_of_a_host_has_its_secret() -> None:
    config = _config({"auths": {"https://r.example/v2/": {"auth": _auth("ada:secret")}}})

    found = config.plaintext_for("r.example")
    assert found is not None and found.credential.secret == "secret"
    assert config.plaintext_for("r.example:5000") is None


@pytest.mark.parametrize("name", ["docker.io", "index.docker.io", "registry-1.docker.io", HUB])
def test_docker_asks_for_its_hub_by_one_key(name: str) -> None:
    assert docker_key(name) == HUB


def test_docker_asks_for_a_registry_by_host() -> None:
    assert docker_key("https://r.example:5000/team/app") == "r.example:5000"


def test_a_file_that_does_not_exist_says_nothing(tmp_path: Path) -> None:
    config = DockerConfig.read(str(tmp_path / "config.json"))

    assert (config.exists, config.creds_store, config.cred_helpers, config.auths) == (False, "", {}, {})


def test_an_empty_file_says_nothing_as_for_docker() -> None:
    assert DockerConfig("/c", b" \n").auths == {}


REFUSED = {
    "truncated": b'{"auths": {',
    "no object": b"[1]",
    "text behind it": b"{} {}",
    "a comment": b'{"a": 1} // b',
    "not UTF-8": b'{"a": "\xff"}',
    "a mark of byte order": b"\xef\xbb\xbf{}",
    "a constant of Python": b'{"a": NaN}',
    "a key twice": b'{"auths": {}, "auths": {}}',
    "too deep": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a store that is no text": b'{"credsStore": 1}',
    "helpers that are no object": b'{"credHelpers": ["x"]}',
    "a helper that is no text": b'{"credHelpers": {"r": {}}}',
    "an entry that is no object": b'{"auths": {"r": "x"}}',
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_docker_cannot_read_is_refused(content: bytes) -> None:
    with pytest.raises(CredentialError) as refused:
        DockerConfig("/c/config.json", content)

    assert refused.value.cause.startswith("/c/config.json ")
    assert "\n" not in refused.value.cause
    assert refused.value.remedy


def test_a_file_beyond_any_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)

    with pytest.raises(CredentialError, match="is larger than 16777216 bytes"):
        DockerConfig.read(str(path))


def test_a_special_file_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    os.mkfifo(path)

    with pytest.raises(CredentialError, match="is not a regular file"):
        DockerConfig.read(str(path))
