"""A machine that pulls from ECR: its home, its environment, its helper, and the AWS that it sees."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.conformance.canary import CANARY, WatchedHelper, traces_of_canary
from tests.support.aws import HOST, PASSWORD, TOKEN_CALL, Aws
from tests.support.client import NOT_FOUND

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
_WAIT_SECONDS = 30.0
SECRET_ACCESS_KEY = f"secret-access-key-{CANARY}"


@dataclass(frozen=True)
class Worker(WatchedHelper):
    """docker-credential-ecr-login on a machine of which everything is known."""

    aws: Aws = field(kw_only=True)

    @property
    def home(self) -> Path:
        """The home of the user."""
        return Path(self.env["HOME"])

    @property
    def tokens(self) -> Path:
        """The directory of the cached tokens."""
        return self.home / ".ecr" / "tokens"

    @property
    def log(self) -> str:
        """All that the helper has logged."""
        path = self.home / ".ecr" / "log" / "ecr-login.log"
        return path.read_text() if path.exists() else ""

    def but(self, **changes: str | None) -> "Worker":
        """Return this machine with a changed environment; None takes a variable away."""
        env = {**self.env, **changes}
        return replace(self, env={name: value for name, value in env.items() if value is not None})

    def without_fast_path(self) -> "Worker":
        """Return this machine with the helper itself, where a fast path in plain sh stands before it."""
        behind = self.executable.parent.parent / "lib/credhelpers/bin" / self.executable.name
        return replace(self, executable=behind) if behind.exists() else self

    def with_keys(self, access_key_id: str = ACCESS_KEY_ID) -> "Worker":
        """Return this machine with access keys in its environment, which AWS accepts."""
        self.aws.access_key_ids.add(access_key_id)
        return self.but(AWS_ACCESS_KEY_ID=access_key_id, AWS_SECRET_ACCESS_KEY=SECRET_ACCESS_KEY)

    def configure(self, name: str, text: str) -> Path:
        """Write a file of ~/.aws."""
        path = self.home / ".aws" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        return path

    def password(self, host: str = HOST) -> str:
        """Return the password that the helper gives for a host."""
        answer = self.get(host)
        assert answer.code == 0, answer
        credentials = answer.credentials()
        assert (credentials.server, credentials.username) == (host, "AWS")
        return credentials.secret

    def cause_of_nothing(self, host: str = HOST) -> str:
        """Return what stands on stderr while the helper says that it found nothing."""
        answer = self.get(host)
        assert (answer.code, answer.out.strip()) == (1, NOT_FOUND), answer
        return answer.err.decode()

    def told(self, host: str = HOST) -> tuple[str, str]:
        """Return the cause and the remedy of having no token, one line each, of which no fault is ours."""
        lines = [line.partition(": ")[2] for line in self.cause_of_nothing(host).splitlines()]
        assert len(lines) == 2, lines
        assert lines[0].startswith("no token from ECR"), lines
        assert "internal error" not in self.log
        return lines[0], lines[1]

    def cached(self) -> list[Path]:
        """Return the files of cached tokens."""
        return [path for path in self._kept() if path.suffix != ".failed"]

    def token_file(self) -> Path:
        """Return the only cached token's file."""
        (path,) = self.cached()
        return path

    def age(self, seconds: float) -> None:
        """Let all tokens and failures have come so many seconds earlier."""
        for path in self._kept():
            lines = path.read_text().split("\n")
            times = slice(2, 3) if path.suffix == ".failed" else slice(2, 4)
            lines[times] = [f"{float(line) - seconds:.0f}" for line in lines[times]]
            path.write_text("\n".join(lines))

    def _kept(self) -> list[Path]:
        """Return the files of tokens and failures, without locks and what is left for the fast path."""
        return [
            path
            for path in self.tokens.glob("*-*")
            if not path.name.startswith(("fast-", "answer-")) and path.suffix not in (".lock", ".erased")
        ]

    def wait_for_refresh(self, calls: int) -> None:
        """Wait until a child that nobody waits for has made this many calls in all and saved what it got."""
        self.aws.wait_for(TOKEN_CALL, calls)
        for lock in self.tokens.glob("*.lock"):
            descriptor = os.open(lock, os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            finally:
                os.close(descriptor)

    def assert_no_secret_was_shown(self) -> None:
        """Search stderr, failures' stdout and every file but the cached tokens for the canary."""
        for text in (*self.seen, *_contents(self.home)):
            for trace in traces_of_canary():
                assert trace not in text, f"a secret was shown: {text!r}"


@contextmanager
def watched(worker: Worker) -> Iterator[Worker]:
    """Yield a machine and search all that it has shown for secrets afterwards."""
    yield worker
    worker.assert_no_secret_was_shown()


@contextmanager
def worker_at(installed: Path, private_env: dict[str, str], aws: Aws) -> Iterator[Worker]:
    """Yield a machine with an instance role and nothing cached, and watch it."""
    env = {**private_env, **aws.environment()}
    with watched(Worker(installed / "docker-credential-ecr-login", env, aws=aws)) as machine:
        yield machine


@contextmanager
def worker_ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Worker]]:
    """Yield such a machine with an AWS of its own, for `Ahead`."""
    with Aws() as aws, worker_at(installed, private_env, aws) as machine:
        yield (machine,)


def wait_until_ended(group: int) -> None:
    """Wait until no process of a group is left: one that was killed stays until init has taken note of it."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError(f"the processes of group {group} go on")


def rotate(worker: Worker) -> str:
    """Let AWS give out another password from now on, and return it."""
    worker.aws.password = f"{PASSWORD}-{worker.aws.calls[TOKEN_CALL] + 1}"
    return worker.aws.password


def _contents(home: Path) -> Iterator[bytes]:
    for path in home.rglob("*.log*"):
        if path.is_file():
            yield path.read_bytes()
    for path in home.rglob("*.failed"):
        yield path.read_bytes()
