"""Every way by which a machine may say who it is, and that no one is ever given another's token."""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.support.aws import CONTAINER_PATH, HOST, PASSWORD, TOKEN_CALL, forwarding
from tests.support.worker import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Worker, rotate

MOTO_PASSWORD = "123456789012-auth-token"
ROLE_ARN = "arn:aws:iam::123456789012:role/pull"
NOBODY = 65534


def test_moto_gives_a_token_to_an_instance_role(worker: Worker, moto: str) -> None:
    worker.aws.fault = forwarding(moto)

    assert worker.password() == MOTO_PASSWORD

    assert worker.aws.calls["imds"] >= 3


def test_moto_assumes_a_role_by_instance_role(worker: Worker, moto: str) -> None:
    worker.aws.fault = forwarding(moto)
    worker.configure(
        "config", f"[profile pull]\nrole_arn={ROLE_ARN}\ncredential_source=Ec2InstanceMetadata\n"
    )

    assert worker.but(AWS_PROFILE="pull").password() == MOTO_PASSWORD

    assert worker.aws.calls["AssumeRole"] == worker.aws.calls[TOKEN_CALL] == 1


def test_a_token_expired_on_arrival(worker: Worker) -> None:
    worker.aws.lifetime = -30

    told = worker.with_keys().cause_of_nothing()

    assert re.search(r"the token had expired on arrival, 3\d s ago; this machine's clock is \d s", told)
    assert worker.cached() == []
    assert worker.aws.calls[TOKEN_CALL] == 1


def test_a_clock_that_is_a_day_ahead_is_named(worker: Worker) -> None:
    worker.aws.clock = lambda: time.time() - 24 * 3600

    cause, remedy = worker.with_keys().cause_of_nothing().splitlines()

    assert re.search(r"on arrival, 4320\d s ago; this machine's clock is 8640\d s ahead of AWS's", cause)
    assert "timedatectl" in remedy
    assert worker.cached() == []


def test_a_profile_assumes_its_role_once(worker: Worker) -> None:
    worker.configure(
        "config", f"[profile pull]\nrole_arn={ROLE_ARN}\ncredential_source=Ec2InstanceMetadata\n"
    )
    machine = worker.but(AWS_PROFILE="pull")

    assert machine.password() == machine.password() == PASSWORD

    assume, token = worker.aws.requests[-2:]
    assert (assume.operation, assume.form["RoleArn"], token.operation) == ("AssumeRole", ROLE_ARN, TOKEN_CALL)
    assert assume.scope[0] != token.scope[0]
    assert worker.aws.calls["AssumeRole"] == worker.aws.calls[TOKEN_CALL] == 1


def test_access_keys_need_no_metadata_service(worker: Worker) -> None:
    assert worker.with_keys().password() == PASSWORD

    (request,) = worker.aws.requests
    assert request.scope[0] == ACCESS_KEY_ID


def test_access_keys_in_a_profile_are_used(worker: Worker) -> None:
    worker.aws.access_key_ids.add(ACCESS_KEY_ID)
    keys = f"aws_access_key_id={ACCESS_KEY_ID}\naws_secret_access_key={SECRET_ACCESS_KEY}\n"
    worker.configure("credentials", f"[prod]\n{keys}")

    assert worker.but(AWS_PROFILE="prod").password() == PASSWORD

    assert worker.aws.total == 1


def test_a_web_identity_is_exchanged_for_a_role(worker: Worker) -> None:
    token = worker.home / "token"
    token.write_text(f"jwt-{CANARY}")
    machine = worker.but(AWS_ROLE_ARN=ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE=str(token))

    assert machine.password() == machine.password() == PASSWORD

    exchange, _ = worker.aws.requests
    assert exchange.form["WebIdentityToken"] == f"jwt-{CANARY}"
    assert exchange.form["RoleArn"] == ROLE_ARN


@pytest.mark.parametrize("from_file", [False, True], ids=["ECS", "EKS pod identity"])
def test_a_container_gets_its_agents_credentials(worker: Worker, from_file: bool) -> None:
    machine = worker.but(AWS_CONTAINER_CREDENTIALS_FULL_URI=worker.aws.url + CONTAINER_PATH)
    token = f"authorization-{CANARY}"
    if from_file:
        file = worker.home / "token"
        file.write_text(token)
        machine = machine.but(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file))
    else:
        machine = machine.but(AWS_CONTAINER_AUTHORIZATION_TOKEN=token)

    assert machine.password() == PASSWORD

    assert worker.aws.requests[0].path == CONTAINER_PATH
    assert worker.aws.requests[0].headers["Authorization"] == token


def test_a_program_of_the_profile_is_run(worker: Worker) -> None:
    worker.aws.access_key_ids.add(ACCESS_KEY_ID)
    keys = {"Version": 1, "AccessKeyId": ACCESS_KEY_ID, "SecretAccessKey": SECRET_ACCESS_KEY}
    answer = worker.home / "answer.json"
    answer.write_text(json.dumps(keys))
    worker.configure("config", f"[default]\ncredential_process=/bin/cat {answer}\n")

    assert worker.password() == PASSWORD

    assert worker.aws.total == 1


_SSO_SESSION = (
    "[profile dev]\nsso_session=corp\nsso_account_id=123456789012\nsso_role_name=pull\n"
    "[sso-session corp]\nsso_region=eu-central-1\nsso_start_url=https://corp.example/start\n"
)
_SSO_LEGACY = (
    "[profile dev]\nsso_start_url=https://corp.example/start\nsso_region=eu-central-1\n"
    "sso_account_id=123456789012\nsso_role_name=pull\n"
)


def _sign_in(worker: Worker, name: str, seconds: float) -> None:
    """Leave what `aws sso login` leaves: a token that ends so many seconds from now."""
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    token = {"accessToken": f"sso-{CANARY}", "expiresAt": ends, "region": "eu-central-1"}
    worker.configure(f"sso/cache/{hashlib.sha1(name.encode()).hexdigest()}.json", json.dumps(token))


sso_profiles = pytest.mark.parametrize(
    ("config", "name"),
    [(_SSO_SESSION, "corp"), (_SSO_LEGACY, "https://corp.example/start")],
    ids=["session", "legacy"],
)


@sso_profiles
def test_a_signed_in_user_is_given_a_token(worker: Worker, config: str, name: str) -> None:
    worker.configure("config", config)
    _sign_in(worker, name, 3600)

    assert worker.but(AWS_PROFILE="dev").password() == PASSWORD


@sso_profiles
@pytest.mark.parametrize("seconds", [None, -3600], ids=["never signed in", "expired"])
def test_a_missing_sso_session_names_the_command(
    worker: Worker, config: str, name: str, seconds: float | None
) -> None:
    worker.configure("config", config)
    if seconds is not None:
        _sign_in(worker, name, seconds)

    told = worker.but(AWS_PROFILE="dev").cause_of_nothing()

    assert "SSO" in told
    assert told.splitlines()[-1].endswith("aws sso login --profile dev")
    assert "aws sso login --profile dev" in worker.log
    assert worker.aws.total == 0


def test_a_profile_that_does_not_exist_is_named(worker: Worker) -> None:
    assert "nowhere" in worker.but(AWS_PROFILE="nowhere").cause_of_nothing()


def test_half_a_pair_of_keys_is_told(worker: Worker) -> None:
    assert "AWS_SECRET_ACCESS_KEY" in worker.but(AWS_ACCESS_KEY_ID=ACCESS_KEY_ID).cause_of_nothing()


def _other_key(worker: Worker) -> Worker:
    return worker.with_keys("AKIAOTHER")


def _other_profile(worker: Worker) -> Worker:
    return worker.but(AWS_PROFILE="other", AWS_ACCESS_KEY_ID=None)


def _touched_config(worker: Worker) -> Worker:
    os.utime(worker.home / ".aws" / "credentials", (1, 1))
    return worker


def _own_file(worker: Worker) -> Worker:
    path = worker.configure("elsewhere", (worker.home / ".aws" / "credentials").read_text())
    return worker.but(AWS_SHARED_CREDENTIALS_FILE=str(path))


def _a_role(worker: Worker) -> Worker:
    token = worker.home / "token"
    token.write_text(f"jwt-{CANARY}")
    return worker.but(AWS_ROLE_ARN=ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE=str(token), AWS_ACCESS_KEY_ID=None)


@pytest.mark.parametrize("change", [_other_key, _other_profile, _touched_config, _own_file, _a_role])
def test_each_identity_has_its_own_token(worker: Worker, change: Callable[[Worker], Worker]) -> None:
    worker.aws.access_key_ids.add("AKIAPROFILE")
    keys = "aws_access_key_id=AKIAPROFILE\naws_secret_access_key=x\n"
    worker.configure("credentials", f"[default]\n{keys}[other]\n{keys}")
    first = worker.with_keys()
    old = first.password()
    new = rotate(worker)

    assert change(first).password() == new

    if change is not _touched_config:
        assert first.password() == old
    assert worker.aws.calls[TOKEN_CALL] == 2


def test_a_changed_secret_is_another_identity(
    worker: Worker,
) -> None:
    worker.with_keys("AKIAONE").password()
    worker.with_keys("AKIATWO").password()

    assert len(worker.cached()) == 2
    for path in worker.cached():
        assert SECRET_ACCESS_KEY not in path.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_credentials_of_another_users_home(worker: Worker, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    known = tmp_path / "known"
    for name in ("ada", "bob"):
        home = tmp_path / name
        (home / ".aws").mkdir(parents=True)
        (home / ".aws" / "credentials").write_text(
            f"[default]\naws_access_key_id=AKIA{name.upper()}\naws_secret_access_key=x\n"
        )
        os.chown(home, NOBODY, NOBODY)
    known.write_text("[default]\n")

    for name in ("ada", "bob"):
        machine = worker.but(HOME=str(tmp_path / name), AWS_ECR_CACHE_DIR=str(cache))
        machine = machine.but(AWS_CONFIG_FILE=str(known), AWS_SHARED_CREDENTIALS_FILE=None)
        machine.get(HOST)

    signed_by = {request.scope[0] for request in worker.aws.requests if request.operation == TOKEN_CALL}
    assert not {"AKIAADA", "AKIABOB"} & signed_by
