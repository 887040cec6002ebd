"""What a start costs: the modules that are loaded on the way to an answer."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from credhelpers.config import Settings
from credhelpers.log import Log
from credhelpers.stores.ecr.store import EcrStore
from credhelpers.stores.tokens.cache import Token

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
from credhelpers.executables import run
status = run({executable!r})
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
    """A home in which there is a token, and no configuration."""

    def fetch(*_: object) -> Token:
        now = time.time()
        return Token("AWS", "a-password", now, now + 12 * 3600, 12 * 3600)

    monkeypatch.setattr("credhelpers.stores.ecr.api.fetch_token", fetch)
    environ = {"HOME": str(home)}
    EcrStore(environ, Settings({}), Log("ecr-login", None, Settings({}))).get(HOST)
    return home


@pytest.mark.parametrize("executable", ["ecr-login", "auto"])
def test_a_warm_token_loads_nothing_slow(warm_home: Path, executable: str) -> None:
    answer, modules = _modules(executable, "get", HOST, warm_home)

    assert "a-password" in answer
    assert modules & SLOW == set()


def test_a_compiled_config_loads_nothing_slow(warm_home: Path) -> None:
    path = warm_home / ".config" / "credhelpers" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[ecr]\nlast_seconds = 200\n")
    _modules("ecr-login", "get", HOST, warm_home)

    answer, modules = _modules("ecr-login", "get", HOST, warm_home)

    assert "a-password" in answer
    assert modules & SLOW == set()


def test_the_list_of_ecr_loads_nothing_slow(warm_home: Path) -> None:
    answer, modules = _modules("ecr-login", "list", "", warm_home)

    assert HOST in answer
    assert modules & SLOW == set()


@pytest.mark.parametrize(
    "server", ["registry.example:5000", "https://index.docker.io/v1/", f"{HOST}.evil.example"]
)
def test_not_found_by_ecr_loads_nothing_slow(home: Path, server: str) -> None:
    answer, modules = _modules("ecr-login", "get", server, home)

    assert answer.startswith("credentials not found")
    assert modules & SLOW == set()


@pytest.mark.parametrize(("verb", "expected"), [("get", "credentials not found"), ("list", "{}")])
def test_not_found_by_pass_loads_nothing_slow(home: Path, verb: str, expected: str) -> None:
    store = home / ".password-store"
    store.mkdir(mode=0o700)
    (store / ".gpg-id").write_text("0" * 40 + "\n")

    answer, modules = _modules("pass", verb, "registry.example:5000", home)

    assert answer.startswith(expected)
    assert modules & SLOW == set()


@pytest.mark.parametrize("executable", ["ecr-login", "pass", "keyring", "auto"])
def test_version_loads_no_store(home: Path, executable: str) -> None:
    answer, modules = _modules(executable, "version", "", home)

    assert "(credhelpers)" in answer
    assert {name for name in modules if name.startswith("credhelpers.stores")} == set()
    assert modules & SLOW == set()


def test_modules_import_in_any_order() -> None:
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
