"""A token is given only to the identity that it was issued to, whatever changes that selects the identity.

Each row changes one source: a variable, a file by its name, by its content with size and time kept, by a
copy that keeps its time, by a link, by the directory that a relative name is in. It is tried by the fast
path, which hands over to Python what it does not answer, with renewals before and after the change.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from credhelpers.emulator import Request, Response
from credhelpers.stores.tokens.cache import PLAIN
from tests.support.aws import CONTAINER_PATH, HOST, PASSWORD, TOKEN_CALL, Aws, failing
from tests.support.worker import SECRET_ACCESS_KEY, Worker

A, B = "AKIAIDENTITYA", "AKIAIDENTITYB"
HOUR = 3600
MOMENT = 10**18
"""The time of every file, in nanoseconds: it tells none from another."""


class Witness(Aws):
    """AWS whose tokens tell by their password who asked for them, and in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.owners: dict[str, str] = {}
        self._asking = ""

    def answer(self, request: Request) -> Response:
        session = request.form.get("RoleSessionName", "")
        asked_for = request.form.get("RoleArn", "") + ("" if session.startswith("botocore-") else session)
        proof = request.form.get("WebIdentityToken", "") + request.headers.get("Authorization", "")
        sso = request.headers.get("X-Amz-Sso_Bearer_Token", "")
        self._asking = f"{request.headers.get('Host')} {request.path} {asked_for} {proof[:40]} {sso}"
        key = request.scope[0]
        if key.startswith("AKIA"):
            self.access_key_ids.add(key)
        owner = self.owners.get(key, key)
        plain = "".join(character if character in PLAIN else "_" for character in owner)
        self.password = f"{PASSWORD}/{self.calls[TOKEN_CALL]}/{plain}"
        return super().answer(request)

    def give_credentials(self) -> dict[str, Any]:
        given = super().give_credentials()
        self.owners[given["AccessKeyId"]] = self._asking
        return given


class World:
    """A worker whose identity is about to change.

    Attributes:
        env: What it has in its environment beside what every worker has.
        directory: Where it is.
    """

    def __init__(self, home: Path, aws: Aws) -> None:
        self.home = home
        self.aws = aws
        self.env: dict[str, str] = {}
        self.directory = home

    def write(self, name: str, text: str) -> Path:
        """Write a file; its time is that of all others."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, ns=(MOMENT, MOMENT))
        return path


Change = Callable[[], None]
Row = Callable[[World], Change]


def keys(key_id: str, secret: str = SECRET_ACCESS_KEY) -> dict[str, Any]:
    return {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret}


def section(key_id: str, name: str = "default") -> str:
    return f"[{name}]\naws_access_key_id = {key_id}\naws_secret_access_key = {SECRET_ACCESS_KEY}\n"


def variable(
    name: str, before: str, after: str | None, files: Mapping[str, str] | None = None, **others: Any
) -> Row:
    """A variable gets another value, or goes; {url}, {other} and {home} stand for what a run makes."""

    def row(world: World) -> Change:
        for path, text in (files or {}).items():
            world.write(path, text)

        def filled(value: str) -> str:
            other = world.aws.url.replace("127.0.0.1", "localhost")
            return (
                value.replace("{url}", world.aws.url)
                .replace("{other}", other)
                .replace("{home}", str(world.home))
            )

        own = {key: filled(value) for key, value in others.items()}
        world.env = {**own, name: filled(before)}

        def change() -> None:
            world.env = own if after is None else {**own, name: filled(after)}

        return change

    return row


WAYS = ("path", "content", "copy", "link", "directory")
TEXTS: dict[str, tuple[str, str]] = {
    "AWS_SHARED_CREDENTIALS_FILE": (section(A), section(B)),
    "AWS_CONFIG_FILE": (section(A), section(B)),
    "BOTO_CONFIG": (section(A, "Credentials"), section(B, "Credentials")),
    "AWS_CREDENTIAL_FILE": (
        f"AWSAccessKeyId={A}\nAWSSecretKey={SECRET_ACCESS_KEY}\n",
        f"AWSAccessKeyId={B}\nAWSSecretKey={SECRET_ACCESS_KEY}\n",
    ),
    "AWS_WEB_IDENTITY_TOKEN_FILE": ("token-of-a", "token-of-b"),
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": ("Bearer a", "Bearer b"),
    "CREDHELPERS_CONFIG": (
        '[[ecr.registry]]\nmatch = "*"\nprofile = "one"\n',
        '[[ecr.registry]]\nmatch = "*"\nprofile = "two"\n',
    ),
}
SURROUNDINGS = {
    "AWS_WEB_IDENTITY_TOKEN_FILE": {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci"},
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}" + CONTAINER_PATH
    },
}


def file(name: str, way: str) -> Row:
    """A file that a variable names becomes another one, in one of several ways."""
    before, after = TEXTS[name]

    def row(world: World) -> Change:
        world.write(".aws/credentials", section(A, "one") + section(B, "two"))
        first, second = world.write("first/file", before), world.write("second/file", after)
        others = {
            key: value.replace("{url}", world.aws.url) for key, value in SURROUNDINGS.get(name, {}).items()
        }
        named = first
        if way == "link":
            named = world.home / "named"
            named.symlink_to(first)
        world.directory = first.parent
        world.env = {**others, name: "file" if way == "directory" else str(named)}

        def change() -> None:
            if way == "path":
                world.env[name] = str(second)
            elif way == "directory":
                world.directory = second.parent
            elif way == "content":
                world.write("first/file", after)
            elif way == "copy":
                shutil.copy2(second, first)
            else:
                switched = world.home / "switched"
                switched.symlink_to(second)
                switched.replace(named)

        return change

    return row


def at_home(name: str, before: str, after: str, files: dict[str, str] | None = None) -> Row:
    """A file at home is rewritten; size and time stay as they were."""

    def row(world: World) -> Change:
        for path, text in {**(files or {}), name: before}.items():
            world.write(path, text.replace("{home}", str(world.home)))

        def change() -> None:
            world.write(name, after)

        return change

    return row


def another_home(world: World) -> Change:
    """Two homes share one cache, and their files have one name and time."""
    for name, key_id in (("one", A), ("two", B)):
        world.write(f"{name}/.aws/credentials", section(key_id))
    cache = {"AWS_ECR_CACHE_DIR": str(world.home / ".ecr")}
    world.env = {**cache, "HOME": str(world.home / "one")}

    def change() -> None:
        world.env = {**cache, "HOME": str(world.home / "two")}

    return change


def another_configuration(world: World) -> Change:
    """The configuration of the helpers is below XDG_CONFIG_HOME."""
    world.write(".aws/credentials", section(A, "one") + section(B, "two"))
    for name in ("one", "two"):
        text = f'[[ecr.registry]]\nmatch = "*"\nprofile = "{name}"\n'
        world.write(f"{name}/credhelpers/config.toml", text)
    world.env = {"XDG_CONFIG_HOME": str(world.home / "one")}

    def change() -> None:
        world.env = {"XDG_CONFIG_HOME": str(world.home / "two")}

    return change


def sso(world: World) -> Change:
    """Somebody else logs in: the SSO session's cached token becomes another's."""
    session = (
        "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n"
        "[sso-session s]\nsso_region = eu-central-1\nsso_start_url = https://start.example\n"
    )
    world.write(".aws/config", session)
    world.env = {"AWS_ENDPOINT_URL_SSO": world.aws.url}
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + HOUR))
    name = ".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json"  # sha1 of the session's name, s

    def log_in(token: str) -> None:
        world.write(name, json.dumps({"accessToken": token, "expiresAt": expires}))

    log_in("token-a")
    return lambda: log_in("token-b")


def process(world: World) -> Change:
    """A credential_process says something else, for a reason that nobody sees."""
    said = world.write("said", "")
    world.write(".aws/config", f"[default]\ncredential_process = /bin/cat {said}\n")

    def say(key_id: str) -> None:
        fields = {"Version": 1, "AccessKeyId": key_id, "SecretAccessKey": SECRET_ACCESS_KEY}
        world.write("said", json.dumps(fields))

    say(A)
    return lambda: say(B)


ROLE = "arn:aws:iam::123456789012:role/"
SOURCE = section(A, "profile base")
PROFILES = {".aws/credentials": section(A, "one") + section(B, "two")}
WEB: dict[str, Any] = {
    "files": {"web-token": "web-token"},
    "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/web-token",
}
CONTAINER: dict[str, Any] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}" + CONTAINER_PATH}
ROWS: dict[str, Row] = {
    "access key": variable("AWS_ACCESS_KEY_ID", A, B, AWS_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY),
    "access key gone": variable("AWS_ACCESS_KEY_ID", A, None, AWS_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY),
    "secret key": variable("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY, "x" * 40, AWS_ACCESS_KEY_ID=A),
    "session token": variable("AWS_SESSION_TOKEN", "a", "b", **keys(A)),
    "security token": variable("AWS_SECURITY_TOKEN", "a", "b", **keys(A)),
    "container token": variable("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a", "b", **CONTAINER),
    "container address": variable(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        CONTAINER["AWS_CONTAINER_CREDENTIALS_FULL_URI"],
        "{other}" + CONTAINER_PATH,
    ),
    "metadata service": variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", "{url}", "{other}"),
    "endpoint": variable("AWS_ENDPOINT_URL", "{url}", "{other}"),
    "endpoint of ECR": variable("AWS_ENDPOINT_URL_ECR", "{url}", "{other}"),
    "another home": another_home,
    "another configuration": another_configuration,
    "sso cache": sso,
    "credential process": process,
    "~/.aws/credentials": at_home(".aws/credentials", section(A), section(B)),
    "~/.aws/config": at_home(".aws/config", section(A), section(B)),
    "~/.boto": at_home(".boto", section(A, "Credentials"), section(B, "Credentials")),
    "config.toml": at_home(".config/credhelpers/config.toml", *TEXTS["CREDHELPERS_CONFIG"], PROFILES),
    "role in the configuration": at_home(
        ".aws/config",
        f"{SOURCE}[default]\nrole_arn = {ROLE}a\nsource_profile = base\n",
        f"{SOURCE}[default]\nrole_arn = {ROLE}b\nsource_profile = base\n",
    ),
    "token file in the configuration": at_home(
        "token",
        "token-a",
        "token-b",
        {".aws/config": f"[default]\nrole_arn = {ROLE}a\nweb_identity_token_file = {{home}}/token\n"},
    ),
    "profile": variable("AWS_PROFILE", "one", "two", PROFILES),
    "default profile": variable("AWS_DEFAULT_PROFILE", "one", "two", PROFILES),
    "role of a web identity": variable("AWS_ROLE_ARN", ROLE + "a", ROLE + "b", **WEB),
    "session of a web identity": variable(
        "AWS_ROLE_SESSION_NAME", "one", "two", AWS_ROLE_ARN=ROLE + "a", **WEB
    ),
    **{f"{name} by {way}": file(name, way) for name in TEXTS for way in WAYS},
}
UNMARKED = {"secret key", "session token", "security token", "endpoint", "endpoint of ECR"}
"""What the witness cannot tell apart, which sees the access key; that AWS was asked anew is all."""
UNKEPT = {"credential process"}
"""Tokens that are not kept, because what selects their identity cannot be seen."""
LEFT_TO_PYTHON = {"session token", "security token", "container token", *UNKEPT} | {
    name for name in ROWS if name.endswith("by directory")
}
"""What the fast path does not answer at all."""

LIKE_BY_PATH = {f"{name} by {way}" for name in TEXTS for way in ("content", "copy")}
"""Until the change these are what the same file by path is, which is renewed before the change, too."""


class Puller:
    """The worker in a world, by one of the two ways to an answer."""

    def __init__(self, worker: Worker, world: World) -> None:
        self._worker = worker
        self._world = world

    def pull(self) -> tuple[int, str]:
        """Return the number of the token's request and whose token it is."""
        worker = replace(self._worker, env={**self._worker.env, **self._world.env})
        os.chdir(self._world.directory)
        secret = worker.password()
        number, _, owner = secret.removeprefix(PASSWORD + "/").partition("/")
        return int(number), owner


@pytest.fixture
def world(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(worker.home)
    return World(worker.home, worker.aws)


@pytest.fixture
def aws() -> Any:
    with Witness() as aws:
        yield aws


@pytest.mark.parametrize("name", ROWS)
def test_a_token_is_its_identitys(name: str, worker: Worker, world: World) -> None:
    change = ROWS[name](world)
    puller, python = Puller(worker, world), Puller(worker.without_fast_path(), world)
    for turn in range(2):
        first = puller.pull()
        if turn == 0 and name in LIKE_BY_PATH:
            change()
            newer, another = puller.pull()
            assert newer > first[0], "the answer is older than the change"
            assert another != first[1]
            continue
        calls = world.aws.calls[TOKEN_CALL]
        if name not in UNKEPT:
            assert puller.pull() == first
            assert python.pull() == first
            worker.age(7 * HOUR)
            assert puller.pull() == first, "the old token is given while it is renewed"
            worker.wait_for_refresh(calls=calls + 1)
        number, owner = puller.pull()
        assert number > calls
        assert owner == first[1], "the renewal is the same identity's"
        assert (worker.tokens / f"fast-{HOST}").exists() == (name not in LEFT_TO_PYTHON)
        if turn == 0:
            asked = world.aws.calls[TOKEN_CALL]
            change()
            newer, another = puller.pull()
            assert newer > asked, "the answer is older than the change"
            if name not in UNMARKED:
                assert another != owner


def test_a_failure_goes_with_its_secret(worker: Worker) -> None:
    worker = worker.with_keys()
    worker.aws.fault = failing(400, "InvalidClientTokenId")
    worker.cause_of_nothing()
    worker.aws.fault = None
    assert worker.get(HOST).code == 1, "the failure is remembered"

    for changed in ({"AWS_SECRET_ACCESS_KEY": "another"}, {"AWS_SESSION_TOKEN": "another"}):
        assert worker.but(**changed).get(HOST).code == 0


def test_the_table_has_sixty_rows() -> None:
    assert 3 * len(ROWS) >= 60
