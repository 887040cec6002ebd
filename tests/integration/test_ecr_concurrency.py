"""Many processes at once: one call to AWS, an answer for each, and nobody who waits for the dead."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from tests.support.aws import HOST, PASSWORD, TOKEN_CALL, Gate, failing
from tests.support.worker import Worker

PROCESSES = 64


def _get_at_once(worker: Worker, hosts: list[str]) -> list[str]:
    with ThreadPoolExecutor(len(hosts)) as pool:
        return list(pool.map(worker.password, hosts))


def test_cold_processes_make_one_call(worker: Worker) -> None:
    assert _get_at_once(worker, [HOST] * PROCESSES) == [PASSWORD] * PROCESSES

    assert worker.aws.calls[TOKEN_CALL] == 1
    assert "level=warning" not in worker.log


def test_different_registries_share_the_call(worker: Worker) -> None:
    hosts = [f"{account:012}.dkr.ecr.eu-central-1.amazonaws.com" for account in range(16)]

    assert _get_at_once(worker, hosts) == [PASSWORD] * len(hosts)

    assert worker.aws.calls[TOKEN_CALL] == 1


def test_a_refusal_is_shared_by_all_who_wait(worker: Worker) -> None:
    worker.aws.fault = failing(403, "AccessDeniedException")

    with ThreadPoolExecutor(16) as pool:
        causes = list(pool.map(worker.cause_of_nothing, [HOST] * 16))

    assert all("AccessDeniedException" in cause for cause in causes)
    assert worker.aws.calls[TOKEN_CALL] == 1


def test_another_takes_over_from_a_killed_one(worker: Worker) -> None:
    gate = worker.aws.fault = Gate()
    with subprocess.Popen(
        [worker.executable, "get"], env=dict(worker.env), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as first:
        assert first.stdin is not None
        first.stdin.write(HOST.encode())
        first.stdin.close()
        worker.aws.wait_for(TOKEN_CALL, 1)
        with ThreadPoolExecutor(8) as pool:
            others = [pool.submit(worker.password) for _ in range(8)]
            killed = time.monotonic()
            first.kill()
            worker.aws.wait_for(TOKEN_CALL, 2)
            delay = time.monotonic() - killed
            gate.open()
            assert [other.result() for other in others] == [PASSWORD] * 8

    assert worker.aws.calls[TOKEN_CALL] == 2
    assert delay < 5  # the promise is 2 s; the rest is for a busy machine


def test_a_process_killed_at_any_moment(worker: Worker) -> None:
    for moment in range(8):
        worker.age(13 * 3600)
        with subprocess.Popen(
            [worker.executable, "get"],
            env=dict(worker.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdin is not None
            process.stdin.write(HOST.encode())
            process.stdin.close()
            try:
                process.wait(timeout=0.06 * moment)
            except subprocess.TimeoutExpired:
                process.kill()

    assert worker.password() == worker.password() == PASSWORD
    assert worker.get(HOST).err == b""
