"""A profile that leads nowhere, a malformed file, a damaged SSO session: named, with what mends it."""

import hashlib

import pytest

from tests.conformance.canary import CANARY
from tests.support.worker import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Worker

ROLE_ARN = "arn:aws:iam::123456789012:role/pull"
KEYS = f"aws_access_key_id={ACCESS_KEY_ID}\naws_secret_access_key={SECRET_ACCESS_KEY}\n"


@pytest.mark.parametrize(
    ("config", "cause", "remedy"),
    [
        (f"role_arn={ROLE_ARN}\n", "profile pull lacks source_profile or credential_source", "pull"),
        (f"role_arn={ROLE_ARN}\nsource_profile=nobody\n", '"nobody"', "correct profile pull"),
        (
            f"role_arn={ROLE_ARN}\nsource_profile=a\n[profile a]\nrole_arn=x\nsource_profile=b\n"
            "[profile b]\nrole_arn=y\nsource_profile=a\n",
            "Infinite loop",
            "correct profile pull",
        ),
        (f"role_arn={ROLE_ARN}\ncredential_source=Moon\n", '"Moon"', "correct profile pull"),
        (f"role_arn={ROLE_ARN}\ncredential_source=EcsContainer\n", "EcsContainer", "credential_source of"),
        (f"role_arn={ROLE_ARN}\nsource_profile=a\ncredential_source=Environment\n", "both", "profile pull"),
        (f"role_arn={ROLE_ARN}\nsource_profile=a\n[profile a]\n", '"a" must have credentials', "pull"),
        (f"{KEYS}[profile a]\n", "MFA", "mfa_serial"),
        ("web_identity_token_file=/etc/hostname\n", "role ARN", "correct profile pull"),
        (f"aws_access_key_id={ACCESS_KEY_ID}\n", "profile pull lacks aws_secret_access_key", "add"),
        (
            f"role_arn={ROLE_ARN}\nsource_profile=a\n[profile a]\naws_access_key_id=x\n",
            "profile pull, or one that its source_profile leads to, lacks aws_secret_access_key",
            "add aws_secret_access_key",
        ),
        ("sso_role_name=x\nsso_account_id=1\n", "sso_start_url", "correct profile pull"),
        ("sso_role_name=x\nsso_account_id=1\nsso_session=corp\n", "corp", "correct profile pull"),
    ],
)
def test_a_profile_that_leads_nowhere_is_named(worker: Worker, config: str, cause: str, remedy: str) -> None:
    if cause == "MFA":
        config = f"role_arn={ROLE_ARN}\nsource_profile=a\nmfa_serial=arn:mfa\n[profile a]\n{KEYS}"
    worker.configure("config", f"[profile pull]\n{config}")

    told = worker.but(AWS_PROFILE="pull", AWS_CONTAINER_CREDENTIALS_FULL_URI=None).told()

    assert cause in told[0]
    assert remedy in told[1]
    assert worker.aws.total == 0


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_a_missing_profile_names_its_variable(worker: Worker, variable: str) -> None:
    cause, remedy = worker.but(**{variable: "nowhere"}).told()

    assert f"there is no profile 'nowhere', which {variable} names" in cause
    assert f"correct {variable}" in remedy


def test_a_missing_profile_of_config_toml(worker: Worker) -> None:
    config = worker.home / "config.toml"
    config.write_text('[[ecr.registry]]\nmatch = "*"\nprofile = "nowhere"\n')

    cause, _ = worker.but(CREDHELPERS_CONFIG=str(config), AWS_PROFILE="other").told()

    assert "there is no profile 'nowhere', which profile in config.toml names" in cause


@pytest.mark.parametrize("name", ["config", "credentials"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"aws_secret_access_key={CANARY}\n".encode(), "line 1 (MissingSectionHeaderError)"),
        (f"[default]\n= {CANARY}\n{CANARY}\n".encode(), "line 2 (ParsingError)"),
        (f"[default]\na={CANARY}\na={CANARY}\n".encode(), "line 3 (DuplicateOptionError)"),
        (b"[default]\na=1\n[default]\nb=2\n", "line 3 (DuplicateSectionError)"),
        (f"[default]\ns3 =\n  {CANARY}\n".encode(), "(ValueError)"),
        (b"[default]\na=\xff\n", "is not text in UTF-8"),
    ],
)
def test_a_malformed_file_is_not_quoted(worker: Worker, name: str, text: bytes, words: str) -> None:
    path = worker.configure(name, "")
    path.write_bytes(text)

    cause, remedy = worker.told()

    assert str(path) in cause
    assert words in cause
    assert str(path) in remedy


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"accessToken": null, "expiresAt": "2099-01-01T00:00:00Z"}',
        '{"accessToken": "x", "expiresAt": "soon"}',
        '{"accessToken": "x", "expiresAt": null}',
        "[" * 100_000,
    ],
    ids=lambda content: content[:40],
)
@pytest.mark.parametrize("sources", [False, True], ids=["itself", "source_profile"])
def test_a_damaged_sso_session_is_named(worker: Worker, content: str, *, sources: bool) -> None:
    name = "the corp"
    worker.configure(
        "config",
        f'[profile "my dev"]\nsso_session={name}\nsso_account_id=123456789012\nsso_role_name=pull\n'
        f'[sso-session "{name}"]\nsso_region=eu-central-1\nsso_start_url=https://corp.example/start\n'
        f"[profile pull]\nrole_arn={ROLE_ARN}\nsource_profile=my dev\n",
    )
    path = worker.configure(f"sso/cache/{hashlib.sha1(name.encode()).hexdigest()}.json", content)

    cause, remedy = worker.but(AWS_PROFILE="pull" if sources else "my dev").told()

    assert f"{path} is damaged" in cause
    assert remedy == "run: aws sso login --profile 'my dev'"
