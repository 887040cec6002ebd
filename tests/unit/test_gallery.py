"""The failure gallery: the README's number is the number of its tests, and each names a finding."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.integration.doctor import documented

ROOT = Path(__file__).resolve().parents[2]


def _failures() -> Iterator[tuple[str, str]]:
    """Yield the name of each test of the gallery, and the id of the finding that its marker names."""
    for path in sorted((ROOT / "tests" / "gallery").glob("test_*.py")):
        functions = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
        for node in functions:
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.failure":
                    yield f"{path.name}::{node.name}", ast.literal_eval(mark.args[0])


def failures() -> int:
    """Return how many failures the gallery stages."""
    return len(list(_failures()))


def test_the_readme_has_the_number() -> None:
    readme = (ROOT / "README.md").read_text()
    numbers = re.findall(r"`make gallery` stages (\d+) failures", readme)
    assert numbers or "<!-- gallery -->" in readme, "the number stands at the mark"
    assert {int(number) for number in numbers} <= {failures()}


def test_each_failure_is_a_documented_finding() -> None:
    assert {finding for _, finding in _failures()} - documented() == set()
