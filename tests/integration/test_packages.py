"""What scripts/packages.sh builds: the same bytes from the same files, and nothing missing."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_LEFT_OUT = (".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "dist")


def build(copy: Path, umask: int) -> dict[str, str]:
    """Build in a copy of the checkout; return the hash of each package."""
    shutil.copytree(_CHECKOUT, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    copy.joinpath(".venv").symlink_to(sys.prefix)
    done = subprocess.run(
        [copy / "scripts/packages.sh"],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        umask=umask,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name: digest for digest, name in (line.split() for line in done.stdout.splitlines())}


def test_packages_are_reproducible_and_whole(tmp_path: Path) -> None:
    first = build(tmp_path / "first", 0o022)
    second = build(tmp_path / "elsewhere", 0o077)

    assert first == second
    sdist, wheel = sorted(tmp_path.joinpath("first/dist").iterdir(), key=lambda path: path.suffix)
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"Makefile", "SECURITY.md", "CONTRIBUTING.md", ".ci/run", "scripts/install.sh"} <= names
    with zipfile.ZipFile(wheel) as content:
        assert any(name.endswith("scripts/docker-credential-pass") for name in content.namelist())
        assert not [name for name in content.namelist() if name.startswith(("tests/", "scripts/"))]
