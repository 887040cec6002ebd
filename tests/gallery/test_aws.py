"""AWS gives no token: the metadata service, containers, web identities, permissions, keys, the way to AWS.

The real part is what the user has: docker-credential-ecr-login, the AWS SDK, doctor, the AWS command-line
interface. AWS is the emulator; what only AWS's administrators do by other means than a command that the
remedy names is done to the emulator.
"""

import json
import time
from contextlib import ExitStack
from hashlib import sha1
from pathlib import Path

import pytest

from credhelpers.emulator import ACCOUNT, Emulator, imds, sts
from credhelpers.emulator.identities import IDENTITIES
from tests.conformance.canary import CANARY
from tests.gallery.aws_cli import install_aws
from tests.gallery.exhibit import Exhibit, gets
from tests.integration.doctor import Patient
from tests.support.aws import HOST, PASSWORD, Aws

KEY = "AKIAIOSFODNN7EXAMPLE"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pull"
KEYS = f"aws_access_key_id = {KEY}\naws_secret_access_key = {CANARY}\n"
PULL = gets("ecr-login", HOST, PASSWORD)


@pytest.fixture
def worker(user: Patient, aws: Aws, tmp_path: Path) -> Patient:
    """An EC2 instance whose Docker asks the ECR helper, which repeats no failure."""
    aws.access_key_ids |= {KEY, install_aws(tmp_path / "administrator")}
    user = user.but(**aws.environment(), PATH=f"{user.env['PATH']}:{tmp_path / 'administrator'}")
    user.configure(credHelpers={HOST: "ecr-login"})
    user.set("[ecr]\nfailure_seconds = 0.001\n")
    return user


def staged(worker: Patient, aws: Aws, fault: str, identity: str = "instance") -> Patient:
    """Return the worker with a fault of the emulator's, and with another source of credentials."""
    source = IDENTITIES[identity](aws, aws.url, worker.home)
    aws.stage(fault)
    return worker.but(**source, **aws.environment())


def write(worker: Patient, name: str, text: str) -> None:
    path = worker.home / ".aws" / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)


# The instance metadata service


INSTANCE = {"ID": imds.INSTANCE}


@pytest.mark.failure("aws-identity.imds-disabled")
def test_imds_off_by_a_variable(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    exhibit(staged(worker, aws, "imds-disabled"), HOST, works=PULL)


@pytest.mark.failure("aws-identity.imds-off")
def test_imds_off_by_policy(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    exhibit(staged(worker, aws, "imds-off"), HOST, works=PULL, fill=INSTANCE)


@pytest.mark.failure("aws-identity.hop-limit")
def test_the_hop_limit_is_one(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    exhibit(staged(worker, aws, "hop-limit"), HOST, works=PULL, fill=INSTANCE)


@pytest.mark.failure("aws-identity.no-role")
def test_no_role_is_attached(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    fill = {**INSTANCE, "NAME": "pull"}
    exhibit(staged(worker, aws, "no-role"), HOST, works=PULL, fill=fill)


@pytest.mark.failure("aws-identity.role-not-assumable")
def test_ec2_may_not_assume_the_role(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    by = ("let ec2.amazonaws.com assume the role", lambda: aws.mend("role-not-assumable"))
    exhibit(staged(worker, aws, "role-not-assumable"), HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.imds-silent")
def test_imds_does_not_answer(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    exhibit(staged(worker, aws, "imds-silent"), HOST, works=PULL, fill=INSTANCE)


@pytest.mark.failure("aws-identity.imds-unreachable")
def test_no_instance_and_no_keys(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    by = ("another source of AWS credentials", lambda: write(worker, "credentials", f"[default]\n{KEYS}"))
    exhibit(staged(worker, aws, "imds-unreachable"), HOST, works=PULL, by=by)


# Containers: ECS, and EKS pod identity


@pytest.mark.failure("aws-identity.container-refused")
@pytest.mark.parametrize(
    ("identity", "words"), [("ecs", "taskRoleArn"), ("pod-identity", "pods.eks.amazonaws.com")]
)
def test_a_container_without_a_role(
    exhibit: Exhibit, worker: Patient, aws: Aws, identity: str, words: str
) -> None:
    by = (words, lambda: aws.mend("container-refused"))
    exhibit(staged(worker, aws, "container-refused", identity), HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.container-token-refused")
def test_the_agent_refuses_the_token(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    by = ("have the pod started anew", lambda: aws.mend("container-token-refused"))
    exhibit(staged(worker, aws, "container-token-refused", "pod-identity"), HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.container-unreachable")
def test_the_agent_does_not_run(exhibit: Exhibit, worker: Patient) -> None:
    with Emulator(password=PASSWORD) as once:
        port = int(once.url.rpartition(":")[2])
    worker = worker.but(**IDENTITIES["ecs"](once, once.url, worker.home), AWS_ENDPOINT_URL=once.url)
    with ExitStack() as stack:
        exhibit(worker, HOST, works=PULL, by=("start the agent", lambda: start(stack, port)))


def start(stack: ExitStack, port: int) -> Emulator:
    """Start another emulator at an address, until the stack ends."""
    return stack.enter_context(Emulator(password=PASSWORD, port=port))


@pytest.mark.failure("aws-identity.token-file-missing")
@pytest.mark.parametrize("identity", ["web-identity", "pod-identity"])
def test_the_token_is_not_mounted(exhibit: Exhibit, worker: Patient, aws: Aws, identity: str) -> None:
    source = IDENTITIES[identity](aws, aws.url, worker.home)
    path = Path(next(value for name, value in source.items() if name.endswith("_FILE")))
    token = path.read_text()
    path.unlink()
    by = ("have the file written", lambda: path.write_text(token))
    exhibit(worker.but(**source), HOST, works=PULL, by=by)


# Web identities: EKS service accounts, CI


def token_file(worker: Patient, audience: str, seconds: float) -> tuple[Patient, Path]:
    """Return the worker as a pod with a token for an audience."""
    path = worker.home / "token"
    path.write_text(sts.web_identity_token(audience, time.time() + seconds))
    return worker.but(AWS_ROLE_ARN=ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=str(path)), path


@pytest.mark.failure("aws-identity.web-identity-audience")
def test_a_token_for_another_audience(exhibit: Exhibit, worker: Patient) -> None:
    pod, _ = token_file(worker, "vault", 3600)
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
    exhibit(pod, HOST, works=PULL, fill={"ARN": provider})


@pytest.mark.failure("aws-identity.web-identity-expired")
def test_an_expired_web_identity(exhibit: Exhibit, worker: Patient) -> None:
    pod, _ = token_file(worker, sts.AUDIENCE, -60)
    by = ("start the pod anew", lambda: token_file(worker, sts.AUDIENCE, 3600))
    exhibit(pod, HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.web-identity-provider")
def test_an_issuer_that_is_not_known(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    exhibit(staged(worker, aws, "web-identity-provider", "web-identity"), HOST, works=PULL)


@pytest.mark.failure("aws-identity.web-identity-denied")
def test_a_role_that_does_not_trust_the_pod(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    exhibit(staged(worker, aws, "web-identity-denied", "web-identity"), HOST, works=PULL)


# Permissions


@pytest.mark.failure("token-permission.access-denied")
def test_a_role_without_the_permission(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    exhibit(staged(worker, aws, "access-denied"), HOST, works=PULL)


@pytest.mark.failure("token-permission.access-denied")
def test_a_user_without_the_permission(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    exhibit(staged(worker, aws, "access-denied", "keys"), HOST, works=PULL)


@pytest.mark.failure("token-permission.access-denied")
@pytest.mark.parametrize("fault", ["access-denied", "bearer-denied"])
def test_a_missing_permission_of_ecr_public(exhibit: Exhibit, worker: Patient, aws: Aws, fault: str) -> None:
    worker.configure(credHelpers={"public.ecr.aws": "ecr-login"})
    worker = staged(worker, aws, fault)
    exhibit(worker, "public.ecr.aws", works=gets("ecr-login", "public.ecr.aws", PASSWORD))


DENIED = {
    "scp-denied": "ask the organization's administrators",
    "rcp-denied": "ask the organization's administrators",
    "boundary-denied": "in the permissions boundary",
    "session-policy-denied": "when the role is assumed",
    "vpc-endpoint-denied": "in the policy of the VPC endpoint",
    "explicitly-denied": "remove the Deny",
}


def denial(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    """Let the administrators change the policy that the marker names."""
    fault = exhibit.id.partition(".")[2]
    exhibit(staged(worker, aws, fault), HOST, works=PULL, by=(DENIED[fault], lambda: aws.mend(fault)))


@pytest.mark.failure("token-permission.scp-denied")
def test_a_service_control_policy_denies(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    denial(exhibit, worker, aws)


@pytest.mark.failure("token-permission.rcp-denied")
def test_a_resource_control_policy_denies(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    denial(exhibit, worker, aws)


@pytest.mark.failure("token-permission.boundary-denied")
def test_a_permissions_boundary_denies(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    denial(exhibit, worker, aws)


@pytest.mark.failure("token-permission.session-policy-denied")
def test_a_session_policy_denies(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    denial(exhibit, worker, aws)


@pytest.mark.failure("token-permission.vpc-endpoint-denied")
def test_a_vpc_endpoint_policy_denies(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    denial(exhibit, worker, aws)


@pytest.mark.failure("token-permission.explicitly-denied")
def test_an_identity_policy_denies(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    denial(exhibit, worker, aws)


@pytest.mark.failure("token-permission.assume-role-denied")
def test_a_role_may_not_be_assumed(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    worker.set(f'[ecr]\nfailure_seconds = 0.001\n[[ecr.registry]]\nmatch = "{HOST}"\nrole_arn = "{ROLE}"\n')
    exhibit(staged(worker, aws, "assume-role-denied"), HOST, works=PULL)


# Sessions, keys, profiles


@pytest.mark.failure("token-permission.expired-token")
def test_an_expired_session(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    write(worker, "credentials", f"[default]\n{KEYS}aws_session_token = {CANARY}\n")
    by = ("renew the session's credentials", lambda: aws.mend("expired-token"))
    exhibit(staged(worker, aws, "expired-token"), HOST, works=PULL, by=by)


@pytest.mark.failure("token-permission.invalid-key")
def test_a_key_that_does_not_exist(exhibit: Exhibit, worker: Patient) -> None:
    write(worker, "credentials", f"[default]\n{KEYS.replace(KEY, 'AKIADELETED')}")
    by = ("check the access key", lambda: write(worker, "credentials", f"[default]\n{KEYS}"))
    exhibit(worker, HOST, works=PULL, by=by)


@pytest.mark.failure("token-permission.wrong-secret")
def test_a_wrong_secret_access_key(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    write(worker, "credentials", f"[default]\n{KEYS}")
    by = ("check the secret access key", lambda: aws.mend("wrong-secret"))
    exhibit(staged(worker, aws, "wrong-secret"), HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.sso-expired")
def test_an_expired_sso_session(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    write(worker, "config", SSO)
    aws.stage("sso-expired")
    sso_login(worker)
    by = ("aws sso login --profile prod", lambda: aws.mend("sso-expired"))
    exhibit(worker.but(AWS_PROFILE="prod"), HOST, works=PULL, by=by)


START = "https://example.awsapps.com/start"
SSO = f"""\
[profile prod]
sso_start_url = {START}
sso_region = eu-central-1
sso_account_id = 123456789012
sso_role_name = pull
"""


def sso_login(worker: Patient) -> None:
    """Leave what `aws sso login` leaves, which needs a person at a browser."""
    cache = worker.home / ".aws" / "sso" / "cache" / f"{sha1(START.encode()).hexdigest()}.json"
    cache.parent.mkdir(parents=True, exist_ok=True)
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    cache.write_text(json.dumps({"accessToken": CANARY, "expiresAt": ends}))


@pytest.mark.failure("aws-identity.profile-missing")
def test_a_profile_that_does_not_exist(exhibit: Exhibit, worker: Patient) -> None:
    by = ("add the profile", lambda: write(worker, "credentials", f"[prod]\n{KEYS}"))
    exhibit(worker.but(AWS_PROFILE="prod"), HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.profile-incomplete")
def test_a_profile_with_half_a_key(exhibit: Exhibit, worker: Patient) -> None:
    write(worker, "credentials", f"[default]\naws_access_key_id = {KEY}\n")
    by = ("add aws_secret_access_key", lambda: write(worker, "credentials", f"[default]\n{KEYS}"))
    exhibit(worker, HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.config-unparsable")
def test_a_broken_aws_configuration(exhibit: Exhibit, worker: Patient) -> None:
    write(worker, "config", "[default\nregion = eu-central-1\n")
    by = ("config, line 1", lambda: write(worker, "config", "[default]\nregion = eu-central-1\n"))
    exhibit(worker, HOST, works=PULL, by=by)


def program(worker: Patient, script: str) -> Path:
    """Write the credential_process of the worker."""
    path = worker.home / "give-keys"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    write(worker, "config", f"[default]\ncredential_process = {path}\n")
    return path


PRINTS = "echo '" + json.dumps({"Version": 1, "AccessKeyId": KEY, "SecretAccessKey": CANARY}) + "'"


@pytest.mark.failure("aws-identity.mfa")
def test_a_profile_that_needs_a_code(exhibit: Exhibit, worker: Patient) -> None:
    profile = f"[default]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\n{KEYS}"
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/ada"
    write(worker, "config", profile.replace("\nsource", f"\nmfa_serial = {serial}\nsource"))
    by = ("use a profile without mfa_serial", lambda: write(worker, "config", profile))
    exhibit(worker, HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.token-file-unusable")
def test_a_token_file_that_is_empty(exhibit: Exhibit, worker: Patient) -> None:
    pod, path = token_file(worker, sts.AUDIENCE, 3600)
    token = path.read_text()
    path.write_text("\n")
    by = ("have the file written", lambda: path.write_text(token))
    exhibit(pod, HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.process-output")
def test_a_credential_process_without_keys(exhibit: Exhibit, worker: Patient) -> None:
    program(worker, "echo Enter PIN:")
    by = ('have it print {"Version": 1', lambda: program(worker, PRINTS))
    exhibit(worker, HOST, works=PULL, by=by)


@pytest.mark.failure("aws-identity.process-missing")
def test_a_missing_credential_process(exhibit: Exhibit, worker: Patient) -> None:
    program(worker, PRINTS).unlink()
    exhibit(worker, HOST, works=PULL, by=("install it", lambda: program(worker, PRINTS)))


@pytest.mark.failure("aws-identity.process-failed")
def test_a_credential_process_that_fails(exhibit: Exhibit, worker: Patient) -> None:
    program(worker, "echo sealed >&2; exit 3")
    by = ("run it by hand, and fix that", lambda: program(worker, PRINTS))
    exhibit(worker, HOST, works=PULL, by=by)


# The service, and the way to it


@pytest.mark.failure("token-permission.throttled")
def test_aws_limits_the_rate(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    by = ("try again in a minute", lambda: aws.mend("throttled"))
    exhibit(staged(worker, aws, "throttled"), HOST, works=PULL, by=by)


@pytest.mark.failure("clock.skew")
def test_a_clock_that_is_late(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    by = ("timedatectl set-ntp true", lambda: aws.mend("clock-skew"))
    exhibit(staged(worker, aws, "clock-skew=3600", "keys"), HOST, works=PULL, by=by)


@pytest.mark.failure("token-permission.unreachable")
def test_aws_cannot_be_reached(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    with Emulator(password=PASSWORD) as once:
        port = int(once.url.rpartition(":")[2])
    worker = worker.but(AWS_ENDPOINT_URL_ECR=once.url)
    with ExitStack() as stack:

        def repair() -> None:
            start(stack, port).access_key_ids = aws.access_key_ids

        exhibit(worker, HOST, works=PULL, by=("check the network", repair))


@pytest.mark.failure("token-permission.region-unknown")
def test_a_region_that_does_not_exist(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    wrong = HOST.replace("eu-central-1", "eu-center-1")
    worker = staged(worker, aws, "region-unknown")
    worker.configure(credHelpers={wrong: "ecr-login"})

    def correct() -> None:
        worker.configure(credHelpers={HOST: "ecr-login"})
        del worker.env["AWS_ENDPOINT_URL_ECR"]  # which stands for a name server without that region

    def works(user: Patient) -> bool:
        (server,) = json.loads(user.config.read_text())["credHelpers"]
        return gets("ecr-login", server, PASSWORD)(user)

    exhibit(worker, works=works, by=("did you mean eu-central-1", correct))


@pytest.mark.failure("token-permission.server-error")
def test_aws_has_a_server_error(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    by = ("try again in a minute", lambda: aws.mend("server-error"))
    exhibit(staged(worker, aws, "server-error"), HOST, works=PULL, by=by)


@pytest.mark.failure("remembered-failure.repeated")
def test_a_failure_that_is_remembered(exhibit: Exhibit, worker: Patient, aws: Aws) -> None:
    worker.set("")
    aws.stage("access-denied")
    assert not PULL(worker)
    aws.mend("access-denied")
    exhibit(worker, HOST, works=PULL)


# The helper that Docker asks


@pytest.mark.failure("ecr-host.not-ecr")
def test_docker_hub_beside_ecr(exhibit: Exhibit, worker: Patient, password_store_env: dict[str, str]) -> None:
    """Public images of Docker Hub work all the same; the credential for private ones is not found."""
    worker = worker.but(**{**password_store_env, "PATH": worker.env["PATH"]})
    worker.configure(credsStore="ecr-login")
    assert worker.helper("pass").store("https://index.docker.io/v1/", "ada", CANARY).code == 0

    exhibit(worker, "docker.io", works=hub)


def hub(user: Patient) -> bool:
    """Look Docker Hub's credential up as Docker does."""
    store = json.loads(user.config.read_text())["credsStore"]
    return gets(store, "https://index.docker.io/v1/")(user)


@pytest.mark.failure("ecr-host.other-helper")
def test_a_registry_of_ecr_with_another_helper(
    exhibit: Exhibit, worker: Patient, password_store_env: dict[str, str]
) -> None:
    worker = worker.but(**{**password_store_env, "PATH": worker.env["PATH"]})
    worker.configure(credsStore="pass")

    def works(user: Patient) -> bool:
        config = json.loads(user.config.read_text())
        return gets(config.get("credHelpers", {}).get(HOST, "pass"), HOST, PASSWORD)(user)

    exhibit(worker, HOST, works=works)


@pytest.mark.failure("ecr-host.look-alike")
def test_a_host_that_only_looks_like_ecr(exhibit: Exhibit, worker: Patient) -> None:
    worker.configure(credHelpers={HOST.replace(ACCOUNT, "1234"): "ecr-login"})

    def works(user: Patient) -> bool:
        (server,) = json.loads(user.config.read_text())["credHelpers"]
        return gets("ecr-login", server, PASSWORD)(user)

    by = ("correct the name", lambda: worker.configure(credHelpers={HOST: "ecr-login"}))
    exhibit(worker, works=works, by=by)


@pytest.mark.failure("token-cache.unsafe")
def test_a_cache_that_others_can_write(exhibit: Exhibit, worker: Patient) -> None:
    assert PULL(worker)
    (worker.home / ".ecr" / "tokens").chmod(0o777)
    exhibit(worker, HOST, works=PULL, breaks=False)


@pytest.mark.failure("token-cache.off")
def test_a_cache_that_is_off(exhibit: Exhibit, worker: Patient) -> None:
    exhibit(worker.but(AWS_ECR_DISABLE_CACHE="1"), HOST, works=PULL, breaks=False)
