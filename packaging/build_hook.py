"""Assembles the wheel's executables: each is one file that is sh to the kernel and Python to Python.

Installers rewrite a first line of ``#!python``, and drop what follows it, ``-IS`` too; ``#!/bin/sh`` they
leave. So sh comes first, in what is a string to Python, and starts the file again with an isolated Python.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_HERE = Path(__file__).resolve().parent
_HELPER = "'@HELPER@'"
_HANDED_OVER = "CREDHELPERS_HANDED_OVER"


def executables() -> dict[str, str]:
    """Return the text of each executable, by its name."""
    return {script.name: _assemble(script) for script in sorted((_HERE / "scripts").iterdir())}


def _assemble(script: Path) -> str:
    start = _without_head(_HERE / "launcher.sh")
    fast_path = _HERE / f"{script.name.removeprefix('docker-credential-')}-front.sh"
    if fast_path.exists():
        start = _before(fast_path.read_text(), start)
    return f"""\
#!/bin/sh
sh=r''':'
set +efuvx # bash takes SHELLOPTS from the environment
case $0 in /*) self=$0 ;; *) self=$PWD/$0 ;; esac
{start}'''
{_without_head(_HERE / "launcher.py")}
{script.read_text()}"""


def _before(fast_path: str, start: str) -> str:
    """Return a fast path that hands over to the file in which it stands, which then does as `start` says."""
    if fast_path.count(_HELPER) != 1:
        raise ValueError(f"the fast path does not name {_HELPER} once")
    body = fast_path.partition("\n")[2].replace(_HELPER, '"$self"')
    return f'if [ -n "${{{_HANDED_OVER}-}}" ]; then\n{start}fi\nexport {_HANDED_OVER}=1\n{body}exit\n'


def _without_head(path: Path) -> str:
    """Return a file without its first lines, which tell what it is for."""
    return path.read_text().partition("\n\n")[2]


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the executables to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them to where hatchling finds them."""
        self._scripts = Path(tempfile.mkdtemp())
        for name, text in executables().items():
            path = self._scripts / name
            path.write_text(text)
            path.chmod(0o755)
            build_data["shared_scripts"][str(path)] = name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what `initialize` wrote."""
        shutil.rmtree(self._scripts)
