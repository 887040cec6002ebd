"""The text of each executable: one file that is sh to the kernel and Python to Python.

Installers rewrite a first line of ``#!python``, and drop what follows it, ``-IS`` too; ``#!/bin/sh`` they
leave. So sh comes first, in what is a string to Python, and starts the file again with an isolated Python.
Run as a program this prints the names.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parent))

from credhelpers.suite import HELPERS  # noqa: E402  the checkout's own

_COMMAND = '''\
"""credhelpers: the operator's command."""

from credhelpers.cli import main

main()
'''
_HELPER = '''\
"""docker-credential-{name}: {purpose}."""

import os

from credhelpers.executables import run

os._exit(run("{name}"))  # everything is written by now, and taking the interpreter down takes time
'''
_HANDED_OVER_TO = "'@HELPER@'"
_HANDED_OVER = "CREDHELPERS_HANDED_OVER"


def executables() -> dict[str, str]:
    """Return the text of each executable, by its name."""
    texts = {"credhelpers": _assemble(_COMMAND)}
    for helper in HELPERS.values():
        fast_path = _HERE / f"{helper.name}-fast-path.sh"
        program = _HELPER.format(name=helper.name, purpose=helper.purpose)
        texts[f"docker-credential-{helper.name}"] = _assemble(program, fast_path)
    return dict(sorted(texts.items()))


def _assemble(program: str, fast_path: Path | None = None) -> str:
    start = _without_head(_HERE / "launcher.sh")
    if fast_path and fast_path.exists():
        start = _before(fast_path.read_text(), start)
    return f"""\
#!/bin/sh
sh=r''':'
set +efuvx # bash takes SHELLOPTS from the environment
case $0 in /*) self=$0 ;; *) self=$PWD/$0 ;; esac
{start}'''
{_without_head(_HERE / "launcher.py")}
{program}"""


def _before(fast_path: str, start: str) -> str:
    """Return a fast path that hands over to the file in which it stands, which then does as `start` says."""
    if fast_path.count(_HANDED_OVER_TO) != 1:
        raise ValueError(f"the fast path does not name {_HANDED_OVER_TO} once")
    body = fast_path.partition("\n")[2].replace(_HANDED_OVER_TO, '"$self"')
    return f'if [ -n "${{{_HANDED_OVER}-}}" ]; then\n{start}fi\nexport {_HANDED_OVER}=1\n{body}exit\n'


def _without_head(path: Path) -> str:
    """Return a file without its first lines, which tell what it is for."""
    return path.read_text().partition("\n\n")[2]


if __name__ == "__main__":
    print(*executables(), sep="\n")  # noqa: T201  what it is for
