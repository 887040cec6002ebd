"""Answers without end: bounded in bytes and time, whoever gives them, and told in a line."""

import re
import socket
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.canary import CANARY
from tests.support.ahead import Ahead
from tests.support.aws import (
    CONTAINER_PATH,
    HOST,
    PASSWORD,
    TOKEN_CALL,
    Misbehaving,
    drip,
    endless_body,
    endless_chunk_extension,
    endless_chunks,
    endless_interim_answers,
    flood,
    gzip_bomb,
    half_an_answer,
)
from tests.support.worker import Worker, worker_ahead

ahead = Ahead(worker_ahead)
LIMITS = "[ecr]\ncall_seconds = 4\n"
MEMORY_KIB = 400_000
"""Of address space; the helper takes less than half of it."""
REASONABLE_SECONDS = 10
ROLE_ARN = "arn:aws:iam::123456789012:role/pull"

Behaviour = Callable[[socket.socket], None]


@pytest.fixture
def confined(worker: Worker) -> Worker:
    """A machine on which a helper that takes much memory gets no further, with four seconds for a call."""
    return with_limits(worker)


def with_limits(worker: Worker) -> Worker:
    config = worker.home / "config.toml"
    config.write_text(LIMITS)
    helper = worker.home / worker.executable.name
    helper.write_text(f'#!/bin/sh\nulimit -v {MEMORY_KIB}\nexec "{worker.executable}" "$@"\n')
    helper.chmod(0o755)
    return replace(worker.but(CREDHELPERS_CONFIG=str(config)), executable=helper)


def _at_ecr(worker: Worker, url: str) -> Worker:
    return worker.with_keys().but(AWS_ENDPOINT_URL=url)


def _at_sts(worker: Worker, url: str) -> Worker:
    token = worker.home / "token"
    token.write_text(f"jwt-{CANARY}")
    return worker.but(AWS_ROLE_ARN=ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE=str(token), AWS_ENDPOINT_URL_STS=url)


def _at_metadata(worker: Worker, url: str) -> Worker:
    return worker.but(AWS_EC2_METADATA_SERVICE_ENDPOINT=url)


def _at_container(worker: Worker, url: str) -> Worker:
    return worker.but(AWS_CONTAINER_CREDENTIALS_FULL_URI=url + CONTAINER_PATH)


everywhere = pytest.mark.parametrize("place", [_at_ecr, _at_sts, _at_metadata, _at_container])


@everywhere
@pytest.mark.parametrize("behaviour", [flood, endless_body, endless_chunks, endless_interim_answers])
def test_an_endless_answer_ends_at_a_mebibyte(
    confined: Worker, behaviour: Behaviour, place: Callable[[Worker, str], Worker]
) -> None:
    with Misbehaving(behaviour) as broken:
        began = time.monotonic()
        cause, remedy = place(confined, broken.url).cause_of_nothing().splitlines()
        assert time.monotonic() - began < REASONABLE_SECONDS

    assert "unexpected response from" in cause
    assert "more than 1 MiB" in cause
    assert "proxy" in remedy
    assert confined.aws.calls[TOKEN_CALL] == 0
    assert broken.connections == 1


def test_half_an_answer_is_a_failed_attempt(confined: Worker) -> None:
    with Misbehaving(half_an_answer) as broken:
        cause = _at_ecr(confined, broken.url).cause_of_nothing()

    assert broken.connections == 3
    assert "Connection was closed before we received a valid response" in cause


def test_a_whole_answer_after_half_a_one_is_taken(confined: Worker) -> None:
    def answer(connection: socket.socket) -> None:
        if broken.connections == 1:
            half_an_answer(connection)
            return
        upstream = socket.create_connection(("127.0.0.1", int(confined.aws.url.rpartition(":")[2])))
        with upstream:
            upstream.sendall(b"".join(_request(confined)))
            while chunk := upstream.recv(1 << 16):
                connection.sendall(chunk)
        connection.close()

    with Misbehaving(answer) as broken:
        assert _at_ecr(confined, broken.url).get(HOST).credentials().secret == PASSWORD

    assert broken.connections == 2


def _request(worker: Worker) -> list[bytes]:
    """The parts of a request for a token, signed by the worker's keys as far as the emulator looks."""
    key = worker.with_keys().env["AWS_ACCESS_KEY_ID"]
    signed = f"Authorization: AWS4-HMAC-SHA256 Credential={key}/20300101/eu-central-1/ecr/aws4_request,\r\n"
    target = "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken\r\n"
    head = f"POST / HTTP/1.1\r\nHost: aws\r\nConnection: close\r\n{signed}{target}Content-Length: 2\r\n\r\n"
    return [head.encode(), b"{}"]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (endless_chunk_extension, "Connection was closed before|more than 1 MiB"),
        (gzip_bomb, "unexpected response from"),
        (drip, "did not answer within 4 s"),
    ],
)
@ahead
def test_other_ways_to_take_memory_or_time_fail(worker: Worker, *, behaviour: Behaviour, words: str) -> None:
    with Misbehaving(behaviour) as broken:
        began = time.monotonic()
        cause = _at_ecr(with_limits(worker), broken.url).cause_of_nothing()
        assert time.monotonic() - began < REASONABLE_SECONDS
        assert broken.url in cause

    assert re.search(words, cause), cause  # newer versions of urllib3 end some of it themselves
