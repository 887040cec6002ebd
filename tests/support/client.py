"""A client of the wire protocol: it runs a helper as docker does and reads the answer as docker does."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NOT_FOUND = b"credentials not found in native keychain"
TIMEOUT_SECONDS = 30.0


class HelperHungError(AssertionError):
    """The helper did not answer in time, or left a child behind that keeps its output open."""


class CredentialsNotFoundError(Exception):
    """What Docker's client makes of the not-found sentence."""


class HelperFailedError(Exception):
    """What Docker's client makes of any other failure; its text is what stood on standard output."""


@dataclass(frozen=True)
class Credentials:
    """A credential as `get` answers it and `store` takes it."""

    server: str
    username: str
    secret: str

    def to_json(self) -> bytes:
        """Write it as Docker's client writes it: compact, with the HTML characters escaped."""
        return go_json({"ServerURL": self.server, "Username": self.username, "Secret": self.secret})


@dataclass(frozen=True)
class Answer:
    """Everything that a helper gave back: its exit status and both of its streams."""

    code: int
    out: bytes
    err: bytes

    def value(self) -> dict[str, str]:
        """Read the answer as Docker's Go client does, into a map of strings."""
        text = self.out.strip()
        if self.code != 0:
            if text == NOT_FOUND:
                raise CredentialsNotFoundError
            raise HelperFailedError(text.decode(errors="replace"))
        value = json.loads(text)
        assert isinstance(value, dict), f"no JSON object: {text!r}"
        assert all(isinstance(field, str) for field in value.values()), f"not only strings: {text!r}"
        return value

    def credentials(self) -> Credentials:
        """Read the answer to `get`."""
        value = self.value()
        assert sorted(value) == ["Secret", "ServerURL", "Username"]
        return Credentials(value["ServerURL"], value["Username"], value["Secret"])

    @property
    def found(self) -> bool:
        """Whether `get` gave a credential; "go on anonymously" and not found are both false."""
        try:
            answer = self.credentials()
        except CredentialsNotFoundError:
            return False
        return bool(answer.username or answer.secret)


@dataclass(frozen=True)
class Helper:
    """An executable and the environment in which it is run."""

    executable: Path
    env: Mapping[str, str]

    def run(
        self,
        *arguments: str,
        stdin: bytes | IO[bytes] | int | None = b"",
        stdout: IO[bytes] | int | None = subprocess.PIPE,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """Run it and wait until it has ended and its streams are closed, as docker does.

        Args:
            arguments: The verb and whatever else stands on the command line.
            stdin: Bytes to send; or a stream or a descriptor to hand over as it is; None closes it.
            stdout: Where standard output goes instead of into the answer; None closes it.
            timeout: Seconds after which it and its children are killed and `HelperHungError` is raised.
        """
        content = stdin if isinstance(stdin, bytes) else None
        with subprocess.Popen(
            [*_closing(stdin, stdout), str(self.executable), *arguments],
            env=dict(self.env),
            stdin=stdin if content is None else subprocess.PIPE,  # type: ignore[arg-type]
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(content, timeout=timeout)
            except subprocess.TimeoutExpired as expired:
                os.killpg(process.pid, signal.SIGKILL)
                raise HelperHungError(
                    f"{self.executable.name} {arguments}: no answer in {timeout} s"
                ) from expired
        return Answer(process.returncode, out or b"", err)

    def get(self, server: str) -> Answer:
        """Ask for a server's credential; like docker, without a newline."""
        return self.run("get", stdin=server.encode())

    def store(self, server: str, username: str, secret: str) -> Answer:
        """Store a credential."""
        return self.run("store", stdin=Credentials(server, username, secret).to_json())

    def erase(self, server: str) -> Answer:
        """Erase a server's credential."""
        return self.run("erase", stdin=server.encode())

    def list(self) -> Answer:
        """List the servers and their usernames; like docker, with a word on standard input."""
        return self.run("list", stdin=b"unused")

    def stored(self) -> dict[str, str]:
        """Return what `list` says, server by server."""
        return self.list().value()


def go_json(value: Mapping[str, object]) -> bytes:
    """Encode as Go's encoding/json does: compact, UTF-8, `<`, `>` and `&` escaped, and a newline."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode() + b"\n"


def _closing(stdin: object, stdout: object) -> list[str]:
    """Return the command in front of another that closes the streams that are None."""
    if stdin is not None and stdout is not None:
        return []
    closed = ("<&- " if stdin is None else "") + (">&-" if stdout is None else "")
    return ["/bin/sh", "-c", f'exec "$0" "$@" {closed}']
