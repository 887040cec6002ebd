"""What the contract asks of a helper that keeps nothing and gets its credentials from AWS."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from credhelpers.emulator import Emulator
from tests.conformance.canary import CANARY
from tests.conformance.subjects import every_ecr_helper
from tests.conformance.test_bad_input import assert_refused
from tests.conformance.test_verbs import ONE_LINE
from tests.support.client import NOT_FOUND, Answer, Credentials, Helper

pytestmark = every_ecr_helper

REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
SPELLINGS = [
    REGISTRY,
    f"https://{REGISTRY}",
    f"https://{REGISTRY}/",
    f"{REGISTRY}:443",
    f"{REGISTRY}/team/app",
    f"https://{REGISTRY}/v2/",
    "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "123456789012.dkr-ecr.eu-central-1.on.aws",
    "public.ecr.aws",
]
OTHERS = [
    f"{REGISTRY}.evil.example",
    f"evil.example/{REGISTRY}",
    f"evil.example?{REGISTRY}",
    f"x{REGISTRY}",
    f"x.{REGISTRY}",
    f"{REGISTRY}x",
    f"{REGISTRY}@evil.example",
    f"https://{REGISTRY}:443@evil.example/",
    f"http://{REGISTRY}",
    REGISTRY.replace("123456789012", "12345678901"),
    REGISTRY.replace("123456789012", "1234567890123"),
    REGISTRY.replace("123456789012", "١٢٣٤٥٦٧٨٩٠١٢"),
    REGISTRY.replace(".dkr.", "-dkr."),
    REGISTRY.replace("amazonaws.com", "amazonaws.com.cn.example"),
    "dkr.ecr.eu-central-1.amazonaws.com",
    "public.ecr.aws.evil.example",
    "xpublic.ecr.aws",
    "docker.io",
]


@pytest.mark.parametrize("server", SPELLINGS)
def test_token_is_fetched_once(helper: Helper, aws: Emulator, server: str) -> None:
    for _ in range(2):
        answer = helper.get(server)
        assert answer.credentials() == Credentials(server, "AWS", CANARY)
        assert answer.err == b""
        assert aws.calls["GetAuthorizationToken"] == 1


@pytest.mark.parametrize("server", OTHERS)
def test_look_alike_host_does_not_ask_aws(helper: Helper, aws: Emulator, server: str) -> None:
    answer = helper.get(server)
    assert (answer.code, answer.out.strip()) == (1, NOT_FOUND)
    assert ONE_LINE.fullmatch(answer.err)
    assert not aws.calls


def test_aws_out_of_reach_is_not_found(helper: Helper) -> None:
    nowhere = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9",
    }
    answer = Helper(helper.executable, {**helper.env, **nowhere}).get(REGISTRY)
    assert (answer.code, answer.out.strip()) == (1, NOT_FOUND)
    assert re.match(rb"docker-credential-ecr-login: [^\n]+\n", answer.err)
    assert all(ONE_LINE.fullmatch(line) for line in answer.err.splitlines(keepends=True))
    assert b"Traceback" not in answer.err
    log = Path(helper.env["HOME"], ".ecr", "log", "ecr-login.log").read_bytes()
    assert b"level=error" in log


def test_login_and_logout_are_silent(helper: Helper) -> None:
    assert helper.store(REGISTRY, "AWS", CANARY) == Answer(0, b"", b"")
    assert helper.get(REGISTRY).credentials() == Credentials(REGISTRY, "AWS", CANARY)
    assert helper.erase(REGISTRY) == Answer(0, b"", b"")


def test_only_registries_of_aws_are_accepted(helper: Helper, state: Callable[[], object]) -> None:
    before = state()
    assert_refused(helper, helper.store("registry.example", "alice", CANARY))
    assert state() == before
    assert helper.list().out == b"{}\n"


def test_list_makes_no_request(helper: Helper, aws: Emulator) -> None:
    helper.get(REGISTRY)
    asked = dict(aws.calls)
    assert helper.list().code == 0
    assert dict(aws.calls) == asked
