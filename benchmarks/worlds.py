"""The throwaway users of the benchmarks, with AWS on loopback, password stores and a keyring of their own."""

import base64
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.peers import SYSTEM_PATH
from benchmarks.sampling import Command
from credhelpers.emulator import Emulator

REGION = "eu-central-1"
HOSTS = [f"{account}.dkr.ecr.{REGION}.amazonaws.com" for account in range(123456789012, 123456789027)]
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
PASSWORD = base64.b64encode(b"as long as one of ECR's own" * 70).decode()
_ROLE_KEY_ID = "ASIAIOSFODNN7EXAMPLE"
_KEYS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": "secret-access-key"}
_MD5_OF_NOTHING = bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e")
SECRET = b"a-secret-that-is-looked-for"


class Aws(Emulator):
    """AWS whose instance role has the same access key all the time: the reference caches a token by it."""

    def give_credentials(self) -> dict[str, Any]:
        """Make temporary credentials that this AWS accepts."""
        self.access_key_ids.add(_ROLE_KEY_ID)
        return {**super().give_credentials(), "AccessKeyId": _ROLE_KEY_ID}


@dataclass(frozen=True)
class EcrUser:
    """A user who pulls from ECR.

    Attributes:
        env: The environment.
        aws: What that takes for AWS.
    """

    env: Mapping[str, str]
    aws: Aws

    @property
    def home(self) -> Path:
        """The home directory."""
        return Path(self.env["HOME"])

    def get(self, executable: str, host: str = HOSTS[0]) -> Command:
        """Return the look-up of a registry by a helper."""
        return Command((executable, "get"), self.env, host.encode(), PASSWORD.encode())

    def aws_login(self, aws: str) -> Command:
        """Return what the AWS command-line interface does for the same."""
        arguments = (aws, "ecr", "get-login-password", "--region", REGION)
        return Command(arguments, self.env, expected=PASSWORD.encode())

    def forget(self) -> None:
        """Remove the tokens that our helper has cached."""
        shutil.rmtree(self.home / ".ecr" / "tokens", ignore_errors=True)

    def with_role(self) -> "EcrUser":
        """Return the same user on a machine that has a role and no keys."""
        return replace(self, env={name: value for name, value in self.env.items() if name not in _KEYS})


@contextmanager
def ecr_user(directory: Path) -> Iterator[EcrUser]:
    """Make a user with static keys, for whom the reference has a cached token for every host."""
    home = directory / "ecr"
    (home / ".ecr").mkdir(parents=True, mode=0o700)
    _fill_reference_cache(home / ".ecr" / "cache.json")
    with Aws(password=PASSWORD) as aws:
        aws.access_key_ids |= {ACCESS_KEY_ID, _ROLE_KEY_ID}
        yield EcrUser({**bare_environment(home), **_KEYS, **aws.environment()}, aws)


def _fill_reference_cache(path: Path) -> None:
    """Write the cache that amazon-ecr-credential-helper 0.6 would have left (cache/file.go, cache/build.go).

    Its own requests cannot be had here: it does not honour ``AWS_ENDPOINT_URL``.
    """
    now = time.time()
    token = base64.b64encode(b"AWS:" + PASSWORD.encode()).decode()
    registries = {}
    for key_id in (ACCESS_KEY_ID, _ROLE_KEY_ID):
        identity = base64.b64encode(key_id.encode() + _MD5_OF_NOTHING).decode()
        for host in HOSTS:
            account = host.partition(".")[0]
            registries[f"{REGION}-{identity}-{account}"] = {
                "AuthorizationToken": token,
                "RequestedAt": _rfc3339(now),
                "ExpiresAt": _rfc3339(now + 12 * 3600),
                "ProxyEndpoint": f"https://{host}",
                "Service": "ecr",
            }
    path.write_text(json.dumps({"Registries": registries, "Version": "1.0"}))
    path.chmod(0o600)


@dataclass(frozen=True)
class StoreUser:
    """A user whose credentials are in a store of this machine: a password store or a keyring.

    Attributes:
        env: The environment.
        servers: The servers that have credentials.
    """

    env: Mapping[str, str]
    servers: tuple[str, ...]

    def get(self, executable: str, number: int = 0) -> Command:
        """Return the look-up of one of the servers by a helper."""
        return Command((executable, "get"), self.env, self.servers[number].encode(), SECRET)

    def list(self, executable: str) -> Command:
        """Return the list of all servers by a helper."""
        return Command((executable, "list"), self.env, b"unused", self.servers[-1].encode())


@contextmanager
def password_store_users(directory: Path, helper: str, sizes: tuple[int, ...]) -> Iterator[list[StoreUser]]:
    """Make a key, and for each size a user with a password store that has so many servers."""
    from tests.support.gpg import initialise_password_store, throwaway_gpg_home

    with throwaway_gpg_home() as gpg:
        users = []
        for size in sizes:
            home = directory / f"pass-{size}"
            store = initialise_password_store(home / ".password-store", gpg)
            user = StoreUser({**bare_environment(home), **gpg.env}, _servers(size))
            _store(helper, user, user.servers[0])
            folders = store / "docker-credential-helpers"
            (secret,) = folders.glob("*/*.gpg")
            for server in user.servers[1:]:
                folder = folders / base64.urlsafe_b64encode(server.encode()).decode()
                folder.mkdir(mode=0o700)
                shutil.copy(secret, folder / secret.name)
            users.append(user)
        yield users


@contextmanager
def keyring_user(directory: Path, helper: str) -> Iterator[StoreUser]:
    """Make a user with an unlocked keyring that has some servers."""
    from tests.support.keyring import private_secret_service

    with private_secret_service() as service:
        home = directory / "keyring"
        home.mkdir(mode=0o700)
        user = StoreUser({**bare_environment(home), **service.env}, _servers(15))
        for server in user.servers:
            _store(helper, user, server)
        yield user


def _servers(number: int) -> tuple[str, ...]:
    return tuple(f"registry-{index}.example:5000" for index in range(number))


def _store(helper: str, user: StoreUser, server: str) -> None:
    request = json.dumps({"ServerURL": server, "Username": "user", "Secret": SECRET.decode()})
    Command((helper, "store"), user.env, request.encode()).time()


def bare_environment(home: Path) -> dict[str, str]:
    """Make a home and return an environment with nothing else in it."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {"HOME": str(home), "PATH": SYSTEM_PATH, "LANG": "C.UTF-8"}


def _rfc3339(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
