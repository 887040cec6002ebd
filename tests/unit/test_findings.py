"""The ids of doctor's findings: docs/findings.md lists those that the source can make."""

import ast
from collections.abc import Iterator
from pathlib import Path

from credhelpers.finding import slug
from tests.integration.doctor import documented

ROOT = Path(__file__).resolve().parents[2]
_TREES = [ast.parse(path.read_text()) for path in (ROOT / "credhelpers").rglob("*.py")]


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be, as far as they stand in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _texts(value)


def _faults() -> set[str]:
    """Return the faults that are named in the source: in findings, and in errors."""
    found = {"error"}
    for tree in _TREES:
        makers = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "credhelpers.finding"
            for alias in node.names
            if alias.name in ("warn", "fail")
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                either = (
                    [node.func.body, node.func.orelse] if isinstance(node.func, ast.IfExp) else [node.func]
                )
                if any(isinstance(called, ast.Name) and called.id in makers for called in either):
                    found.update(_texts(node.args[1]))
                for keyword in node.keywords:
                    if keyword.arg == "fault":
                        found.update(_texts(keyword.value))
    return found - {""}


def test_every_fault_is_documented() -> None:
    assert _faults() - {name.partition(".")[2] for name in documented()} == set()


def test_every_documented_fault_is_in_the_source() -> None:
    assert {name.partition(".")[2] for name in documented()} - _faults() == set()


def test_every_documented_check_is_in_the_source() -> None:
    texts = {
        slug(node.value)
        for tree in _TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {name.partition(".")[0] for name in documented()} - texts == set()


def test_the_list_is_in_order() -> None:
    lines = [line for line in (ROOT / "docs" / "findings.md").read_text().splitlines() if line[:3] == "| `"]
    assert lines == sorted(lines)
