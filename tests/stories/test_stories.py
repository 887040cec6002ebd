"""Every story: its commands are run in a private home, and print what it says; see README.md."""

import base64
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from credhelpers.emulator import Emulator
from tests.stories.story import Step, difference, read, write
from tests.support import forked
from tests.support.tools import require

STORIES = Path(__file__).parent
SECRET = "correct-horse"
"""What is secret in every story: it is printed only where the story shows it."""
REWRITE = bool(os.environ.get("REWRITE_STORIES"))
_SECONDS = 60
_PLAIN = re.compile(r"credhelpers[\w ./:-]*")
"""A command line in which the shell has nothing to do."""


def _spellings() -> list[str]:
    """Return the secret, and what it is in base64 at any offset."""
    shifted = (base64.b64encode(b"x" * offset + SECRET.encode())[4:-4] for offset in range(3))
    return [SECRET, *(spelling.decode() for spelling in shifted)]


@pytest.fixture
def env(
    installed: Path, password_store_env: dict[str, str], secret_service_env: dict[str, str]
) -> dict[str, str]:
    """A user with an empty password store, an empty keyring, and ~/bin on PATH."""
    path = f"{password_store_env['HOME']}/bin:{installed}:/usr/bin:/bin"
    return {**password_store_env, **secret_service_env, "PATH": path}


@pytest.mark.parametrize(
    "story", sorted(STORIES.glob("*/*.txt")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_story(story: Path, env: dict[str, str]) -> None:
    for name in ("pass", "secretservice"):
        require(f"docker-credential-{name}", "golang-docker-credential-helpers")
    home = Path(env["HOME"])
    steps = read(story)
    with Emulator(password=SECRET) as aws:
        for step in steps:
            if step.path:
                _write(home / step.path, step.lines)
            else:
                _run(story, step, {**env, **aws.environment()})
    if REWRITE:
        write(story, steps)
    for log in home.glob(".ecr/log/*"):
        assert not any(spelling in log.read_text() for spelling in _spellings()), f"a secret in {log}"


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(0o700 if lines and lines[0].startswith("#!") else 0o600)


def _done(command: str, env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, `credhelpers` without a shell and without the time of a start."""
    if _PLAIN.fullmatch(command) and (executable := shutil.which("credhelpers", path=env["PATH"])):
        arguments = command.split()[1:]
        return forked.run(Path(executable), arguments, env, stderr=subprocess.STDOUT, cwd=env["HOME"])
    return subprocess.run(
        ["/bin/sh", "-c", f"exec 2>&1; {command}"],
        cwd=env["HOME"],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        timeout=_SECONDS,
        check=False,
    )


def _run(story: Path, step: Step, env: dict[str, str]) -> None:
    done = _done(step.command, env)
    output = done.stdout.decode().replace(os.path.realpath(env["HOME"]), "~").replace(env["HOME"], "~")
    different = difference(step, output, done.returncode)
    if different and REWRITE:
        step.accept(output, done.returncode)
        return
    assert not different, f"{story.name}, {different}"
    expected = "\n".join(step.lines)
    for spelling in _spellings():
        assert spelling not in output or spelling in expected, f"a secret: {story.name}, {step.command}"
