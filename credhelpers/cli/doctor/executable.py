"""The executables of helpers: which one Docker starts, which project it is of, and who can change it."""

import os
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from credhelpers import __version__, permissions, process
from credhelpers.cli.shared.helper_programs import helper_beside, put_first
from credhelpers.credential import Fix
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.stores.auto.external import PREFIX

OURS = "credhelpers"
_REFERENCE = "docker-credential-helpers"
_AMAZON = "amazon-ecr-credential-helper"
_REFERENCE_NAMES = ("pass", "secretservice", "osxkeychain", "wincred")
_BARE = {**dict.fromkeys(_REFERENCE_NAMES, _REFERENCE), "ecr-login": _AMAZON}
"""The projects of helpers that print only a number as version: docker-credential-helpers before 0.7."""

ON_PATH, _TRUST, _FAST_PATH = "on PATH", "executable", "fast path"
_SECONDS = 5.0
_LARGEST = 1 << 16  # bytes


@dataclass(frozen=True)
class Executable:
    """A helper's executable.

    Attributes:
        path: Where it is.
        owner: The project that it is of, by the version that it prints; empty when unknown.
        version: The version that it prints.
    """

    path: str
    owner: str
    version: str

    def __str__(self) -> str:
        whose = f"of {self.owner}" if self.owner else "of unknown origin"
        return f"{self.path} ({' '.join(filter(None, [whose, self.version]))})"


def all_on_path(name: str, environ: Mapping[str, str]) -> list[str]:
    """Return every executable of a helper on PATH, the one that Docker starts first, each file once."""
    found: dict[str, str] = {}
    for directory in environ.get("PATH", os.defpath).split(":"):
        path = process.find((PREFIX + name,), {"PATH": directory}) if "/" not in name else None
        if path:
            found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def identify(path: str, environ: Mapping[str, str]) -> Executable:
    """Ask an executable for its version, which tells the project."""
    try:
        outcome = process.run([path, "version"], environ, b"", _SECONDS, _LARGEST, new_session=True)
    except OSError:
        return Executable(path, "", "")
    said = outcome.output.decode(errors="replace").strip() if outcome.exit_status == 0 else ""
    name = os.path.basename(path).removeprefix(PREFIX)
    version = (said.split() or [""])[-1]
    for owner, mark in ((OURS, f"({OURS})"), (_AMAZON, _AMAZON), (_REFERENCE, _REFERENCE)):
        if mark in said:
            return Executable(path, owner, version)
    if said[:1].isdecimal() and name in _BARE:
        return Executable(path, _BARE[name], version if _BARE[name] == _REFERENCE else "")
    return Executable(path, "", version if len(said.splitlines()) == 1 else "")


def check_executable(
    name: str, environ: Mapping[str, str], instead: str
) -> tuple[Executable | None, list[Finding]]:
    """Look for the helper that Docker would start.

    Args:
        name: What follows ``docker-credential-``.
        environ: The environment.
        instead: How to name another helper in its place.

    Returns:
        The executable, or None when there is none; and the findings.
    """
    paths = all_on_path(name, environ)
    if not paths:
        return None, [_absent(name, environ, instead)]
    first, *others = [identify(path, environ) for path in paths]
    found = [_choice(first, others), check_trust(first.path)]
    if name == "ecr-login":
        found += _fast_path(first)
    return first, found


def _absent(name: str, environ: Mapping[str, str], instead: str) -> Finding:
    for directory in environ.get("PATH", os.defpath).split(":"):
        path = os.path.join(directory, PREFIX + name)
        if "/" not in name and os.path.isabs(directory) and os.path.isfile(path):
            text = f"{path} is not executable, so Docker cannot start it"
            return fail(
                ON_PATH, "not-executable", text, permissions.for_owner(Fix(f"chmod a+x {quote(path)}"), path)
            )
    text = f"{PREFIX}{name} is not on PATH, so Docker cannot start it"
    if beside := helper_beside(name):
        return fail(ON_PATH, "missing", text, put_first(beside))
    return fail(ON_PATH, "missing", text, f"install {PREFIX}{name}, or {instead}")


def _choice(first: Executable, others: list[Executable]) -> Finding:
    ours = next((other for other in others if other.owner == OURS), None)
    if ours and first.owner != OURS:
        text = f"Docker starts {first}, which hides {ours}"
        return warn(ON_PATH, "hidden", text, put_first(ours.path))
    if first.owner == OURS and first.version != __version__:
        text = f"{first} and this command ({__version__}) have different versions"
        beside = helper_beside(os.path.basename(first.path).removeprefix(PREFIX))
        remedy = put_first(beside) if beside else "install both with the same version"
        return warn(ON_PATH, "other-version", text, remedy)
    hidden = f"; later on PATH: {', '.join(map(str, others))}" if others else ""
    return ok(ON_PATH, f"Docker starts {first}{hidden}")


def check_trust(path: str) -> Finding:
    """Return whether other users can replace a program."""
    real = os.path.realpath(path)
    places = list(dict.fromkeys((real, os.path.dirname(real), os.path.dirname(path))))
    modes = {place: os.stat(place) for place in places}
    foreign = [place for place, status in modes.items() if permissions.is_foreign(status)]
    if foreign:
        text = f"{foreign[0]} belongs to another user, who can change what runs"
        return fail(_TRUST, "foreign", text, f"as root, if it is meant to run: chown 0 {shlex.join(foreign)}")
    open_to_all = [
        place
        for place, status in modes.items()
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX
    ]
    if open_to_all:
        text = f"every user can write to {open_to_all[0]}, and change what runs"
        command = Fix(f"chmod o-w {shlex.join(open_to_all)}")
        return fail(_TRUST, "writable-by-others", text, permissions.for_owner(command, open_to_all[0]))
    return ok(_TRUST, "only root and its owner can change it")


def _fast_path(helper: Executable) -> list[Finding]:
    """Check the launcher in plain sh, which answers from the token cache and starts Python for the rest."""
    with open(helper.path, "rb") as file:
        text = file.read(_LARGEST).decode(errors="replace")
    if not text.startswith("#!/bin/sh") or "CREDHELPERS_FAST_PATH" not in text:
        return [ok(_FAST_PATH, "not in use: every answer starts Python")] if helper.owner == OURS else []
    line = next((line for line in text.splitlines() if line.startswith("helper=")), "")
    launcher = line.partition("=")[2].strip("'")
    if launcher == '"$self"':  # with pip the launcher in sh and the one in Python are one file
        launcher = helper.path
    if not os.access(launcher, os.X_OK):
        prefix = os.path.dirname(os.path.dirname(os.path.realpath(helper.path)))
        remedy = f"install it again: scripts/install.sh --prefix {quote(prefix)}"
        return [
            fail(
                _FAST_PATH,
                "launcher-missing",
                f"{helper.path} needs {launcher}, which cannot be started",
                remedy,
            )
        ]
    return [ok(_FAST_PATH, f"in use for cached tokens; everything else starts {launcher}")]
