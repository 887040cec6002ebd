"""A word that stands in every secret of the suite and may appear in an answer to `get` only."""

import base64
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.support.client import TIMEOUT_SECONDS, Answer, Helper

CANARY = "canary7d1fe02a"


def traces_of_canary() -> list[bytes]:
    """Return the canary and its spellings in hexadecimal and in base64 at any offset."""
    plain = CANARY.encode()
    # Without the first and last characters of each, which depend on the neighbours.
    shifted = [base64.b64encode(b"x" * offset + plain)[4:-4] for offset in range(3)]
    return [plain, plain.hex().encode(), *shifted]


@dataclass(frozen=True)
class WatchedHelper(Helper):
    """A helper of which everything is kept that people and log collectors get to see."""

    seen: list[bytes] = field(default_factory=list)

    def run(
        self,
        *arguments: str,
        stdin: bytes | IO[bytes] | int | None = b"",
        stdout: IO[bytes] | int | None = subprocess.PIPE,
        timeout: float = TIMEOUT_SECONDS,
    ) -> Answer:
        """Run it, and keep its standard error and what stood on standard output if it failed."""
        answer = super().run(*arguments, stdin=stdin, stdout=stdout, timeout=timeout)
        self.seen.append(answer.err)
        if answer.code != 0:
            self.seen.append(answer.out)
        return answer

    def assert_no_secret_was_shown(self) -> None:
        """Search all of that, and the logs, for the canary."""
        logs = [log.read_bytes() for log in Path(self.env["HOME"], ".ecr", "log").glob("*")]
        for trace in traces_of_canary():
            for text in (*self.seen, *logs):
                assert trace not in text, f"a secret was shown: {text!r}"
