"""Which identity reads which registry, as config.toml says, and registries under names of one's own."""

import pytest

from tests.support.aws import HOST, PASSWORD, TOKEN_CALL
from tests.support.worker import SECRET_ACCESS_KEY, Worker, rotate

ROLE_ARN = "arn:aws:iam::210987654321:role/pull"
OTHER_HOST = HOST.replace("123456789012", "210987654321")


def _configured(worker: Worker, text: str) -> Worker:
    path = worker.home / ".config" / "credhelpers" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return worker


def test_a_role_for_the_registries_that_match(worker: Worker) -> None:
    machine = _configured(
        worker,
        f'[[ecr.registry]]\nmatch = "210987654321.dkr.ecr.*"\nrole_arn = "{ROLE_ARN}"\n'
        'external_id = "e-1"\nsession_name = "nomad"\n',
    )

    assert machine.password(OTHER_HOST) == PASSWORD

    assume, token = worker.aws.requests[-2:]
    assert assume.operation == "AssumeRole"
    assert {
        "RoleArn": ROLE_ARN,
        "ExternalId": "e-1",
        "RoleSessionName": "nomad",
    }.items() <= assume.form.items()
    assert token.operation == TOKEN_CALL
    assert token.scope[0] != assume.scope[0]

    assert machine.password(HOST) == PASSWORD
    assert worker.aws.calls["AssumeRole"] == 1


def test_identities_of_a_region_have_own_tokens(worker: Worker) -> None:
    machine = _configured(
        worker, f'[[ecr.registry]]\nmatch = "210987654321.dkr.ecr.*"\nrole_arn = "{ROLE_ARN}"\n'
    )
    first = machine.password(HOST)
    second = rotate(worker)

    assert machine.password(OTHER_HOST) == second
    assert machine.password(HOST) == first
    assert worker.aws.calls[TOKEN_CALL] == 2


def test_a_profile_for_the_registries_that_match(worker: Worker) -> None:
    worker.aws.access_key_ids.add("AKIAPROD")
    worker.configure(
        "credentials", f"[prod]\naws_access_key_id=AKIAPROD\naws_secret_access_key={SECRET_ACCESS_KEY}\n"
    )
    machine = _configured(
        worker, '[[ecr.registry]]\nmatch = "*.dkr.ecr.eu-central-1.amazonaws.com"\nprofile = "prod"\n'
    )

    machine.password(HOST)
    machine.password(HOST.replace("eu-central-1", "eu-west-1"))

    keys = [request.scope[0] for request in worker.aws.requests if request.operation == TOKEN_CALL]
    assert keys[0] == "AKIAPROD"
    assert keys[1].startswith("ASIA")


def test_the_first_table_that_matches_counts(worker: Worker) -> None:
    machine = _configured(
        worker,
        f'[[ecr.registry]]\nmatch = "{HOST}"\nprofile = "nowhere"\n'
        f'[[ecr.registry]]\nmatch = "*"\nrole_arn = "{ROLE_ARN}"\n',
    )

    assert "nowhere" in machine.cause_of_nothing(HOST)
    assert machine.password(OTHER_HOST) == PASSWORD


@pytest.mark.parametrize("host", ["images.corp.example", "vpce-0a1b-x.dkr.ecr.eu-west-3.vpce.amazonaws.com"])
def test_a_custom_domain_is_a_registry(worker: Worker, host: str) -> None:
    assert worker.get(host).found is False
    machine = _configured(
        worker, f'[[ecr.registry]]\nmatch = "{host}"\naccount = "123456789012"\nregion = "eu-west-3"\n'
    )

    assert machine.stored() == {f"https://{host}": "AWS"}
    assert worker.aws.total == 0
    assert machine.password(host) == PASSWORD
    assert worker.aws.requests[-1].scope[2] == "eu-west-3"


def test_an_endpoint_of_ones_own_is_asked(worker: Worker) -> None:
    machine = _configured(
        worker, f'[[ecr.registry]]\nmatch = "{HOST}"\nendpoint_url = "{worker.aws.url}"\n'
    ).but(AWS_ENDPOINT_URL="http://127.0.0.1:1")

    assert machine.password() == PASSWORD


def test_a_glob_opens_no_door_to_a_look_alike(worker: Worker) -> None:
    machine = _configured(worker, '[[ecr.registry]]\nmatch = "*"\nprofile = "default"\n')

    for server in (f"{HOST}.evil.example", f"evil.example/{HOST}", f"http://{HOST}", "docker.io"):
        assert machine.get(server).found is False
    assert worker.aws.total == 0


def test_a_changed_table_is_another_identity(worker: Worker) -> None:
    worker.password()
    new = rotate(worker)
    machine = _configured(worker, f'[[ecr.registry]]\nmatch = "{HOST}"\nrole_arn = "{ROLE_ARN}"\n')

    assert machine.password() == new
    assert worker.aws.calls["AssumeRole"] == 1
