"""Each client of the contract, played literally: its bytes, its environment, what it makes of an answer."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.support.aws import HOST, PASSWORD, TOKEN_CALL
from tests.support.client import NOT_FOUND, CredentialsNotFoundError, go_json
from tests.support.worker import Worker

HUB = "https://index.docker.io/v1/"
OTHER = "registry.example:5000"


@pytest.fixture
def unit(worker: Worker, tmp_path: Path) -> Worker:
    """The environment of a systemd unit: no HOME, no USER, a short PATH; its state is where the unit says."""
    state = tmp_path / "state"
    aws = {name: value for name, value in worker.env.items() if name.startswith("AWS_")}
    nothing = dict.fromkeys(worker.env)
    return worker.but(**nothing).but(**aws, PATH="/usr/bin:/bin", AWS_ECR_CACHE_DIR=str(state))


def _run(worker: Worker, verb: str, stdin: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run the helper without anything of the tests' own client between."""
    done = subprocess.run(
        [worker.executable, verb],
        input=stdin,
        env=dict(worker.env),
        capture_output=True,
        timeout=30,
        check=False,
    )
    worker.seen.append(done.stderr)
    return done


def test_docker_pulls_by_host_without_a_newline(worker: Worker) -> None:
    # docker-credential-helpers client/client.go: not found by the sentence, else JSON into a struct.
    done = _run(worker, "get", HOST.encode())

    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == {"ServerURL": HOST, "Username": "AWS", "Secret": PASSWORD}


def test_docker_builds_with_all_credentials(worker: Worker) -> None:
    # docker/cli credentials/native_store.go, GetAll: list, then a get for each key; one real error ends it.
    for host in (HOST, HOST.replace("eu-central-1", "eu-west-1")):
        worker.password(host)

    listed = json.loads(_run(worker, "list", b"unused").stdout)

    assert len(listed) == 2
    for server in listed:
        done = _run(worker, "get", server.encode())
        assert json.loads(done.stdout)["Username"] == listed[server] == "AWS"
    assert worker.aws.calls[TOKEN_CALL] == 2


def test_docker_pulls_from_others_anonymously(worker: Worker) -> None:
    for server in (HUB, OTHER, "registry-1.docker.io", "localhost:5000", "quay.io"):
        with pytest.raises(CredentialsNotFoundError):
            worker.get(server).value()

    assert worker.log.count('level=warning msg="Not an Amazon ECR registry"') == 5
    assert worker.aws.total == 0


def test_docker_logs_in_to_ecr_and_out(worker: Worker) -> None:
    # docker login stores by host; docker logout erases four spellings and must be told of no error.
    token = f"opaque-{CANARY}"
    stored = _run(worker, "store", go_json({"ServerURL": HOST, "Username": "AWS", "Secret": token}))
    assert (stored.returncode, stored.stdout, stored.stderr) == (0, b"", b"")
    assert worker.password() == token

    for spelling in (HOST, f"http://{HOST}", f"https://{HOST}", f"https://{HOST}/v1/"):
        erased = _run(worker, "erase", spelling.encode())
        assert (erased.returncode, erased.stdout, erased.stderr) == (0, b"", b"")

    assert worker.stored() == {}
    assert worker.password() == PASSWORD


def test_docker_does_not_wait_for_a_renewal(worker: Worker) -> None:
    worker.password()
    worker.age(7 * 3600)

    done = _run(worker, "get", HOST.encode())  # returns when both streams have ended, as os/exec does

    assert json.loads(done.stdout)["Secret"] == PASSWORD
    worker.wait_for_refresh(2)


def test_buildkit_asks_for_many_at_once(worker: Worker) -> None:
    processes = [
        subprocess.Popen(
            [worker.executable, "get"],
            env=dict(worker.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(8)
    ]
    answers = [process.communicate(HOST.encode(), timeout=30) for process in processes]

    assert all(json.loads(out)["Secret"] == PASSWORD and not err for out, err in answers)
    assert worker.aws.calls[TOKEN_CALL] == 1


@pytest.mark.parametrize("server", ["docker.io", OTHER])
def test_podman_and_skopeo_find_nothing(worker: Worker, server: str) -> None:
    # containers/image pkg/docker/config: IsErrCredentialsNotFoundMessage on the trimmed stdout.
    done = _run(worker, "get", server.encode())

    assert (done.returncode, done.stdout.strip()) == (1, NOT_FOUND)
    assert _run(worker, "erase", server.encode()).returncode == 0


@pytest.mark.parametrize("form", ["{}", "https://{}", "{}/team/app"])
def test_nomad_under_systemd_pulls_from_ecr(unit: Worker, form: str) -> None:
    # nomad drivers/docker/utils.go: any exit but 0 is fatal, stdout is a map of strings.
    done = _run(unit, "get", form.format(HOST).encode())

    assert (done.returncode, done.stderr) == (0, b"")
    answer: dict[str, str] = json.loads(done.stdout)
    assert (answer["Username"], answer["Secret"]) == ("AWS", PASSWORD)


def test_nomad_shows_the_cause_which_is_on_stderr(unit: Worker) -> None:
    done = _run(unit.but(AWS_EC2_METADATA_DISABLED="true"), "get", HOST.encode())

    assert done.returncode != 0
    assert b"no AWS credentials" in done.stderr.splitlines()[0]


@pytest.mark.parametrize("server", ["docker.io", OTHER, "public.ecr.aws"])
def test_nomad_pulls_public_images(unit: Worker, tmp_path: Path, server: str) -> None:
    config = tmp_path / "config.toml"
    config.write_text('not_found = "empty"\n')

    done = _run(
        unit.but(CREDHELPERS_CONFIG=str(config), AWS_EC2_METADATA_DISABLED="true"), "get", server.encode()
    )

    assert done.returncode == 0
    assert json.loads(done.stdout) == {"ServerURL": server, "Username": "", "Secret": ""}


def test_nomad_still_fails_for_ecr_when_aws_does(unit: Worker, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('not_found = "empty"\n')

    done = _run(
        unit.but(CREDHELPERS_CONFIG=str(config), AWS_EC2_METADATA_DISABLED="true"), "get", HOST.encode()
    )

    assert done.returncode == 1
    assert b"no AWS credentials" in done.stderr


def test_docker_py_writes_a_newline(worker: Worker) -> None:
    # docker-py docker/credentials/store.py: stdin with a newline, substring of the output.
    assert json.loads(_run(worker, "get", HOST.encode() + b"\n").stdout)["Secret"] == PASSWORD
    done = _run(worker, "get", OTHER.encode() + b"\n")

    assert done.returncode != 0
    assert NOT_FOUND in done.stdout


def test_docker_py_lists_with_an_open_stdin(worker: Worker) -> None:
    ours, theirs = os.pipe()
    try:
        done = subprocess.run(
            [worker.executable, "list"],
            stdin=ours,
            env=dict(worker.env),
            capture_output=True,
            timeout=30,
            check=False,
        )
        os.write(theirs, b"still here")
        assert os.read(ours, 100) == b"still here"
    finally:
        os.close(ours)
        os.close(theirs)

    assert (done.returncode, done.stdout) == (0, b"{}\n")


def test_ggcr_asks_for_the_repository_first(worker: Worker) -> None:
    # authn/keychain.go: "registry/repository", then "registry"; whatever is not "not found" aborts.
    assert worker.get(f"{HOST}/team/app").credentials().secret == PASSWORD
    for server in ("index.docker.io/library/nginx", HUB, f"{OTHER}/team/app", OTHER):
        assert _run(worker, "get", server.encode()).stdout.strip() == NOT_FOUND


def test_oras_shows_what_stands_on_stdout(worker: Worker) -> None:
    done = _run(worker, "store", go_json({"ServerURL": OTHER, "Username": "ada", "Secret": CANARY}))

    assert done.returncode == 1
    assert done.stdout.count(b"\n") == 1
    assert b"is not an Amazon ECR registry" in done.stdout


def test_a_look_alike_gets_no_token(worker: Worker) -> None:
    for server in (f"{HOST}.evil.example", f"http://{HOST}", f"{HOST}:8443", f"{HOST}@evil.example"):
        assert _run(worker, "get", server.encode()).stdout.strip() == NOT_FOUND

    assert worker.aws.total == 0
