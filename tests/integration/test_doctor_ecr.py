"""`credhelpers doctor` on Amazon ECR: the host, the identity, the permission, the clocks and the cache."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from credhelpers.emulator import ACCOUNT, Request, Response
from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient, install
from tests.support.ahead import Ahead
from tests.support.aws import (
    CONTAINER_PATH,
    HOST,
    TOKEN_CALL,
    Aws,
    Misbehaving,
    endless_body,
    failing,
    reset,
    silence,
)
from tests.support.tools import require
from tests.support.worker import wait_until_ended

KEY = "AKIAIOSFODNN7EXAMPLE"
KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": CANARY}
KEYS_FILE = f"aws_access_key_id={KEY}\naws_secret_access_key={CANARY}\n"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pull"
ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/i-0123"
TEMPLATE = Path(__file__).parents[2] / "packaging/ecr-login-fast-path.sh"


@pytest.fixture
def patient(installed: Path, private_env: dict[str, str], aws: Aws) -> Iterator[Patient]:
    """A worker with an instance role, whose Docker asks the ECR helper about one host."""
    with with_role(installed, private_env, aws) as user:
        yield user


@contextmanager
def with_role(installed: Path, private_env: dict[str, str], aws: Aws) -> Iterator[Patient]:
    env = {**private_env, **aws.environment(), "PATH": f"{installed}:/usr/bin:/bin"}
    user = Patient(installed, env)
    user.configure(credHelpers={HOST: "ecr-login"})
    aws.access_key_ids.add(KEY)
    yield user
    user.assert_no_secret_was_shown()


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Patient, Aws]]:
    """The same user, and the AWS of that worker."""
    with Aws() as aws, with_role(installed, private_env, aws) as user:
        yield user, aws


def telling_who(request: Request) -> Response | None:
    """STS's answer to GetCallerIdentity."""
    if request.operation != "GetCallerIdentity":
        return None
    return Response(
        200,
        f'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<GetCallerIdentityResult><Arn>{ARN}</Arn><UserId>x</UserId><Account>{ACCOUNT}</Account>"
        f"</GetCallerIdentityResult></GetCallerIdentityResponse>".encode(),
        {"Content-Type": "text/xml"},
    )


def test_all_checks_are_ok(patient: Patient, aws: Aws) -> None:
    aws.fault = telling_who
    report = patient.doctor("--client", "docker")
    assert (report.code, {finding.state for finding in report.findings}) == (0, {"ok"}), report
    assert report.of("AWS identity").text == (
        f"credentials come from the instance's role; they are those of {ARN}"
    )
    assert report.of("token permission").text == "ECR in eu-central-1 gives this identity a token"
    assert report.of("ECR host").text == f"{HOST} is an ECR registry in eu-central-1"
    assert "no token is cached" in report.of("cached token").text
    assert "that of AWS" in report.of("answer").text


def test_a_cached_token_with_its_remaining_time(patient: Patient, aws: Aws) -> None:
    patient.helper("ecr-login").get(HOST)
    assert "valid for 11 h 59 min" in patient.doctor().of("cached token").text
    assert aws.calls[TOKEN_CALL] == 2, "one for the token, one to see whether it would be given"


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("env", "the environment variables"),
        ("shared", "the AWS credentials file"),
        ("config", "the AWS configuration file"),
        ("process", "a credential_process"),
        ("container", "the container's role"),
        ("web", "a web identity token"),
        ("role", "a role that a profile assumes"),
    ],
)
def test_the_source_of_credentials_is_named(patient: Patient, aws: Aws, link: str, words: str) -> None:
    def write(name: str, text: str) -> str:
        path = patient.home / ".aws" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    environment: dict[str, str] = {}
    if link == "env":
        environment = KEYS
    elif link == "shared":
        write("credentials", f"[default]\n{KEYS_FILE}")
    elif link == "config":
        write("config", f"[default]\n{KEYS_FILE}")
    elif link == "process":
        given = {"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": CANARY}
        write("config", f"[default]\ncredential_process=/bin/cat {write('answer', json.dumps(given))}\n")
    elif link == "container":
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": aws.url + CONTAINER_PATH}
    elif link == "web":
        environment = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": write("token", CANARY)}
    else:
        write("config", f"[default]\nrole_arn={ROLE}\nsource_profile=base\n[profile base]\n{KEYS_FILE}")
    report = patient.but(**environment).doctor()
    assert report.of("AWS identity").text.startswith(f"credentials come from {words}")
    assert report.state("token permission") == "ok"


def test_the_configured_role_is_shown(patient: Patient) -> None:
    patient.set(f'[[ecr.registry]]\nmatch = "*.amazonaws.com"\nrole_arn = "{ROLE}"\n')
    report = patient.doctor()
    assert report.code == 0
    assert f"it assumes {ROLE}" in report.of("AWS identity").text
    assert "by the table for *.amazonaws.com" in report.of("ECR host").text


def test_no_credentials_at_all_fail(patient: Patient) -> None:
    report = patient.but(AWS_EC2_METADATA_DISABLED="true").doctor()
    report.assert_broken("AWS identity", "no AWS credentials", "AWS_PROFILE")
    assert report.state("clock") == "warn"
    report.assert_broken("answer", "no AWS credentials")


def test_a_profile_that_does_not_exist_fails(patient: Patient) -> None:
    report = patient.but(AWS_PROFILE="nobody").doctor()
    report.assert_broken("AWS identity", "nobody", "AWS_PROFILE")


def test_another_account_is_named(patient: Patient) -> None:
    other = HOST.replace(ACCOUNT, "999999999999")
    patient.configure(credHelpers={other: "ecr-login"})
    report = patient.doctor()
    report.assert_broken("registry account", "is account 999999999999's", f"doctor {other}/", state="warn")
    assert report.code == 0


def test_a_missing_permission_fails(patient: Patient, aws: Aws) -> None:
    refusal = failing(400, "AccessDeniedException", "not authorized to perform: ecr:GetAuthorizationToken")
    aws.fault = lambda request: refusal(request) if request.operation == TOKEN_CALL else telling_who(request)
    report = patient.doctor()
    assert report.state("AWS identity") == "ok"
    report.assert_broken("token permission", "AccessDeniedException", "in IAM")
    report.assert_broken("answer", "AccessDeniedException", "in IAM")


def test_an_unreachable_sts_is_ok(patient: Patient) -> None:
    with Misbehaving(reset) as broken:
        report = patient.but(**KEYS, AWS_ENDPOINT_URL_STS=broken.url).doctor()
    assert "STS cannot be reached" in report.of("AWS identity").text
    assert report.code == 0


@pytest.mark.parametrize(
    ("seconds", "words", "state"),
    [(300, "behind", "fail"), (-300, "ahead of", "fail"), (120, "behind", "warn"), (20, "behind", "ok")],
)
def test_a_wrong_clock_is_reported(patient: Patient, aws: Aws, seconds: int, words: str, state: str) -> None:
    aws.clock = lambda: time.time() + seconds
    finding = patient.but(**KEYS).doctor().of("clock")
    assert finding.state == state
    assert words in finding.text
    assert bool(finding.remedy) is (state != "ok")


def test_a_clock_that_aws_refuses_is_reported(patient: Patient, aws: Aws) -> None:
    aws.clock = lambda: time.time() + 3600
    aws.fault = failing(400, "InvalidSignatureException", "Signature expired: 1 is now earlier than 2")
    report = patient.but(**KEYS).doctor()
    report.assert_broken("token permission", "Signature expired", "clock")
    report.assert_broken("clock", "behind AWS's", "timedatectl")


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (f"{HOST}:8443", "it is on port 8443"),
        (f"http://{HOST}", "it is reached by http"),
        (f"{HOST}.evil.example", "it only looks like an ECR registry"),
        (HOST.replace("123456789012", "1234"), "1234 is not an AWS account"),
        (HOST.replace("dkr", "d\u212ar"), "letters that only look like"),
    ],
)
def test_the_reason_why_a_server_is_not_ecr(patient: Patient, server: str, reason: str) -> None:
    patient.configure(credsStore="ecr-login")
    patient.doctor(server).assert_broken("ECR host", reason)


@pytest.mark.parametrize("server", ["docker.io", "registry.example"])
def test_another_registry_works_anonymously(patient: Patient, server: str) -> None:
    patient.configure(credsStore="ecr-login")
    report = patient.doctor(server)
    report.assert_broken("ECR host", "continues without a credential", "--store auto", state="warn")
    assert (report.code, report.state("answer")) == (0, "warn")


def test_a_look_alike_behind_auto_is_a_warning(patient: Patient) -> None:
    patient.configure(credsStore="auto")
    report = patient.doctor(f"{HOST}:8443")
    report.assert_broken("ECR host", "it is on port 8443", state="warn")


def test_an_ecr_registry_with_another_helper(patient: Patient) -> None:
    patient.configure(credsStore="keyring")
    report = patient.doctor(HOST)
    report.assert_broken("ECR host", "passwords last 12 hours", f"configure --ecr {HOST}", state="warn")


def test_auto_is_followed_to_ecr(patient: Patient) -> None:
    patient.configure(credsStore="auto")
    report = patient.doctor(HOST)
    assert report.code == 0
    assert report.of("helper").text == "Docker asks docker-credential-auto, which asks ecr-login"
    assert report.state("token permission") == report.state("answer") == "ok"


def test_a_remembered_failure_is_a_warning(patient: Patient, aws: Aws) -> None:
    aws.fault = failing(400, "AccessDeniedException")
    assert patient.helper("ecr-login").get(HOST).code == 1
    aws.fault = None
    report = patient.doctor()
    report.assert_broken("remembered failure", "AccessDeniedException", "erase", state="warn")
    assert report.state("token permission") == "ok"

    patient.helper("ecr-login").erase(HOST)
    report = patient.doctor()
    assert report.code == 0
    assert not [finding for finding in report.findings if finding.check == "remembered failure"]


def test_a_cache_others_can_write_fails(patient: Patient) -> None:
    patient.helper("ecr-login").get(HOST)
    (patient.home / ".ecr" / "tokens").chmod(0o777)
    report = patient.doctor()
    report.assert_broken("token cache", "other users may write to", "mv ")
    assert "no token is cached" in report.of("cached token").text


def test_a_cache_that_is_a_symbolic_link_fails(patient: Patient, tmp_path: Path) -> None:
    (patient.home / ".ecr").mkdir(mode=0o700)
    (patient.home / ".ecr" / "tokens").symlink_to(tmp_path)
    patient.doctor().assert_broken("token cache", "is a symbolic link")


def test_a_disabled_cache_is_a_warning(patient: Patient) -> None:
    report = patient.but(AWS_ECR_DISABLE_CACHE="1").doctor()
    report.assert_broken("token cache", "AWS_ECR_DISABLE_CACHE", "unset", state="warn")
    assert report.code == 0


@pytest.mark.parametrize("target", ["working", "missing"])
def test_the_fast_path_fails_without_its_python(patient: Patient, tmp_path: Path, target: str) -> None:
    behind = patient.bin.parent / "lib/credhelpers/bin/docker-credential-ecr-login"
    python = behind if behind.exists() else patient.bin / "docker-credential-ecr-login"
    front = install(tmp_path / "front", "ecr-login", "")
    front.write_text(TEMPLATE.read_text().replace("@HELPER@", str(python)))
    if target == "missing":
        # As one of another day, of which this command can still tell whose it is.
        version = "echo 'docker-credential-ecr-login (credhelpers) 0.1.0'"
        text = TEMPLATE.read_text().replace("@HELPER@", str(tmp_path / "nowhere"))
        front.write_text(text.replace("\n", f'\n[ "$1" = version ] && {version} && exit\n', 1))
    report = patient.but(PATH=f"{front.parent}:/usr/bin:/bin").doctor()
    if target == "working":
        assert report.of("fast path").text.startswith("in use")
        assert report.state("answer") == "ok"
    else:
        report.assert_broken("fast path", "cannot be started", "install.sh")


def test_python_alone_is_not_the_fast_path(patient: Patient, tmp_path: Path) -> None:
    behind = patient.bin.parent / "lib/credhelpers/bin/docker-credential-ecr-login"
    helper = tmp_path / "docker-credential-ecr-login"
    helper.symlink_to(behind if behind.exists() else patient.bin / helper.name)
    report = patient.but(PATH=f"{tmp_path}:/usr/bin:/bin").doctor()
    assert report.of("fast path").text.startswith("not in use")


@pytest.mark.parametrize(
    ("config", "cause", "remedy"),
    [
        (
            "credential_process=/no/such",
            "/no/such, the credential_process of profile default,",
            "correct the",
        ),
        (
            "web_identity_token_file=/no/such\nrole_arn=x",
            "web_identity_token_file of profile default",
            "correct",
        ),
        ("role_arn=x", "profile default lacks source_profile", "add source_profile"),
        ("broken", "config, line 2 (ParsingError)", "correct"),
    ],
)
def test_a_failing_source_is_named(patient: Patient, config: str, cause: str, remedy: str) -> None:
    path = patient.home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text(f"[default]\n{config}\n")
    patient.doctor().assert_broken("AWS identity", cause, remedy)


def test_a_disabled_metadata_service_is_named(patient: Patient, aws: Aws) -> None:
    aws.metadata_fault = lambda request: Response(403)
    patient.doctor().assert_broken("AWS identity", "refused access (403)", "--http-endpoint enabled")


def test_a_token_expired_on_arrival_fails(patient: Patient, aws: Aws) -> None:
    aws.lifetime = -60
    report = patient.but(**KEYS).doctor()
    report.assert_broken("token permission", "the token had expired on arrival", "proxy")


def test_an_endless_answer_fails(patient: Patient) -> None:
    with Misbehaving(endless_body) as broken:
        report = patient.but(**KEYS, AWS_ENDPOINT_URL_ECR=broken.url).doctor()
    report.assert_broken("token permission", "more than 1 MiB", "proxy")


@pytest.mark.parametrize("keys", [{}, KEYS], ids=["metadata", "endpoints"])
@ahead
def test_a_silent_network_fails_in_time(patient: Patient, aws: Aws, *, keys: dict[str, str]) -> None:
    with Misbehaving(silence) as blackhole:
        swallowed = {"AWS_ENDPOINT_URL": blackhole.url, "AWS_EC2_METADATA_SERVICE_ENDPOINT": blackhole.url}
        report = patient.but(**swallowed, **keys).doctor()
    assert report.code == 1
    assert report.state("token permission" if keys else "AWS identity") == "fail"
    assert report.state("answer") == "fail"


@ahead
def test_one_request_for_region_and_identity(patient: Patient, aws: Aws) -> None:
    other = HOST.replace("123456789012", "000000000000")
    elsewhere = HOST.replace("eu-central-1", "us-east-1")
    patient.configure(credHelpers=dict.fromkeys((HOST, other, elsewhere), "ecr-login"))
    report = patient.but(**KEYS, PATH="/usr/bin:/bin").doctor()
    assert aws.calls[TOKEN_CALL] == 2
    subjects = {finding.subject for finding in report.findings if finding.check == "token permission"}
    assert subjects == {f"AWS for {HOST}, {other}", f"AWS for {elsewhere}"}


@ahead
def test_a_silent_sts_is_ok(patient: Patient, aws: Aws) -> None:
    patient.set("[ecr]\nread_seconds = 30\n")
    with Misbehaving(silence) as blackhole:
        report = patient.but(**KEYS, AWS_ENDPOINT_URL_STS=blackhole.url).doctor()
    assert "STS did not answer" in report.of("AWS identity").text
    assert report.code == 0


@ahead
def test_a_hanging_credential_process_is_ended(patient: Patient, aws: Aws) -> None:
    config = patient.home / ".aws" / "config"
    config.parent.mkdir()
    program = patient.home / "hang"
    program.write_text(f'#!/bin/sh\necho $$ >> "{patient.home}/running"\nexec sleep 300\n')
    program.chmod(0o755)
    config.write_text(f"[default]\ncredential_process={program}\n")
    patient.set("[ecr]\ncall_seconds = 3\n")
    report = patient.doctor()
    words = f"{program}, the credential_process of profile default, did not answer within 3 s"
    report.assert_broken("AWS identity", words, "run it by hand")
    for pid in (patient.home / "running").read_text().split():
        wait_until_ended(int(pid))


@ahead
def test_the_permission_check_leaves_the_cache(patient: Patient, aws: Aws) -> None:
    report = patient.but(PATH="/usr/bin:/bin").doctor(HOST)
    assert report.state("token permission") == "ok"
    assert aws.calls[TOKEN_CALL] == 1
    assert not (patient.home / ".ecr" / "tokens").exists()


@ahead
def test_amazons_own_helper_is_recognised(patient: Patient, aws: Aws) -> None:
    require("docker-credential-ecr-login", "amazon-ecr-credential-helper")
    report = patient.but(PATH="/usr/bin:/bin").doctor()
    assert "of amazon-ecr-credential-helper" in report.of("on PATH").text
    assert report.state("token permission") == "ok"
