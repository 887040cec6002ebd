"""scripts/install.sh over time: other vendors' files, runs that are killed, upgrades, the demo, removal."""

import os
import re
import selectors
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.installer import (
    TIMEOUT_SECONDS,
    Checkout,
    bare_path,
    fresh_clone,
    kill,
    package_index,
    script,
    tree,
)
from tests.support.tools import SYSTEM_PATH

_OTHER = "echo another vendor"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A fresh clone and a user with an empty home."""
    home = tmp_path_factory.mktemp("home")
    return Checkout(fresh_clone(tmp_path_factory.mktemp("clone")), {"HOME": str(home), **package_index()})


@pytest.fixture(scope="module")
def forced(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A prefix that no `#!` line can name, where another vendor's helper gave way; and what stderr said."""
    prefix = tmp_path_factory.mktemp("forced") / "a prefix" / ("x" * 100)
    script(prefix / "bin" / "docker-credential-pass", _OTHER)
    tools = bare_path(tmp_path_factory.mktemp("tools") / "bin")
    done = checkout.install("--prefix", str(prefix), "--force", path=tools)
    assert done.returncode == 0, done.stdout + done.stderr
    return prefix, done.stderr


def _version(prefix: Path) -> str:
    helper = prefix / "bin" / "docker-credential-pass"
    return subprocess.run([helper, "version"], capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_forced_install_replaces_another_vendors_helper(forced: tuple[Path, str]) -> None:
    assert _version(forced[0]).startswith("docker-credential-pass (credhelpers) ")


def test_it_says_that_gpg_is_missing_and_that_path_does_not_lead_here(forced: tuple[Path, str]) -> None:
    prefix, said = forced
    assert "gpg is missing" in said
    assert f"{prefix / 'bin'} is not on PATH" in said


def test_a_killed_upgrade_leaves_the_old_installation_at_work_and_the_next_run_clears_up(
    forced: tuple[Path, str], checkout: Checkout, tmp_path: Path
) -> None:
    prefix, _ = forced
    before = _version(prefix)
    earlier = script(tmp_path / "earlier" / "docker-credential-keyring", _OTHER)
    path = f"{earlier.parent}:{prefix / 'bin'}:{SYSTEM_PATH}"
    with _held_while_building(checkout, prefix, tmp_path):
        assert _version(prefix) == before
        second = checkout.start("--prefix", str(prefix), path=path)
        assert second.stderr is not None
        assert "waiting for another run" in second.stderr.readline()
        assert (prefix / "lib" / ".credhelpers.new").exists()
    try:
        said = second.communicate(timeout=TIMEOUT_SECONDS)[1]
    finally:
        kill(second)
    assert second.returncode == 0, said
    assert f"{earlier} stands before {prefix / 'bin' / earlier.name} on PATH" in said
    assert [entry.name for entry in (prefix / "lib").iterdir()] == ["credhelpers"]
    assert not (prefix / "bin" / ".credhelpers.new").exists()
    assert _version(prefix) == before


@contextmanager
def _held_while_building(checkout: Checkout, prefix: Path, directory: Path) -> Iterator[None]:
    """Start an upgrade, hold it when its environment is almost built, and kill it in the end."""
    reached = directory / "reached"
    os.mkfifo(reached)
    held = script(directory / "held" / "ln", f"echo here >'{reached}'", "exec sleep 600").parent
    first = checkout.start("--prefix", str(prefix), path=f"{held}:{SYSTEM_PATH}")
    descriptor = os.open(reached, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            assert selector.select(timeout=TIMEOUT_SECONDS)
        yield
    finally:
        kill(first)
        os.close(descriptor)


def test_the_demo_runs_and_uninstalling_then_leaves_nothing_behind(
    checkout: Checkout, tmp_path: Path
) -> None:
    script(tmp_path / "bin" / "docker-credential-osxkeychain", _OTHER)
    before = tree(tmp_path)
    done = checkout.install("--prefix", str(tmp_path), "--demo")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = done.stdout.partition("\nInstalled credhelpers ")[2].partition("\n")[2]
    for word in ("store", "list", "get", "erase", "cache"):
        assert word in shown.lower()

    assert (
        str(tmp_path / "bin" / "credhelpers")
        in checkout.install("--prefix", str(tmp_path), "--uninstall").stdout
    )
    assert tree(tmp_path) == before
    again = checkout.install("--prefix", str(tmp_path), "--uninstall")
    assert again.returncode == 0
    assert again.stdout == f"Nothing of credhelpers is installed in {tmp_path}\n"


@pytest.mark.parametrize("kind", ["file", "link", "environment"])
def test_what_something_else_installed_stays_and_nothing_is_changed(
    checkout: Checkout, tmp_path: Path, kind: str
) -> None:
    if kind == "environment":
        script(tmp_path / "lib" / "credhelpers" / "precious", _OTHER)
    elif kind == "link":
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "docker-credential-pass").symlink_to("/nonexistent")
    else:
        script(tmp_path / "bin" / "docker-credential-pass", _OTHER)
    before = tree(tmp_path)
    done = checkout.install("--prefix", str(tmp_path))
    assert done.returncode == 1
    assert (
        "was installed by something else: --force" in done.stderr
        or "was not made by this script" in done.stderr
    )
    assert checkout.install("--prefix", str(tmp_path), "--uninstall").returncode == 0
    assert tree(tmp_path) == before


def test_a_package_that_is_not_the_locked_one_is_refused_and_nothing_is_left(
    checkout: Checkout, tmp_path: Path
) -> None:
    tampered = Checkout(fresh_clone(tmp_path / "clone"), checkout.env)
    lock = tampered.path / "packaging" / "runtime.lock"
    lock.write_text(re.sub(r"sha256:[0-9a-f]{8}", "sha256:00000000", lock.read_text()))
    done = tampered.install("--prefix", str(tmp_path / "prefix"))
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert done.stderr.endswith("install.sh: pip failed; nothing was changed\n")
    assert not (tmp_path / "prefix").exists()


def _interpreter(directory: Path, *cases: str) -> str:
    """Write a stand-in for an interpreter with a flaw; for the rest it is this machine's own."""
    return str(script(directory / "python3", 'case "$2" in', *cases, "esac", 'exec /usr/bin/python3 "$@"'))


def test_an_interpreter_that_is_too_old_is_refused_by_name(checkout: Checkout, tmp_path: Path) -> None:
    old = _interpreter(tmp_path, "*version_info*) exit 1 ;;")
    done = checkout.install(
        "--prefix", str(tmp_path / "prefix"), "--python", old, path=bare_path(tmp_path / "tools")
    )
    assert (done.returncode, done.stderr) == (1, f"install.sh: {old} is no Python 3.11 or newer\n")
    assert not (tmp_path / "prefix").exists()


def test_it_says_which_package_brings_venv_when_that_is_missing(checkout: Checkout, tmp_path: Path) -> None:
    bare = _interpreter(tmp_path, '*"import ensurepip"*) exit 1 ;;', '*_base_executable*) echo "$0"; exit ;;')
    done = checkout.install(
        "--prefix", str(tmp_path / "prefix"), "--python", bare, path=bare_path(tmp_path / "tools")
    )
    assert done.returncode == 1
    assert f"{bare} lacks venv or ensurepip: as root, on Debian or Ubuntu, apt-get install" in done.stderr
    assert not (tmp_path / "prefix").exists()


def test_a_prefix_that_cannot_be_written_is_named_with_the_way_out(checkout: Checkout) -> None:
    done = checkout.install("--prefix", "/proc/credhelpers")
    assert done.returncode == 1
    assert done.stderr == (
        "install.sh: cannot write to /proc/credhelpers/lib: "
        "run this as root, or choose a --prefix of your own\n"
    )


def test_a_wrong_argument_is_answered_with_the_usage(checkout: Checkout) -> None:
    done = checkout.install("--perfix", "/nonexistent")
    assert done.returncode == 1
    assert done.stderr.startswith("Usage: scripts/install.sh [--prefix DIR]")
    assert done.stderr.endswith("install.sh: unknown argument: --perfix\n")


def test_help_goes_to_standard_output(checkout: Checkout) -> None:
    done = checkout.install("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--uninstall" in done.stdout
