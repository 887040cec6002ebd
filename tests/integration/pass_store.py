"""A password store under test: our helper, the files it keeps, and gpg watched from outside."""

import base64
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.support.client import Answer, Helper
from tests.support.tools import require


@dataclass(frozen=True)
class Store:
    """The helper and the directory in which it keeps credentials."""

    helper: Helper
    directory: Path

    @property
    def folder(self) -> Path:
        """The folder of all servers."""
        return self.directory / "docker-credential-helpers"

    def folder_of(self, server: str) -> Path:
        """Return a server's folder, as the reference helper names it."""
        return self.folder / base64.urlsafe_b64encode(server.encode()).decode()

    def files(self) -> set[str]:
        """Return the paths of all files below the folder of all servers."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if not path.is_dir()}

    def with_env(self, **variables: str) -> "Store":
        """Return the same store as seen with more variables in the environment."""
        return Store(Helper(self.helper.executable, {**self.helper.env, **variables}), self.directory)

    def secret(self, server: str) -> str:
        """Return the secret that `get` answers."""
        return self.helper.get(server).credentials().secret

    def refused(self, server: str, username: str = "me", secret: str = "canary-5ecret") -> tuple[str, str]:
        """Store what cannot be stored; return the cause and the remedy, which never hold the secret."""
        return _refusal(self.helper.store(server, username, secret), secret)

    def unreadable(self, server: str) -> tuple[str, str]:
        """Get what cannot be read; return the cause and the remedy."""
        return _refusal(self.helper.get(server), "")


def _refusal(answer: Answer, secret: str) -> tuple[str, str]:
    assert answer.code == 1, answer
    lines = [line.removeprefix("docker-credential-pass: ") for line in answer.err.decode().splitlines()]
    cause = answer.out.decode().removesuffix("\n")
    assert lines[0] == cause, "the cause stands on both streams, in one line"
    assert len(lines) <= 2
    assert not secret or secret.encode() not in answer.out + answer.err
    return cause, lines[1] if len(lines) == 2 else ""


def record_gpg(directory: Path) -> Path:
    """Put a gpg into a directory that writes down its arguments and environment; return the record's path."""
    record = directory / "record"
    record.touch()
    script = directory / "gpg"
    script.write_text(
        f'#!/bin/sh\n{{ echo started; echo "$@"; env; }} >> {shlex.quote(str(record))}\n'
        f'exec {require("gpg", "gnupg")} "$@"\n'
    )
    script.chmod(0o755)
    return record
