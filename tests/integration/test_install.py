"""scripts/install.sh: what it puts where, and that nothing foreign gets into what it installed."""

import json
import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from credhelpers.suite import HELPERS
from tests.integration.ways import plant
from tests.support.installer import REPOSITORY, Checkout, fresh_clone, package_index, tree
from tests.support.tools import SYSTEM_PATH, require

_SCRIPTS = ["credhelpers", *(f"docker-credential-{name}" for name in HELPERS)]
_HELPERS = sorted(name for name in _SCRIPTS if name != "credhelpers")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A fresh clone in a path with a space, and a user whose environment belongs to other Pythons."""
    home = tmp_path_factory.mktemp("home")
    hostile = {"PYTHONPATH": str(home), "PIP_USER": "1", "PIP_TARGET": str(home / "target")}
    (home / "sitecustomize.py").write_text("raise SystemExit('PYTHONPATH was used')\n")
    clone = fresh_clone(tmp_path_factory.mktemp("a clone"))
    return Checkout(clone, {"HOME": str(home), **hostile, **package_index()})


@pytest.fixture(scope="module")
def prefix(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prefix that scripts/install.sh made, run with a umask of 077."""
    prefix = tmp_path_factory.mktemp("installed") / "prefix"
    done = checkout.install("--prefix", str(prefix))
    assert done.returncode == 0, done.stdout + done.stderr
    return prefix


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


def test_it_installs_every_executable_of_the_project_and_nothing_else(prefix: Path) -> None:
    assert sorted(entry.name for entry in (prefix / "bin").iterdir()) == sorted(_SCRIPTS)
    assert [entry.name for entry in (prefix / "lib").iterdir()] == ["credhelpers"]


@pytest.mark.parametrize("name", _HELPERS)
def test_an_installed_helper_answers(prefix: Path, private_env: dict[str, str], name: str) -> None:
    assert _run([str(prefix / "bin" / name), "version"], private_env).startswith(f"{name} (credhelpers) ")


def test_the_installed_command_line_starts(prefix: Path, private_env: dict[str, str]) -> None:
    assert "demo" in _run([str(prefix / "bin" / "credhelpers"), "--help"], private_env)


def test_the_checkout_stays_as_it_was(prefix: Path, checkout: Checkout) -> None:
    assert prefix.exists()
    status = ["git", "-C", str(checkout.path), "status", "--porcelain", "--ignored"]
    assert _run(status) == ""


def test_nothing_goes_where_the_settings_of_other_pythons_point(prefix: Path, checkout: Checkout) -> None:
    assert prefix.exists()
    assert not Path(checkout.env["PIP_TARGET"]).exists()
    assert not Path(checkout.env["HOME"], ".local").exists()


def test_other_users_can_run_what_was_installed_under_a_strict_umask(prefix: Path) -> None:
    for name, (mode, _) in tree(prefix).items():
        assert mode & 0o044 == 0o044, name
        assert mode & 0o022 == 0 or stat.S_ISLNK(mode), name
    assert (prefix / "bin").stat().st_mode & 0o055 == 0o055


def test_exactly_the_locked_versions_are_installed(prefix: Path) -> None:
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
def test_a_lock_file_has_a_hash_for_every_version_and_names_no_index(lock: str) -> None:
    text = (REPOSITORY / "packaging" / f"{lock}.lock").read_text()
    requirements = re.findall(r"^[^\s#].*(?:\n[ ]+.*)*", text, re.MULTILINE)
    assert requirements
    assert [each for each in requirements if "==" not in each or "--hash=sha256:" not in each] == []
    assert "://" not in text


def test_every_dependency_can_be_imported_without_site(prefix: Path) -> None:
    assert list((prefix / "lib/credhelpers/site-packages").glob("*.pth")) == []
    _environment_python(
        prefix,
        "import botocore.session, click, cryptography.fernet, gnupg, jeepney, rich.console, secretstorage\n"
        "import keyring; keyring.get_keyring()",
    )


def test_every_module_is_compiled_for_the_place_where_it_lies(prefix: Path) -> None:
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
def test_no_module_of_anybody_else_is_imported(
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


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
