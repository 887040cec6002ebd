"""A helper of another project: its own package, store and executable, under the conformance suite."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parents[2]
_CONFORMANCE = _CHECKOUT / "scripts/conformance.sh"
_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "docker-credential-mine"
version = "1.0"
dependencies = ["credhelpers"]

[project.scripts]
docker-credential-mine = "mine:main"

[tool.hatch.build.targets.wheel]
include = ["mine.py"]
"""
_STORE = '''\
"""docker-credential-mine: one JSON file."""

import fcntl
import json
import os

from credhelpers import files, protocol
from credhelpers.credential import BadRequest, Credential, CredentialsNotFound
from credhelpers.locks import Lock
from credhelpers.servers import candidate_keys


class Mine:
    def __init__(self, environ):
        self._path = os.path.join(environ["HOME"], "mine.json")

    def _read(self):
        try:
            return json.loads(files.read_private(self._path, 1 << 26))
        except FileNotFoundError:
            return {}

    def _change(self, change):
        with Lock(os.path.dirname(self._path), 10):
            entries = self._read()
            change(entries)
            files.replace(self._path, json.dumps(entries).encode())

    def get(self, server):
        entries = self._read()
        for key in candidate_keys(server):
            if key in entries:
                return Credential(*entries[key])
        raise CredentialsNotFound

    def store(self, server, credential):
        if len(server) > 2000:
            raise BadRequest("the server URL is too long")
        self._change(lambda entries: entries.update({server: [credential.username, credential.secret]}))

    def erase(self, server):
        if server in self._read():
            self._change(lambda entries: entries.pop(server, None))

    def list(self):
        return {server: entry[0] for server, entry in self._read().items()}


def main():
    os._exit(protocol.serve("mine", lambda environ, settings, log: Mine(environ), os.environ))
'''
_DEVIATIONS = """\
[[deviation]]
test = "test_other_kind_of_stdin_is_refused"
case = "directory"
reason = "CPython ends before any code of the helper runs"
"""


# Every test function; of the large tables, whose rows the stores of this project see, only some rows.
_PART = "not (bad_credential or bad_server or failure_that_cannot) or UTF-16 or unknown"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that sees credhelpers, with the package installed from its project, offline."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, symlinks=True)
    site = next(directory.glob("lib/python3.*/site-packages"))
    site.joinpath("seen.pth").write_text(f"{_CHECKOUT}\n{sysconfig.get_paths()['purelib']}\n")
    project = tmp_path_factory.mktemp("project")
    project.joinpath("pyproject.toml").write_text(_PYPROJECT)
    project.joinpath("mine.py").write_text(_STORE)
    pip = [sys.executable, "-m", "pip", "--python", str(directory / "bin/python"), "--no-cache-dir"]
    options = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--no-compile"]
    done = subprocess.run(
        [*pip, "install", *options, str(project)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return directory


def with_store(environment: Path, store: str) -> Path:
    """Let the package's module be this one, and return its executable."""
    module = next(environment.glob("lib/python3.*/site-packages/mine.py"))
    module.write_text(store)
    for compiled in module.parent.glob("__pycache__/mine.*"):
        compiled.unlink()
    return environment / "bin/docker-credential-mine"


def conformance(executable: Path, base: Path, *arguments: str) -> tuple[int, str]:
    """Run the suite on an executable; return its exit status and what it printed."""
    outside = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    options = ["-p", "no:cacheprovider", f"--basetemp={base}"]
    done = subprocess.run(
        [str(_CONFORMANCE), str(executable), *arguments, *options],
        env=outside,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_package_of_a_third_party_conforms(environment: Path, tmp_path: Path) -> None:
    executable = with_store(environment, _STORE)
    deviations = tmp_path / "deviations.toml"
    deviations.write_text(_DEVIATIONS)

    options = ("--deviations", str(deviations), "--", "-k", _PART)
    status, output = conformance(executable, tmp_path / "base", *options)

    assert status == 0, output
    counts = re.search(r"(\d+) passed, .*3 xfailed", output)
    assert counts, output
    assert int(counts[1]) > 80


def test_deviation_of_an_unknown_test_is_refused(tmp_path: Path) -> None:
    deviations = tmp_path / "deviations.toml"
    deviations.write_text(_DEVIATIONS.replace("test_other", "test_another"))

    status, output = conformance(Path("/bin/true"), tmp_path, "--deviations", str(deviations))

    assert status == 4
    assert "there is no test test_another_kind_of_stdin_is_refused" in output


@pytest.mark.parametrize(
    ("line", "broken", "fault"),
    [
        (
            "                return Credential(*entries[key])",
            "                os.write(2, entries[key][1].encode())\n"
            "                return Credential(*entries[key])",
            "a secret was shown",
        ),
        ("[credential.username, credential.secret]", '["user", credential.secret]', "test_any_username"),
        ("for key in candidate_keys(server)", "for key in entries", "test_key_never"),
    ],
    ids=["shows the secret", "loses usernames", "answers for any server"],
)
def test_broken_package_does_not_conform(
    environment: Path, tmp_path: Path, line: str, broken: str, fault: str
) -> None:
    assert _STORE.count(line) == 1
    executable = with_store(environment, _STORE.replace(line, broken))

    status, output = conformance(executable, tmp_path / "base", "--", "-x", "-k", "any_username or key_never")

    assert status == 1, output
    assert fault in output


def test_read_only_helper_is_asked_to_read_only(environment: Path, tmp_path: Path) -> None:
    store = _STORE.replace("def store(", "def not_implemented(").replace("def erase(", "def nor_this(")
    executable = with_store(environment, store)

    status, output = conformance(
        executable, tmp_path / "base", "--verbs", "get,list", "--", "-k", "test_verbs"
    )

    assert status == 0, output
