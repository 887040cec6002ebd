"""What a denied action, and a refused web identity, are mended by."""

import json
import shlex
from pathlib import Path

import pytest

from credhelpers.emulator import sts
from credhelpers.stores.ecr.permissions import PULL, explain_denial
from credhelpers.stores.ecr.regions import similar_regions
from credhelpers.stores.ecr.web_identity import explain_web_identity

ACCOUNT = "arn:aws:iam::123456789012"
SESSION = "arn:aws:sts::123456789012:assumed-role"
TOKEN = "ecr:GetAuthorizationToken"


def denied(who: str, action: str = TOKEN, rest: str = "") -> str:
    return f"User: {who} is not authorized to perform: {action} on resource: * {rest}".strip()


def words(remedy: str) -> list[str]:
    return shlex.split(remedy.partition(": ")[2])


@pytest.mark.parametrize(
    ("who", "command"),
    [
        (
            f"{SESSION}/worker/i-0123",
            ["put-role-policy", "--role-name", "worker"],
        ),
        (f"{ACCOUNT}:user/ada", ["put-user-policy", "--user-name", "ada"]),
        (f"{ACCOUNT}:user/team/ada", ["put-user-policy", "--user-name", "ada"]),
    ],
)
def test_the_least_policy_is_a_command(who: str, command: list[str]) -> None:
    found = explain_denial("no", denied(who), "GetAuthorizationToken")

    given = words(found.remedy)
    assert (found.fault, given[:2], given[2:5]) == ("access-denied", ["aws", "iam"], command)
    (statement,) = json.loads(given[-1])["Statement"]
    assert statement == {"Effect": "Allow", "Action": TOKEN, "Resource": "*"}


def test_a_pull_needs_three_actions() -> None:
    message = denied(f"{ACCOUNT}:user/ada", "ecr:BatchGetImage")

    (statement,) = json.loads(words(explain_denial("no", message, "").remedy)[-1])["Statement"]

    assert statement["Action"] == list(PULL)


@pytest.mark.parametrize(
    "who",
    [
        f"{SESSION}/AWSReservedSSO_pull_0123/ada",
        "arn:aws:sts::123456789012:federated-user/ada",
        f"{ACCOUNT}:root",
    ],
)
def test_other_identities_get_the_policy_alone(who: str) -> None:
    remedy = explain_denial("no", denied(who), "").remedy

    assert "aws iam" not in remedy
    assert TOKEN in remedy


@pytest.mark.parametrize("message", ["", "no", "User:", denied("$(id)", "x;y"), "User: a\nis not"])
def test_other_words_are_no_command(message: str) -> None:
    found = explain_denial("no", message, "GetAuthorizationToken")

    assert (found.fault, "aws iam" in found.remedy) == ("access-denied", False)


def test_a_hostile_name_stays_one_word() -> None:
    message = denied(f"{ACCOUNT}:user/$(id);'x")

    assert words(explain_denial("no", message, "").remedy)[4] == "$(id);'x"


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        ("with an explicit deny in a service control policy: arn:aws:organizations::1:policy", "scp-denied"),
        (f"because no service control policy allows the {TOKEN} action", "scp-denied"),
        ("with an explicit deny in a resource control policy", "rcp-denied"),
        ("with an explicit deny in a permissions boundary", "boundary-denied"),
        (f"because no session policy allows the {TOKEN} action", "session-policy-denied"),
        ("with an explicit deny in a VPC endpoint policy", "vpc-endpoint-denied"),
        ("with an explicit deny in an identity-based policy", "explicitly-denied"),
        (f"because no identity-based policy allows the {TOKEN} action", "access-denied"),
    ],
)
def test_the_kind_of_policy_is_told(rest: str, fault: str) -> None:
    found = explain_denial("no", denied(f"{ACCOUNT}:user/ada", rest=rest), "")

    assert found.fault == fault
    assert TOKEN in found.remedy


def test_the_trust_policy_is_made_of_the_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(sts.web_identity_token(sts.AUDIENCE, 2e9))
    environ = {"AWS_ROLE_ARN": f"{ACCOUNT}:role/team/pod", "AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}

    found = explain_web_identity("no", "AccessDenied", "Not authorized", environ)

    assert found
    assert f"sub is {sts.SUBJECT}" in found.cause
    given = words(found.remedy.partition("; or ")[0])
    assert given[2:5] == ["update-assume-role-policy", "--role-name", "pod"]
    (statement,) = json.loads(given[-1])["Statement"]
    issuer = sts.ISSUER.removeprefix("https://")
    assert statement["Principal"] == {"Federated": f"{ACCOUNT}:oidc-provider/{issuer}"}
    assert statement["Condition"]["StringEquals"][f"{issuer}:sub"] == sts.SUBJECT


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.bnVsbA.c", "a.W10.c", "a.eyJhdWQiOltdfQ.c"])
def test_a_token_that_is_none_says_nothing(tmp_path: Path, token: str) -> None:
    path = tmp_path / "token"
    path.write_text(token)

    found = explain_web_identity(
        "no", "AccessDenied", "Not authorized", {"AWS_WEB_IDENTITY_TOKEN_FILE": str(path)}
    )

    assert found
    assert found.cause == "no"


def test_regions_that_are_spelled_alike() -> None:
    assert similar_regions("eu-central-1") is None
    assert "eu-central-1" in (similar_regions("eu-center-1") or [])
    assert similar_regions("moon-base-1") == []
