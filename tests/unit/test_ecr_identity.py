"""The value that stands for who asks: it changes with all that selects an identity, and with nothing else."""

import os
import re
import shutil
from pathlib import Path

import botocore
import pytest

from credhelpers.stores.ecr.identity import (
    CHOICES,
    FILE_VARIABLES,
    LOGIN_CACHE_VARIABLE,
    PROXY_VARIABLES,
    SECRET_VARIABLES,
    SELECTING_VARIABLES,
    identify,
)
from credhelpers.stores.tokens.cache import shared_name

HARMLESS = {
    "which region to ask; a host of ECR's names its own": {"AWS_REGION", "AWS_DEFAULT_REGION"},
    "how long and how often to ask": {
        "AWS_DEFAULTS_MODE",
        "AWS_MAX_ATTEMPTS",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        "AWS_METADATA_SERVICE_TIMEOUT",
        "AWS_RETRY_MODE",
        "BOTOCORE_TCP_KEEPALIVE",
        "BOTO_EXPERIMENTAL__NO_EMPTY_CONTINUE",
    },
    "whom to believe that it is AWS": {"AWS_CA_BUNDLE"},
    "what is told of the client, or measured": {
        "AWS_CSM_CLIENT_ID",
        "AWS_CSM_ENABLED",
        "AWS_CSM_HOST",
        "AWS_CSM_PORT",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_SDK_UA_APP_ID",
    },
    "how requests are written, or signed, by whomever": {
        "AWS_ACCOUNT_ID_ENDPOINT_MODE",
        "AWS_AUTH_SCHEME_PREFERENCE",
        "AWS_DISABLE_HOST_PREFIX_INJECTION",
        "AWS_DISABLE_REQUEST_COMPRESSION",
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        "AWS_SIGV4A_SIGNING_REGION_SET",
        "BOTO_DISABLE_CRT",
        "BOTO_EXPERIMENTAL__ADD_PROXY_HOST_HEADER",
    },
    "other services": {
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_ENDPOINT_DISCOVERY_ENABLED",
        "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
        "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS",
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",
        "AWS_S3_USE_ARN_REGION",
    },
}
"""The variables of the SDK that select no identity, by what they do."""


def key(environ: dict[str, str], chosen: dict[str, str] | None = None) -> str:
    return identify(environ, chosen or {}).key


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": "/bin"}


def test_every_variable_of_the_sdk_is_known() -> None:
    sources = "".join(path.read_text() for path in Path(botocore.__file__).parent.glob("*.py"))
    named = set(re.findall(r"['\"]((?:AWS|BOTO|BOTOCORE)_[A-Z][A-Z0-9_]+)['\"]", sources))
    counted = {*SELECTING_VARIABLES, *SECRET_VARIABLES, *FILE_VARIABLES, LOGIN_CACHE_VARIABLE}

    assert len(named) > 50
    assert named - counted == set().union(*HARMLESS.values()) & named
    assert counted.isdisjoint(set().union(*HARMLESS.values()))


def test_it_is_the_same_for_the_same_environment(environ: dict[str, str]) -> None:
    environ["AWS_PROFILE"] = "prod"

    assert key(environ) == key({**environ, "PATH": "/"})


@pytest.mark.parametrize("name", [*SELECTING_VARIABLES, *SECRET_VARIABLES, *PROXY_VARIABLES])
def test_every_variable_makes_another_key(name: str, environ: dict[str, str]) -> None:
    keys = {
        key(changed)
        for changed in (environ, environ | {name: "a"}, environ | {name: "b"}, environ | {name: ""})
    }

    assert len(keys) == 3  # an empty variable counts as none


@pytest.mark.parametrize("name", FILE_VARIABLES)
def test_every_file_counts_by_name_and_by_version(name: str, environ: dict[str, str], tmp_path: Path) -> None:
    keys = {key(environ)}
    for file, content in (("one", "a"), ("two", "a"), ("two", "b"), ("two", "c")):
        path = tmp_path / file
        path.write_text(content)
        os.utime(path, (10**9, 10**9))
        keys.add(key(environ | {name: str(path)}))
    copy = shutil.copy2(tmp_path / "two", tmp_path / "copy")
    os.replace(copy, tmp_path / "two")
    keys.add(key(environ | {name: str(tmp_path / "two")}))
    keys.add(key(environ | {name: str(tmp_path / "missing")}))

    assert len(keys) == 7


@pytest.mark.parametrize("name", [".aws/config", ".aws/credentials", ".boto"])
def test_every_file_at_home_counts(name: str, environ: dict[str, str], tmp_path: Path) -> None:
    before = key(environ)
    (tmp_path / ".aws").mkdir()
    (tmp_path / name).write_text("")

    assert key(environ) != before


@pytest.mark.parametrize("name", FILE_VARIABLES)
def test_relative_paths_become_absolute(
    name: str, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = set()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        identity = identify({**environ, name: "file"}, {})
        assert identity.environ[name] == str(tmp_path / folder / "file")
        keys.add(identity.key)

    assert len(keys) == 2


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_makes_another_key(choice: str, environ: dict[str, str]) -> None:
    keys = {key(environ, chosen) for chosen in ({}, {choice: "a"}, {choice: "b"})}

    assert len(keys) == 3


def test_a_value_cannot_pass_for_two(environ: dict[str, str]) -> None:
    one = key(environ | {"AWS_PROFILE": "a' AWS_ROLE_ARN='b"})
    two = key(environ | {"AWS_PROFILE": "a", "AWS_ROLE_ARN": "b"})

    assert one != two


def test_it_is_one_line_and_holds_no_secret(environ: dict[str, str]) -> None:
    secret = dict.fromkeys(SECRET_VARIABLES, "hidden")
    line = key(environ | secret | {"AWS_ACCESS_KEY_ID": "AKIA\nx", "HTTPS_PROXY": "http://user:hidden@proxy"})

    assert "\n" not in line
    assert "hidden" not in line


def configure(tmp_path: Path, text: str, name: str = "config") -> None:
    (tmp_path / ".aws").mkdir(exist_ok=True)
    (tmp_path / ".aws" / name).write_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "[default]\ncredential_process = get\n",
        "[default]\nCredential_Process: get\n",
        '[profile "default"]\n  credential_process=get\n',
        "[default]\nsource_profile = other\n[profile other]\ncredential_process = get\n",
    ],
)
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_tokens_by_a_process_are_not_kept(
    text: str, name: str, environ: dict[str, str], tmp_path: Path
) -> None:
    configure(tmp_path, text, name)

    assert "credential_process" in identify(environ, {}).unseen
    assert not identify(environ, {}, trusts_processes=True).unseen


def test_a_process_matters_to_its_profile_only(environ: dict[str, str], tmp_path: Path) -> None:
    configure(tmp_path, "[profile other]\ncredential_process = get\n[default]\nregion = eu-west-1\n")

    assert not identify(environ, {}).unseen
    assert identify(environ, {"profile": "other"}).unseen
    assert identify(environ | {"AWS_PROFILE": "other"}, {}).unseen


def test_a_path_with_a_variable_is_not_kept(environ: dict[str, str]) -> None:
    assert identify(environ | {"AWS_CONFIG_FILE": "$ELSEWHERE/config"}, {}).unseen


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("[default]\nsso_session = s\n[sso-session s]\nsso_region = eu-west-1\n", ".aws/sso/cache/a.json"),
        ("[default]\nlogin_session = arn:aws:iam::1:user/a\n", ".aws/login/cache/a.json"),
        ("[default]\nweb_identity_token_file = {home}/token\n", "token"),
    ],
)
def test_files_that_the_configuration_names_count(
    text: str, file: str, environ: dict[str, str], tmp_path: Path
) -> None:
    configure(tmp_path, text.replace("{home}", str(tmp_path)))
    keys = {key(environ)}
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    for content in ("a", "b"):
        path.write_text(content)
        os.utime(path, (10**9, 10**9))
        keys.add(key(environ))

    assert len(keys) == 3


def test_regions_and_identities_differ_by_name() -> None:
    names = {shared_name(region, key) for region in ("eu-central-1", "eu-west-1") for key in ("a", "b")}

    assert len(names) == 4
    assert all("/" not in name for name in names)
