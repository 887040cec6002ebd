"""A file, program or setting behind the AWS credentials that fails is named, with what mends it."""

import json
import os
from pathlib import Path

import pytest

from credhelpers.emulator import Response
from tests.conformance.canary import CANARY
from tests.support.ahead import Ahead
from tests.support.aws import CONTAINER_PATH, PASSWORD, Misbehaving, reset
from tests.support.worker import ACCESS_KEY_ID, SECRET_ACCESS_KEY, Worker, wait_until_ended, worker_ahead

ahead = Ahead(worker_ahead)
ROLE_ARN = "arn:aws:iam::123456789012:role/pull"
KEYS = f"aws_access_key_id={ACCESS_KEY_ID}\naws_secret_access_key={SECRET_ACCESS_KEY}\n"
PRINTED = {"Version": 1, "AccessKeyId": ACCESS_KEY_ID, "SecretAccessKey": SECRET_ACCESS_KEY}


def _make(path: Path, kind: str) -> str:
    """Make a file that is no token."""
    if kind == "a directory":
        path.mkdir()
    elif kind == "a FIFO":
        os.mkfifo(path)
    elif kind == "a loop":
        path.symlink_to(path)
    elif kind == "endless":
        path.symlink_to("/dev/zero")
    elif kind == "not text":
        path.write_bytes(b"\xff\xfe")
    elif kind == "huge":
        path.write_text("A" * (1 << 20))
    elif kind == "empty":
        path.write_text("\n")
    return str(path)


FILES = {
    "missing": "does not exist",
    "a directory": "is not a file",
    "a FIFO": "is not a file",
    "endless": "is not a file",
    "a loop": "cannot be opened",
    "empty": "is empty",
    "not text": "is not a token",
    "huge": "is not a token",
}
files = pytest.mark.parametrize(("kind", "words"), FILES.items(), ids=FILES)


@files
@pytest.mark.parametrize("by", ["variable", "profile"])
def test_a_web_identity_token_file_is_named(worker: Worker, kind: str, words: str, by: str) -> None:
    path = _make(worker.home / "token", kind)
    if by == "variable":
        setting = "AWS_WEB_IDENTITY_TOKEN_FILE"
        machine = worker.but(AWS_ROLE_ARN=ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE=path)
    else:
        setting = "web_identity_token_file of profile pull"
        worker.configure("config", f"[profile pull]\nrole_arn={ROLE_ARN}\nweb_identity_token_file={path}\n")
        machine = worker.but(AWS_PROFILE="pull")

    cause, remedy = machine.told()

    assert f"{path}, which {setting} names, {words}" in cause
    assert setting in remedy
    assert worker.aws.total == 0


@files
def test_a_container_token_file_is_named(worker: Worker, kind: str, words: str) -> None:
    path = _make(worker.home / "token", kind)
    url = worker.aws.url + CONTAINER_PATH
    machine = worker.but(AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=path)

    cause, _ = machine.told()

    assert f"{path}, which AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names, {words}" in cause
    assert worker.aws.total == 0


def test_a_file_that_may_not_be_read_is_named(worker: Worker) -> None:
    path = worker.home / "token"
    path.write_text(f"jwt-{CANARY}")
    path.chmod(0)
    limited = worker.home / "bin" / worker.executable.name
    limited.parent.mkdir()
    # Root reads any file but for these capabilities.
    drop = "setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-all"
    limited.write_text(f'#!/bin/sh\nexec {drop} "{worker.executable}" "$@"\n')
    limited.chmod(0o755)
    machine = worker.but(AWS_ROLE_ARN=ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE=str(path))

    cause, remedy = Worker(limited, machine.env, machine.seen, aws=worker.aws).told()

    assert f"{path}, which AWS_WEB_IDENTITY_TOKEN_FILE names, cannot be read: permission denied" in cause
    assert "let this user read" in remedy


def _program(worker: Worker, script: str) -> Path:
    path = worker.home / "give-keys"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    worker.configure("config", f"[profile prod]\ncredential_process={path} --key {CANARY}\n")
    return path


PROGRAMS = {
    f'echo locked >&2; echo "{CANARY}"; echo sealed >&2; exit 3': "failed with exit status 3: sealed",
    "exit 1": "failed with exit status 1, and said nothing",
    "kill -9 $$": "failed with exit status -9",
    f'echo "not JSON {CANARY}"': "did not print credentials",
    "true": "did not print credentials",
    "echo null": "did not print credentials",
    "echo []": "did not print credentials",
    'echo "{}"': "did not print credentials",
    f"""echo '{json.dumps({**PRINTED, "Version": 2})}'""": "did not print credentials",
    f"""echo '{json.dumps({**PRINTED, "AccessKeyId": None})}'""": "did not print credentials",
    f"""echo '{json.dumps({**PRINTED, "SecretAccessKey": ""})}'""": "did not print credentials",
    f"""echo '{json.dumps({**PRINTED, "SessionToken": 7})}'""": "did not print credentials",
    f"""echo '{json.dumps({**PRINTED, "Expiration": "soon"})}'""": "did not print credentials",
    f"""echo '{json.dumps({**PRINTED, "Expiration": "2020-01-01T00:00:00Z"})}'""": "expired",
    "exec cat /dev/zero": "printed more than 64 KiB",
    "exec cat /dev/zero >&2": "printed more than 64 KiB",
}


@pytest.mark.parametrize(("script", "words"), PROGRAMS.items())
def test_a_process_without_keys_is_named(worker: Worker, script: str, words: str) -> None:
    path = _program(worker, script)

    cause, remedy = worker.but(AWS_PROFILE="prod").told()

    assert f"{path}, the credential_process of profile prod, " in cause
    assert words in cause
    assert "proxy" not in remedy
    assert worker.aws.total == 0


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("no-such-program", "no-such-program, the credential_process of profile default, is not on PATH"),
        (
            "/no/such/program",
            "/no/such/program, the credential_process of profile default, cannot be started",
        ),
        ("/etc/passwd", "cannot be started: Permission denied"),
        ("", "credential_process of profile default is not a command"),
        ('sh -c "open', "a quote is not closed"),
    ],
)
def test_a_process_that_cannot_run_is_named(worker: Worker, command: str, words: str) -> None:
    worker.configure("config", f"[default]\ncredential_process={command}\n")

    cause, remedy = worker.told()

    assert words in cause
    assert "credential_process of profile default" in remedy


def test_the_program_of_a_source_profile_is_named(worker: Worker) -> None:
    worker.configure(
        "config",
        f"[profile pull]\nrole_arn={ROLE_ARN}\nsource_profile=base\n"
        "[profile base]\ncredential_process=/no/such/program\n",
    )

    cause, _ = worker.but(AWS_PROFILE="pull").told()

    assert "/no/such/program, the credential_process of profile base, " in cause


@pytest.mark.parametrize("variable", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
@pytest.mark.parametrize(
    ("kind", "words"),
    [("missing", "does not exist"), ("a directory", "is not a file"), ("a FIFO", "is not a file")],
)
def test_a_file_that_the_sdk_passes_over_is_named(
    worker: Worker, variable: str, kind: str, words: str
) -> None:
    path = _make(worker.home / "elsewhere", kind)
    machine = worker.but(**{variable: path})

    without = machine.but(AWS_EC2_METADATA_DISABLED="true").told()[0]
    assert f"{path}, which {variable} names, {words}" in without

    assert f"{path}, which {variable} names, {words}" in machine.but(AWS_PROFILE="prod").told()[0]


ANSWERS = {
    "not JSON": Response(200, b"<html>"),
    "empty": Response(200, b""),
    "null": Response(200, b"null"),
    "no fields": Response(200, b"{}"),
    "null fields": Response.of_json(dict.fromkeys(("AccessKeyId", "SecretAccessKey", "Token", "Expiration"))),
    "an end that is no time": Response.of_json(
        {"AccessKeyId": "x", "SecretAccessKey": "x", "Token": "x", "Expiration": "soon"}
    ),
    "a secret with another status": Response(201, CANARY.encode()),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_agent_that_answers_rubbish_is_named(worker: Worker, answer: Response) -> None:
    worker.aws.container = answer
    url = worker.aws.url + CONTAINER_PATH

    cause, remedy = worker.but(AWS_CONTAINER_CREDENTIALS_FULL_URI=url).told()

    assert f"unexpected response from the container's credentials agent at {url}" in cause
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in remedy


def test_an_agent_that_refuses_is_quoted(worker: Worker) -> None:
    worker.aws.container = Response(403, b"AccessDeniedException: no association")
    url = worker.aws.url + CONTAINER_PATH

    cause, _ = worker.but(AWS_CONTAINER_CREDENTIALS_FULL_URI=url).told()

    assert "answered with HTTP 403: AccessDeniedException: no association" in cause


def test_an_agent_out_of_reach_is_named(worker: Worker) -> None:
    with Misbehaving(reset) as broken:
        cause, remedy = worker.but(AWS_CONTAINER_CREDENTIALS_FULL_URI=broken.url).told()

    assert "(AWS_CONTAINER_CREDENTIALS_FULL_URI) cannot be reached" in cause
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in remedy


def test_an_agent_on_the_internet_is_refused(worker: Worker) -> None:
    cause, _ = worker.but(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://example.com/").told()

    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI is not an address that credentials may come from" in cause


def test_a_pods_token_may_end_with_a_newline(worker: Worker) -> None:
    file = worker.home / "token"
    file.write_text(f"authorization-{CANARY}\n")
    machine = worker.but(
        AWS_CONTAINER_CREDENTIALS_FULL_URI=worker.aws.url + CONTAINER_PATH,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(file),
    )

    assert machine.password() == PASSWORD


@ahead
def test_a_process_that_hangs_is_ended(worker: Worker) -> None:
    running = worker.home / "running"
    path = _program(worker, f'echo $$ > "{running}"; sleep 300')
    config = worker.home / "config.toml"
    config.write_text("[ecr]\ncall_seconds = 1.5\n")

    cause, _ = worker.but(AWS_PROFILE="prod", CREDHELPERS_CONFIG=str(config)).told()

    assert f"{path}, the credential_process of profile prod, did not answer within 1.5 s" in cause
    wait_until_ended(int(running.read_text()))
