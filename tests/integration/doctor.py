"""A user who asks `credhelpers doctor`, and what it finds; no secret may be in any of it."""

import json
import re
import shutil
import time
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from tests.conformance.canary import traces_of_canary
from tests.integration.docker_home import DockerHome
from tests.support import forked
from tests.support.client import Answer, Helper

ROOT = Path(__file__).resolve().parents[2]

SECONDS = 10.0
"""What is promised, with or without a network."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    subject: str
    id: str
    check: str
    state: str
    text: str
    remedy: str
    fixable: bool


@dataclass(frozen=True)
class Report:
    """All findings, and what the process said by its end."""

    code: int
    findings: list[Finding]

    def of(self, check: str) -> Finding:
        """Return the only finding of a check."""
        found = [finding for finding in self.findings if finding.check == check]
        assert len(found) == 1, (check, self.findings)
        return found[0]

    def state(self, check: str) -> str:
        """Return what the only finding of a check says: ok, warn or fail."""
        return self.of(check).state

    def assert_broken(self, check: str, text: str, remedy: str = "", *, state: str = "fail") -> None:
        """Check that a check says what is wrong and what mends it, and that the exit status agrees."""
        finding = self.of(check)
        assert finding.state == state, finding
        assert text in finding.text
        assert remedy in finding.remedy
        assert finding.remedy, "what is wrong can be mended"
        failed = any(finding.state == "fail" for finding in self.findings)
        assert self.code == (1 if failed else 0)


@dataclass(frozen=True)
class Patient:
    """A user with a Docker configuration.

    Attributes:
        bin: Where our executables are.
        env: The environment.
        seen: All that was shown.
        offline: Whether the doctor leaves registries alone; most tests have made them up.
    """

    bin: Path
    env: dict[str, str]
    seen: list[bytes] = field(default_factory=list)
    offline: bool = True

    @property
    def home(self) -> Path:
        """The user's home."""
        return Path(self.env["HOME"])

    @property
    def config(self) -> Path:
        """Docker's config.json."""
        return self.home / ".docker" / "config.json"

    def but(self, **changes: str) -> "Patient":
        """Return the same user with a changed environment."""
        return replace(self, env={**self.env, **changes})

    @property
    def online(self) -> "Patient":
        """The same user, whose registries exist."""
        return replace(self, offline=False)

    def configure(self, **content: object) -> Path:
        """Write Docker's configuration."""
        self.config.parent.mkdir(exist_ok=True)
        self.config.write_text(json.dumps(content))
        self.config.chmod(0o600)
        return self.config

    def set(self, text: str) -> Path:
        """Write the helpers' own configuration."""
        path = self.home / ".config" / "credhelpers" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def helper(self, name: str) -> Helper:
        """Return one of our helpers, as this user runs it."""
        return Helper(self.bin / f"docker-credential-{name}", self.env)

    def on_path(self, name: str) -> Helper:
        """Return the helper that a client of this user's starts."""
        path = shutil.which(f"docker-credential-{name}", path=self.env["PATH"])
        return Helper(Path(path or f"/nowhere/docker-credential-{name}"), self.env)

    def run(self, *arguments: str) -> Answer:
        """Run `credhelpers`, and keep all that it shows."""
        done = forked.run(self.bin / "credhelpers", arguments, self.env)
        answer = Answer(done.returncode, done.stdout, done.stderr)
        assert b"Traceback" not in answer.err, answer.err.decode()
        self.seen.extend((answer.out, answer.err))
        return answer

    def on_terminal(self, *arguments: str) -> str:
        """Run `credhelpers` on a terminal, and keep all that it shows."""
        shown = DockerHome(self.env, self.bin / "credhelpers").show(*arguments)
        self.seen.append(shown)
        return shown.decode()

    def doctor(self, *arguments: str) -> Report:
        """Ask the doctor, who is in time."""
        began = time.monotonic()
        offline = ["--offline"] if self.offline else []
        answer = self.run("doctor", "--json", *offline, *arguments)
        assert time.monotonic() - began < SECONDS
        assert answer.err == b""
        report = json.loads(answer.out)
        assert report["ok"] == (answer.code == 0)
        findings = [Finding(**fields) for fields in report["findings"]]
        unknown = {finding.id for finding in findings if finding.state != "ok"} - documented()
        assert not unknown, f"docs/findings.md does not have {unknown}"
        return Report(answer.code, findings)

    def assert_no_secret_was_shown(self) -> None:
        """Search all that was shown for the canary."""
        for text in self.seen:
            for trace in traces_of_canary():
                assert trace not in text, f"a secret was shown: {text!r}"


@cache
def documented() -> set[str]:
    """Return the ids of the faults in docs/findings.md."""
    text = (ROOT / "docs" / "findings.md").read_text()
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def install(directory: Path, name: str, script: str) -> Path:
    """Put a helper that is a script of sh into a directory."""
    directory.mkdir(exist_ok=True)
    executable = directory / f"docker-credential-{name}"
    executable.write_text(f"#!/bin/sh\n{script}\n")
    executable.chmod(0o755)
    return executable
