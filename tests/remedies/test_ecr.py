"""Amazon ECR: the wrong helper for a registry, a failure that is remembered, a token that cannot be kept."""

import pytest

from tests.conformance.canary import CANARY
from tests.integration.doctor import Patient
from tests.remedies.mending import POWERLESS, Mending
from tests.support.aws import HOST, Aws, failing
from tests.support.client import Answer

OTHER = "registry.example:5000"


def remedy(answer: Answer) -> str:
    """Return what a helper that failed names as the remedy."""
    assert answer.code == 1, answer
    return answer.err.decode().splitlines()[-1].partition(": ")[2]


def test_another_registry_goes_to_another_helper(keeper: Patient, mend: Mending) -> None:
    keeper.configure(credsStore="ecr-login")
    mend(keeper.doctor(OTHER).of("ECR host").remedy, keeper.env)
    report = keeper.doctor(OTHER)
    assert not [finding for finding in report.findings if finding.check == "ECR host"]
    assert report.of("helper").text.endswith("which asks pass")


@pytest.mark.parametrize(
    ("named", "words"), [("credHelpers", "name another one in"), ("route", "auto.route")]
)
def test_the_wrong_helper_for_one_server(user: Patient, named: str, words: str) -> None:
    if named == "credHelpers":
        user.configure(credHelpers={OTHER: "ecr-login"})
    else:
        user.configure(credsStore="auto")
        user.set(f"[[auto.route]]\nmatch = '{OTHER}'\nhelper = 'ecr-login'\n")
    assert words in user.doctor(OTHER).of("ECR host").remedy


def test_an_ecr_registry_gets_its_own_helper(user: Patient, aws: Aws, mend: Mending) -> None:
    user = user.but(**aws.environment())
    user.configure(credsStore="keyring")
    mend(user.doctor(HOST).of("ECR host").remedy, user.env)
    report = user.doctor(HOST)
    assert (report.state("ECR host"), report.state("answer")) == ("ok", "ok")


def test_a_remembered_failure_is_forgotten(user: Patient, aws: Aws, mend: Mending) -> None:
    user = user.but(**aws.environment())
    user.configure(credHelpers={HOST: "ecr-login"})
    aws.fault = failing(400, "AccessDeniedException", "not authorized")
    assert not user.helper("ecr-login").get(HOST).found
    aws.fault = None
    report = user.doctor(HOST)
    assert report.state("answer") == "fail"
    mend(report.of("remembered failure").remedy, user.env)
    report = user.doctor(HOST)
    assert not [finding for finding in report.findings if finding.check == "remembered failure"]
    assert report.state("answer") == "ok"


def test_a_token_can_be_kept_with_the_cache_on(user: Patient, mend: Mending) -> None:
    off = user.but(AWS_ECR_DISABLE_CACHE="1")
    mended = mend(remedy(off.helper("ecr-login").store(HOST, "AWS", CANARY)), off.env)
    on = Patient(user.bin, mended.env).helper("ecr-login")
    assert on.store(HOST, "AWS", CANARY).code == 0
    assert on.get(HOST).credentials().secret == CANARY


def test_a_token_is_kept_in_an_opened_directory(powerless: Patient, mend: Mending) -> None:
    helper = powerless.helper("ecr-login")
    (powerless.home / ".ecr").mkdir(mode=0o500)
    mend(remedy(helper.store(HOST, "AWS", CANARY)), powerless.env, prefix=POWERLESS)
    assert helper.store(HOST, "AWS", CANARY).code == 0
    assert helper.get(HOST).credentials().secret == CANARY


def test_the_log_says_why_a_token_is_not_kept(user: Patient, mend: Mending) -> None:
    helper = user.helper("ecr-login")
    assert helper.store(HOST, "AWS", CANARY).code == 0
    (kept,) = (user.home / ".ecr" / "tokens").iterdir()
    kept.unlink()
    kept.mkdir()
    mended = mend(remedy(helper.store(HOST, "AWS", CANARY)), user.env)
    assert "The token cache is not used" in mended.shown
    assert "Is a directory" in mended.shown


def test_another_password_is_kept_by_auto(keeper: Patient, mend: Mending) -> None:
    keeper.configure(credsStore="ecr-login")
    mend(remedy(keeper.helper("ecr-login").store(OTHER, "ada", CANARY)), keeper.env)
    assert "credsStore is auto" in keeper.doctor().of("config file").text
    assert keeper.helper("auto").store(OTHER, "ada", CANARY).code == 0


def test_known_registries_are_refreshed(user: Patient, aws: Aws, mend: Mending) -> None:
    user = user.but(**aws.environment())
    assert user.helper("ecr-login").get(HOST).found
    answer = user.run("refresh", "registry.example")
    mended = mend(remedy(answer), user.env)
    assert f"{HOST}: a new token" in mended.shown
