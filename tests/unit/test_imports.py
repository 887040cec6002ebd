"""What a start costs and what may know of what: modules loaded on the way to an answer, and the layers."""

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from credhelpers.config import Settings
from credhelpers.log import Log
from credhelpers.stores.ecr.store import EcrStore
from credhelpers.stores.ecr.tokens import Token

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "credhelpers"
HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
SLOW = {
    "boto3",
    "botocore",
    "click",
    "dataclasses",
    "enum",
    "gnupg",
    "json",
    "keyring",
    "logging",
    "pathlib",
    "re",
    "rich",
    "socket",
    "subprocess",
    "tempfile",
    "tomllib",
    "typing",
}
"""Modules that cost more than a warm answer may."""

_RUN = """\
import sys
sys.path.append({root!r})
sys.argv = ["helper", {verb!r}]
from credhelpers.executables import {executable}
status = {executable}()
print("modules:", *sys.modules, file=sys.stderr)
sys.exit(status)
"""


def _modules(executable: str, verb: str, stdin: str, home: Path) -> tuple[str, set[str]]:
    """Return what a helper answers and which modules it has loaded by then."""
    done = subprocess.run(
        [sys.executable, "-IS", "-c", _RUN.format(root=str(ROOT), verb=verb, executable=executable)],
        input=stdin,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.stdout, set(done.stderr.rpartition("modules:")[2].split())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def warm_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which there is a token of whoever has no configuration at all."""

    def fetch(*_: object) -> Token:
        now = time.time()
        return Token("AWS", "a-password", now, now + 12 * 3600, (HOST,))

    monkeypatch.setattr("credhelpers.stores.ecr.api.fetch_token", fetch)
    environ = {"HOME": str(home)}
    EcrStore(environ, Settings({}), Log("ecr-login", None, Settings({}))).get(HOST)
    return home


@pytest.mark.parametrize("executable", ["ecr_login", "auto"])
def test_a_warm_get_of_an_ecr_token_loads_nothing_slow(warm_home: Path, executable: str) -> None:
    answer, modules = _modules(executable, "get", HOST, warm_home)

    assert "a-password" in answer
    assert modules & SLOW == set()


def test_a_configuration_costs_a_warm_get_nothing_once_it_has_been_read(warm_home: Path) -> None:
    path = warm_home / ".config" / "credhelpers" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[ecr]\nlast_seconds = 200\n")
    _modules("ecr_login", "get", HOST, warm_home)

    answer, modules = _modules("ecr_login", "get", HOST, warm_home)

    assert "a-password" in answer
    assert modules & SLOW == set()


def test_the_list_of_ecr_loads_nothing_slow(warm_home: Path) -> None:
    answer, modules = _modules("ecr_login", "list", "", warm_home)

    assert HOST in answer
    assert modules & SLOW == set()


@pytest.mark.parametrize(
    "server", ["registry.example:5000", "https://index.docker.io/v1/", f"{HOST}.evil.example"]
)
def test_to_say_that_a_server_is_not_ecrs_loads_nothing_slow(home: Path, server: str) -> None:
    answer, modules = _modules("ecr_login", "get", server, home)

    assert answer.startswith("credentials not found")
    assert modules & SLOW == set()


@pytest.mark.parametrize(("verb", "expected"), [("get", "credentials not found"), ("list", "{}")])
def test_a_password_store_without_the_entry_answers_without_anything_slow(
    home: Path, verb: str, expected: str
) -> None:
    store = home / ".password-store"
    store.mkdir(mode=0o700)
    (store / ".gpg-id").write_text("0" * 40 + "\n")

    answer, modules = _modules("password_store", verb, "registry.example:5000", home)

    assert answer.startswith(expected)
    assert modules & SLOW == set()


@pytest.mark.parametrize("executable", ["ecr_login", "password_store", "os_keyring", "auto"])
def test_version_loads_no_store(home: Path, executable: str) -> None:
    answer, modules = _modules(executable, "version", "", home)

    assert "(credhelpers)" in answer
    assert {name for name in modules if name.startswith("credhelpers.stores")} == set()
    assert modules & SLOW == set()


def _imports(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it, other than for types alone."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _importers(prefix: str) -> set[str]:
    """Return the files of the package that import something."""
    return {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if any((name + ".").startswith(prefix + ".") for name in _imports(path))
    }


def _outside(files: set[str], *allowed: str) -> set[str]:
    return {file for file in files if not file.startswith(allowed)}


def test_only_the_entry_points_know_the_protocol() -> None:
    assert _importers("credhelpers.protocol") == {"executables.py"}


def test_nothing_below_the_entry_points_knows_a_store_but_the_stores() -> None:
    assert _outside(_importers("credhelpers.stores"), "stores/", "cli/", "executables.py") == set()


def test_the_command_line_is_known_to_itself_only() -> None:
    assert _outside(_importers("credhelpers.cli"), "cli/") == set()
    assert _outside(_importers("click"), "cli/") == set()
    assert _outside(_importers("rich"), "cli/") == set()


def _readers_of_the_process_environment() -> set[str]:
    """Return the files that look at the environment of their own process."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("environ", "environb", "getenv", "putenv")
                and isinstance(node.value, ast.Name)
                and node.value.id in ("os", "posix")
            ):
                found.add(str(path.relative_to(PACKAGE)))
    return found


def test_an_environment_that_is_passed_is_the_one_that_counts() -> None:
    """Only the ways in read the process's own. Two libraries know no other, and get the passed one by it."""
    libraries = ("stores/ecr/chain.py", "stores/os_keyring/backend.py")

    assert _outside(_readers_of_the_process_environment(), "executables.py", "cli/", *libraries) == set()


def test_the_emulator_is_known_to_the_demo_only() -> None:
    assert _importers("credhelpers.emulator") == {"cli/demo.py"}


def test_each_library_is_known_to_the_store_that_needs_it() -> None:
    for library in ("boto3", "botocore"):
        assert _outside(_importers(library), "stores/ecr/", "cli/") == set()
    for library in ("keyring", "jeepney"):
        assert _outside(_importers(library), "stores/os_keyring/", "cli/") == set()


@pytest.mark.parametrize("backend", ["ecr", "os_keyring"])
def test_no_store_knows_another(backend: str) -> None:
    others = {f"credhelpers.stores.{name}" for name in ("ecr", "os_keyring", "password_store")} - {
        f"credhelpers.stores.{backend}"
    }
    for path in (PACKAGE / "stores" / backend).rglob("*.py"):
        for name in _imports(path):
            assert not name.startswith(tuple(others)), f"{path} imports {name}"


def test_the_pure_parts_know_no_part_with_effects() -> None:
    pure = {"servers.py": set(), "stores/ecr/hosts.py": {"credhelpers.servers"}, "credential.py": set()}
    for file, allowed in pure.items():
        known = {name.rpartition(".")[0] for name in _imports(PACKAGE / file)}
        assert known <= allowed, file


def test_every_import_at_the_top_of_a_module_can_be_made_in_any_order() -> None:
    modules = sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGE.rglob("*.py")
    )
    program = "import importlib, sys\nfor name in reversed(sys.argv[1:]): importlib.import_module(name)"
    done = subprocess.run(
        [sys.executable, "-c", program, *modules],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
