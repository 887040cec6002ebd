"""CONTRIBUTING.md's walk-through, followed to the letter in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"`([\w./]+\.py)`:\n\n```(python|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HELPER = """\
#!{python}
import os, sys
sys.path.insert(0, "{project}")
from credhelpers.executables import run
os._exit(run("jsonl"))
"""


def apply(project: Path, name: str, kind: str, block: str) -> None:
    """Make a new file of a block, or the changes of a diff: @@ stands between two places."""
    path = project / name
    if kind == "python":
        assert not path.exists()
        path.parent.mkdir(exist_ok=True)
        path.write_text(block)
        return
    text = path.read_text()
    for hunk in block.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] or "\n" for line in lines if not line.startswith("+"))
        new = "".join(line[1:] or "\n" for line in lines if not line.startswith("-"))
        assert text.count(old) == 1, f"{name} has not once: {old}"
        text = text.replace(old, new)
    path.write_text(text)


def run(project: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the walk-through has been followed."""
    copy = tmp_path_factory.mktemp("walk-through") / "credhelpers"
    for folder in ("credhelpers", "docs", "packaging", "tests"):
        shutil.copytree(_CHECKOUT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(_CHECKOUT / "pyproject.toml", copy)
    blocks = _BLOCK.findall(_CHECKOUT.joinpath("CONTRIBUTING.md").read_text())
    assert len(blocks) == 4
    for name, kind, block in blocks:
        apply(copy, name, kind, block)
    return copy


def test_newcomer_changes_two_foreign_files() -> None:
    blocks = _BLOCK.findall(_CHECKOUT.joinpath("CONTRIBUTING.md").read_text())

    assert len({name for name, kind, _ in blocks if kind == "diff"}) == 2


def test_newcomer_gets_an_executable(project: Path) -> None:
    names = subprocess.check_output([sys.executable, project / "packaging/executables.py"], text=True)

    assert "docker-credential-jsonl" in names.split()


def test_newcomer_passes_the_linters(project: Path) -> None:
    run(project, "ruff", "check", "--no-cache", "credhelpers", "tests/conformance")
    run(project, "ruff", "format", "--no-cache", "--check", "credhelpers", "tests/conformance")


def test_newcomer_fits_the_layers_and_remedies(project: Path) -> None:
    run(project, "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/test_layers.py")
    assert "0 missing, 0 stale" in run(project, "tests.remedies")


def test_newcomer_conforms(project: Path, tmp_path: Path) -> None:
    executable = tmp_path / "docker-credential-jsonl"
    executable.write_text(_HELPER.format(python=sys.executable, project=project))
    executable.chmod(0o755)
    options = ["-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}", f"--helper={executable}"]

    part = "new_username or erase_removes or key_never_answers and example/team or empty_secret"
    output = run(project, "pytest", *options, "-k", part, "tests/conformance")

    assert " passed" in output
    assert "failed" not in output
