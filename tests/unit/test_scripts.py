"""The executables as the wheel ships them: one file that is sh to the kernel and Python to Python."""

import ast
import importlib.util
import re
import subprocess
import warnings
from pathlib import Path

import pytest

from credhelpers.store import Helper
from credhelpers.suite import HELPERS
from tests.support.tools import require

PACKAGING = Path(__file__).parents[2] / "packaging"
NAMES = sorted(["credhelpers", *(f"docker-credential-{name}" for name in HELPERS)])


@pytest.fixture(scope="module")
def assembled() -> dict[str, str]:
    """The text of each executable, by its name."""
    spec = importlib.util.spec_from_file_location("packaged", PACKAGING / "executables.py")
    assert spec
    assert spec.loader
    packaged = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(packaged)
    texts = packaged.executables()
    assert isinstance(texts, dict)
    return texts


@pytest.mark.parametrize("name", NAMES)
def test_python_reads_each_without_a_warning(assembled: dict[str, str], name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = ast.parse(assembled[name])
    said = [node.value for node in tree.body if isinstance(node, ast.Expr)]
    assert any(isinstance(value, ast.Constant) and name in str(value.value) for value in said)


@pytest.mark.parametrize("name", NAMES)
def test_shellcheck_passes_the_sh_of_each(assembled: dict[str, str], name: str) -> None:
    first, _, rest = assembled[name].partition("\n")
    assert first == "#!/bin/sh", "which no installer rewrites"
    sh, end, _ = rest.partition("\n'''\n")
    assert end
    checked = subprocess.run(
        [require("shellcheck", "shellcheck"), "--shell=sh", "--severity=error", "-"],
        input=sh.replace("sh=r''':'", "") + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.stdout == ""


@pytest.mark.parametrize("name", NAMES)
def test_each_starts_python_isolated_only(assembled: dict[str, str], name: str) -> None:
    assert len(re.findall(r'^exec "\$python" "\$flags" ', assembled[name], re.MULTILINE)) == 1
    assert re.findall(r"isolation=(\S+)", assembled[name]) == ["-IS", "-I"]


@pytest.mark.parametrize("helper", HELPERS.values(), ids=list(HELPERS))
def test_each_helper_runs_itself(assembled: dict[str, str], helper: Helper) -> None:
    text = assembled[f"docker-credential-{helper.name}"]

    assert f'os._exit(run("{helper.name}"))' in text
    assert helper.purpose in text


def test_a_fast_path_is_in_its_own_executable(assembled: dict[str, str]) -> None:
    fast = {
        f"docker-credential-{path.name.removesuffix('-fast-path.sh')}"
        for path in PACKAGING.glob("*-fast-path.sh")
    }
    assert fast
    assert {name for name, text in assembled.items() if "CREDHELPERS_HANDED_OVER" in text} == fast
    assert [name for name, text in assembled.items() if "@HELPER@" in text] == []


def test_every_tool_of_the_tests_is_installed() -> None:
    tests = Path(__file__).parents[1]
    wanted = {
        f"{command}:{package}"
        for path in tests.rglob("*.py")
        for command, package in re.findall(r'require\("([^"]+)", "([^"]+)"\)', path.read_text())
    }
    tools = re.search(
        r"^TOOLS='(.*?)'", (tests.parent / "scripts/test.sh").read_text(), re.DOTALL | re.MULTILINE
    )
    assert tools
    assert len(wanted) > 20
    assert wanted - set(tools[1].split()) == set()
