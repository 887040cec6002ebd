"""What `docker login` stores and `docker logout` erases, and what `list` tells."""

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.canary import CANARY
from tests.support.aws import HOST, PASSWORD, TOKEN_CALL, Gate
from tests.support.worker import Worker, rotate

HOUR = 3600
OTHER_HOST = HOST.replace("123456789012", "000000000000")


def _login_password(seconds: float) -> str:
    """What `aws ecr get-login-password` prints: JSON in base64 that tells, among others, its own end."""
    claims = {"payload": CANARY, "version": "2", "type": "DATA_KEY", "expiration": int(time.time() + seconds)}
    return base64.b64encode(json.dumps(claims).encode()).decode()


def test_a_stored_token_needs_no_request(worker: Worker) -> None:
    password = _login_password(12 * HOUR)
    assert worker.store(HOST, "AWS", password).code == 0

    assert worker.password() == worker.password(f"https://{HOST}") == password

    assert worker.aws.total == 0


def test_a_stored_token_ends_as_it_says(worker: Worker) -> None:
    worker.store(HOST, "AWS", _login_password(HOUR))
    worker.age(HOUR + 1)

    assert worker.password() == PASSWORD


def test_a_stored_token_without_an_end(worker: Worker) -> None:
    password = f"opaque-{CANARY}"
    worker.store(HOST, "AWS", password)
    worker.age(12 * HOUR - 60)
    assert worker.password() == password

    worker.age(61)
    assert worker.password() == PASSWORD


def test_a_stored_token_is_for_its_host_only(worker: Worker) -> None:
    worker.store(HOST, "AWS", _login_password(12 * HOUR))

    assert worker.password(OTHER_HOST) == PASSWORD


def test_erasing_forgets_both_tokens(worker: Worker) -> None:
    worker.password()
    worker.store(HOST, "AWS", _login_password(12 * HOUR))
    new = rotate(worker)

    assert (worker.erase(HOST).code, worker.cached()) == (0, [])

    assert worker.password() == new
    assert worker.aws.calls[TOKEN_CALL] == 2


def test_erasing_nothing_succeeds(worker: Worker) -> None:
    for server in (HOST, f"https://{HOST}", "public.ecr.aws", "registry.example:5000"):
        answer = worker.erase(server)
        assert (answer.code, answer.out, answer.err) == (0, b"", b"")

    assert worker.aws.total == 0


def test_erasing_forgets_a_failure(worker: Worker) -> None:
    machine = worker.but(AWS_ACCESS_KEY_ID="AKIAUNKNOWN", AWS_SECRET_ACCESS_KEY=CANARY)
    machine.cause_of_nothing()
    worker.aws.access_key_ids.add("AKIAUNKNOWN")

    machine.erase(HOST)

    assert machine.password() == PASSWORD


def test_ignored_storage_is_not_changed(worker: Worker) -> None:
    worker.password()
    machine = worker.but(AWS_ECR_IGNORE_CREDS_STORAGE="true")
    before = worker.token_file().read_bytes()

    assert machine.store(HOST, "AWS", _login_password(12 * HOUR)).code == 0
    assert machine.password() == PASSWORD
    assert machine.erase(HOST).code == 0

    assert worker.token_file().read_bytes() == before
    assert worker.aws.calls[TOKEN_CALL] == 1


def test_ignored_storage_is_not_used(worker: Worker) -> None:
    worker.store(HOST, "AWS", _login_password(12 * HOUR))

    assert worker.but(AWS_ECR_IGNORE_CREDS_STORAGE="true").password() == PASSWORD


def test_other_registries_are_refused(worker: Worker) -> None:
    answer = worker.store("registry.example:5000", "ada", CANARY)

    cause = "registry.example:5000 is not an Amazon ECR registry"
    assert answer.code == 1
    assert answer.out.decode().startswith(cause)
    first, second = answer.err.decode().splitlines()
    assert first.startswith(f"docker-credential-ecr-login: {cause}")
    assert second.endswith("credhelpers configure --store auto")
    assert not worker.tokens.exists()


def test_an_empty_list(worker: Worker) -> None:
    answer = worker.list()

    assert (answer.code, answer.out, answer.err) == (0, b"{}\n", b"")
    assert worker.aws.total == 0


def test_the_list_has_cached_and_stored_hosts(worker: Worker) -> None:
    public = "public.ecr.aws"
    for host in (HOST, OTHER_HOST, public):
        worker.password(host)
    logged_in = HOST.replace("eu-central-1", "eu-west-1")
    worker.store(logged_in, "AWS", _login_password(12 * HOUR))
    before = worker.aws.total

    listed = worker.stored()

    assert listed == {f"https://{host}": "AWS" for host in (HOST, OTHER_HOST, public, logged_in)}
    assert worker.aws.total == before


def test_the_list_leaves_out_what_is_not_valid(worker: Worker) -> None:
    worker.store(HOST, "AWS", _login_password(HOUR))
    worker.store(OTHER_HOST, "AWS", _login_password(12 * HOUR))
    worker.age(2 * HOUR)
    spoilt = worker.tokens / "stored-spoilt"
    spoilt.write_text("x")
    spoilt.chmod(0o600)

    answer = worker.list()

    assert answer.value() == {f"https://{OTHER_HOST}": "AWS"}
    assert answer.err.decode().count("\n") == 1
    assert worker.aws.total == 0


def test_every_key_of_the_list_can_be_got(worker: Worker) -> None:
    worker.store(HOST, "AWS", _login_password(12 * HOUR))
    worker.store(OTHER_HOST, "AWS", _login_password(12 * HOUR))

    for server, username in worker.stored().items():
        assert worker.get(server).credentials().username == username


@pytest.mark.parametrize("size", [1 << 16, 1 << 20])
def test_a_long_token_comes_back_whole(worker: Worker, size: int) -> None:
    password = CANARY + "x" * (size - len(CANARY))
    assert worker.store(HOST, "AWS", password).code == 0

    assert worker.password() == password


def test_a_cold_get_does_not_undo_an_erasure(worker: Worker) -> None:
    gate = worker.aws.fault = Gate()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(worker.password)
        worker.aws.wait_for(TOKEN_CALL, 1)
        assert worker.erase(HOST).code == 0
        gate.open()
        assert asking.result() == PASSWORD, "whoever had asked before is answered"

    assert worker.cached() == []
    new = rotate(worker)
    assert worker.password() == new


def test_a_renewal_does_not_undo_an_erasure(worker: Worker) -> None:
    worker.password()
    worker.age(7 * HOUR)
    gate = worker.aws.fault = Gate()
    worker.password()
    worker.aws.wait_for(TOKEN_CALL, 2)
    assert worker.erase(HOST).code == 0
    gate.open()
    worker.wait_for_refresh(calls=2)

    assert worker.cached() == []
    new = rotate(worker)
    assert worker.password() == new
