"""scripts/install.sh: what it puts where, a killed upgrade, the demo, and the removal."""

import json
import os
import re
import selectors
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from credhelpers import __version__
from credhelpers.suite import HELPERS
from tests.integration.ways import UNREACHABLE, Wheels, plant
from tests.support.installer import (
    REPOSITORY,
    TIMEOUT_SECONDS,
    Checkout,
    bare_path,
    fresh_clone,
    kill,
    script,
    tree,
)
from tests.support.tools import SYSTEM_PATH, require

_SCRIPTS = ["credhelpers", *(f"docker-credential-{name}" for name in HELPERS)]
_HELPERS = sorted(name for name in _SCRIPTS if name != "credhelpers")
_OTHER = "echo another vendor"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, wheels: Wheels) -> Checkout:
    """A fresh clone in a path with a space, and a user whose environment belongs to other Pythons."""
    home = tmp_path_factory.mktemp("home")
    hostile = {"PYTHONPATH": str(home), "PIP_USER": "1", "PIP_TARGET": str(home / "target")}
    (home / "sitecustomize.py").write_text("raise SystemExit('PYTHONPATH was used')\n")
    clone = fresh_clone(tmp_path_factory.mktemp("a clone"))
    return Checkout(clone, {"HOME": str(home), **hostile, **wheels.env})


@pytest.fixture(scope="module")
def first(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A prefix that no `#!` line can name, where another vendor's helper gave way; and what the run said."""
    prefix = tmp_path_factory.mktemp("installed") / "a prefix" / ("x" * 100)
    for name in ("pass", "osxkeychain"):
        script(prefix / "bin" / f"docker-credential-{name}", _OTHER)
    tools = bare_path(tmp_path_factory.mktemp("tools") / "bin")
    done = checkout.install("--prefix", str(prefix), "--force", path=tools)
    assert done.returncode == 0, done.stdout + done.stderr
    return prefix, done


@pytest.fixture(scope="module")
def prefix(first: tuple[Path, subprocess.CompletedProcess[str]]) -> Path:
    """The prefix that scripts/install.sh made, run with a umask of 077."""
    return first[0]


@pytest.fixture(scope="module")
def upgrade(
    prefix: Path, checkout: Checkout, wheels: Wheels, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """An upgrade from a folder, with --demo, that had to wait for another one, which was killed."""
    directory = tmp_path_factory.mktemp("upgrade")
    info = next(prefix.glob("lib/credhelpers/site-packages/credhelpers-*.dist-info"))
    info.rename(info.with_name("credhelpers-0.0.9.dist-info"))
    launcher = prefix / "bin" / "docker-credential-ecr-login"
    launcher.write_text(re.sub(r"(?m)^helper=.*$", "helper='/nonexistent'", launcher.read_text()))
    before = _version(prefix)
    earlier = script(directory / "earlier" / "docker-credential-keyring", _OTHER)
    path = f"{earlier.parent}:{prefix / 'bin'}:{SYSTEM_PATH}"
    # The folder is all that these two have; only root can take the network away altogether.
    env = {name: value for name, value in checkout.env.items() if name not in wheels.env}
    offline = replace(checkout, env={**env, "PIP_INDEX_URL": UNREACHABLE, "PIP_RETRIES": "0"})
    through = (require("unshare", "util-linux"), "--net") if os.geteuid() == 0 else ()
    arguments = ("--prefix", str(prefix), "--wheels", str(wheels.folder))
    with _held_while_building(replace(offline, through=through), arguments, directory):
        assert _version(prefix) == before, "the old installation is at work"
        second = offline.start(*arguments, "--demo", path=path)
        assert second.stderr is not None
        assert "waiting for another run" in second.stderr.readline()
        assert (prefix / "lib" / ".credhelpers.new").exists()
    try:
        out, err = second.communicate(timeout=TIMEOUT_SECONDS)
    finally:
        kill(second)
    return subprocess.CompletedProcess([str(earlier)], second.returncode, out, err)


@contextmanager
def _held_while_building(checkout: Checkout, arguments: tuple[str, ...], directory: Path) -> Iterator[None]:
    """Start an upgrade, hold it when its environment is almost built, and kill it in the end."""
    reached = directory / "reached"
    os.mkfifo(reached)
    held = script(directory / "held" / "ln", f"echo here >'{reached}'", "exec sleep 600").parent
    first = checkout.start(*arguments, path=f"{held}:{SYSTEM_PATH}")
    descriptor = os.open(reached, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            assert selector.select(timeout=TIMEOUT_SECONDS)
        yield
    finally:
        kill(first)
        os.close(descriptor)


def _version(prefix: Path) -> str:
    return _run([str(prefix / "bin" / "docker-credential-pass"), "version"])


def _try(command: list[str], env: Mapping[str, str], cwd: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _run(command: list[str], env: Mapping[str, str] | None = None, cwd: str = "/") -> str:
    done = _try(command, env or {"PATH": SYSTEM_PATH}, cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _environment_python(prefix: Path, code: str) -> str:
    """Run code as the executables are run: isolated, without site, and their packages last on the path."""
    start = f"import sys; sys.path.append({str(prefix / 'lib/credhelpers/site-packages')!r})\n"
    return _run([str(prefix / "lib/credhelpers/bin/python"), "-IS", "-c", start + code])


def test_every_executable_and_nothing_else(prefix: Path) -> None:
    expected = [*_SCRIPTS, "docker-credential-osxkeychain"]
    assert sorted(entry.name for entry in (prefix / "bin").iterdir()) == sorted(expected)
    assert [entry.name for entry in (prefix / "lib").iterdir()] == ["credhelpers"]


@pytest.mark.parametrize("name", _HELPERS)
def test_an_installed_helper_answers(prefix: Path, private_env: dict[str, str], name: str) -> None:
    assert _run([str(prefix / "bin" / name), "version"], private_env).startswith(f"{name} (credhelpers) ")


def test_the_command_line_starts(prefix: Path, private_env: dict[str, str]) -> None:
    assert "demo" in _run([str(prefix / "bin" / "credhelpers"), "--help"], private_env)


def test_the_checkout_stays_as_it_was(prefix: Path, checkout: Checkout) -> None:
    assert prefix.exists()
    status = ["git", "-C", str(checkout.path), "status", "--porcelain", "--ignored"]
    assert _run(status) == ""


def test_settings_of_other_pythons_do_not_count(prefix: Path, checkout: Checkout) -> None:
    assert prefix.exists()
    assert not Path(checkout.env["PIP_TARGET"]).exists()
    assert not Path(checkout.env["HOME"], ".local").exists()


def test_a_strict_umask_shuts_no_user_out(prefix: Path) -> None:
    for name, (mode, _) in tree(prefix).items():
        assert mode & 0o044 == 0o044, name
        assert mode & 0o022 == 0 or stat.S_ISLNK(mode), name
    assert (prefix / "bin").stat().st_mode & 0o055 == 0o055


def test_the_locked_versions_are_installed(prefix: Path) -> None:
    listed = _environment_python(
        prefix,
        "import importlib.metadata, json\n"
        "print(json.dumps({found.name: found.version for found in importlib.metadata.distributions()}))",
    )
    installed = {_normal(name): version for name, version in json.loads(listed).items()}
    lock = (REPOSITORY / "packaging/runtime.lock").read_text()
    pins = re.findall(r"^(\S+)==(\S+)(?: ; (.*?))? \\$", lock, re.MULTILINE)
    locked = {name: version for name, version, _ in pins}
    conditional = {name for name, _, marker in pins if marker}
    assert installed.pop("credhelpers")
    assert set(installed) >= set(locked) - conditional
    assert installed == {name: version for name, version in locked.items() if name in installed}


@pytest.mark.parametrize("lock", ["runtime", "build", "dev"])
def test_a_lock_has_hashes_and_no_index(lock: str) -> None:
    text = (REPOSITORY / "packaging" / f"{lock}.lock").read_text()
    requirements = re.findall(r"^[^\s#].*(?:\n[ ]+.*)*", text, re.MULTILINE)
    assert requirements
    assert [each for each in requirements if "==" not in each or "--hash=sha256:" not in each] == []
    assert "://" not in text


def test_dependencies_import_without_site(prefix: Path) -> None:
    assert list((prefix / "lib/credhelpers/site-packages").glob("*.pth")) == []
    _environment_python(
        prefix,
        "import botocore.session, click, cryptography.fernet, gnupg, jeepney, rich.console, secretstorage\n"
        "import keyring; keyring.get_keyring()",
    )


def test_modules_are_compiled_for_their_place(prefix: Path) -> None:
    site = prefix / "lib/credhelpers/site-packages"
    _environment_python(
        prefix,
        "import importlib.util, marshal, pathlib\n"
        f"modules = [*pathlib.Path({str(site)!r}).rglob('*.py')]\n"
        "assert len(modules) > 500\n"
        "for module in modules:\n"
        "    code = marshal.loads(pathlib.Path(importlib.util.cache_from_source(module)).read_bytes()[16:])\n"
        "    assert code.co_filename == str(module), code.co_filename",
    )


@pytest.mark.parametrize("place", ["PYTHONPATH", "current directory", "user site", "PYTHONHOME"])
def test_no_foreign_module_is_imported(
    prefix: Path, private_env: dict[str, str], tmp_path: Path, place: str
) -> None:
    evidence = tmp_path / "evidence"
    python = require("python3", "python3")
    version = _run([python, "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"]).strip()
    places = {"user site": Path(private_env["HOME"], f".local/lib/{version}/site-packages")}
    planted = places.get(place, tmp_path / "planted")
    plant(planted, evidence)
    env = {**private_env, **({place: str(planted)} if place.startswith("PYTHON") else {})}
    cwd = str(planted if place == "current directory" else tmp_path)
    _try([python, "-c", "import json"], env, cwd)
    if place != "PYTHONHOME":  # with that one, Python does not even start
        assert evidence.exists(), "the trap does not work on this machine's own Python"
        evidence.unlink()

    for name in _HELPERS:
        _run([str(prefix / "bin" / name), "version"], env, cwd)
        _try([str(prefix / "bin" / name), "list"], env, cwd)
    _run([str(prefix / "bin" / "credhelpers"), "--help"], env, cwd)
    assert not evidence.exists(), evidence.read_text()


def test_missing_gpg_and_path_are_told(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    prefix, done = first
    assert "gpg is missing" in done.stderr
    assert f"{prefix / 'bin'} is not on PATH" in done.stderr


def test_the_next_step_is_told_once(
    first: tuple[Path, subprocess.CompletedProcess[str]], upgrade: subprocess.CompletedProcess[str]
) -> None:
    prefix, done = first
    assert f"\nInstalled credhelpers {__version__} in {prefix / 'bin'}: " in done.stdout
    assert done.stdout.splitlines()[-1] == "Next, make a store and let Docker use it: credhelpers setup"
    assert f"\nUpgraded credhelpers from 0.0.9 to {__version__} in {prefix / 'bin'}: " in upgrade.stdout
    assert "Next, make a store" not in upgrade.stdout


def test_an_upgrade_clears_up_after_a_killed_one(
    prefix: Path, upgrade: subprocess.CompletedProcess[str]
) -> None:
    (earlier,) = map(Path, upgrade.args)
    assert upgrade.returncode == 0, upgrade.stdout + upgrade.stderr
    assert f"{earlier} stands before {prefix / 'bin' / earlier.name} on PATH" in upgrade.stderr
    assert [entry.name for entry in (prefix / "lib").iterdir()] == ["credhelpers"]
    assert not (prefix / "bin" / ".credhelpers.new").exists()
    assert _version(prefix).startswith("docker-credential-pass (credhelpers) ")


def test_a_launcher_without_python_is_repaired(
    prefix: Path, upgrade: subprocess.CompletedProcess[str], private_env: dict[str, str]
) -> None:
    assert upgrade.returncode == 0
    _run([str(prefix / "bin" / "docker-credential-ecr-login"), "list"], private_env)


def test_the_demo_shows_a_round_trip(upgrade: subprocess.CompletedProcess[str]) -> None:
    shown = upgrade.stdout.partition("\nUpgraded credhelpers ")[2].partition("\n")[2]
    for word in ("store", "list", "get", "erase", "cache"):
        assert word in shown.lower()


@pytest.mark.usefixtures("upgrade")
def test_uninstalling_leaves_what_is_not_ours(prefix: Path, checkout: Checkout) -> None:
    done = checkout.install("--prefix", str(prefix), "--uninstall")
    assert str(prefix / "bin" / "credhelpers") in done.stdout
    assert set(tree(prefix)) == {"bin", "bin/docker-credential-osxkeychain"}
    again = checkout.install("--prefix", str(prefix), "--uninstall")
    assert (again.returncode, again.stdout) == (0, f"Nothing of credhelpers is installed in {prefix}\n")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
