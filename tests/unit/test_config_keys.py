"""Keys of config.json that Docker ignores: which are named, and which are left alone."""

from pathlib import Path

import pytest

from credhelpers.cli.doctor import config_keys
from credhelpers.clients.docker_config import DockerConfig


def named(directory: Path, content: str) -> list[str]:
    path = directory / "config.json"
    path.write_text(content)
    return [finding.text.rpartition(" ")[2] for finding in config_keys.check(DockerConfig.read(str(path)))]


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("credStore", '"pass"', "credsStore"),
        ("credsStores", '"pass"', "credsStore"),
        ("credentialStore", '"pass"', "credsStore"),
        ("credHelper", "{}", "credHelpers"),
        ("cred_helpers", "{}", "credHelpers"),
        ("credential-helpers", "{}", "credHelpers"),
        ("auth", "{}", "auths"),
    ],
)
def test_a_similar_key_is_named(tmp_path: Path, key: str, value: str, meant: str) -> None:
    assert named(tmp_path, f'{{"{key}": {value}}}') == [meant]


@pytest.mark.parametrize(
    "content",
    [
        '{"credsstore": "pass", "CREDHELPERS": {}, "Auths": {}}',
        '{"credHelper": "pass", "credStore": {}}',
        '{"credSspOptions": "x", "author": {}, "authConfigs": {}}',
        '{"HttpHeaders": {}, "detachKeys": "x", "psFormat": "x", "proxies": {}, "features": {}}',
    ],
)
def test_other_keys_are_left_alone(tmp_path: Path, content: str) -> None:
    assert named(tmp_path, content) == []
