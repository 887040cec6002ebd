"""What `doctor --fix` may run: the remedies that are marked as safe where they are made."""

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from credhelpers import permissions
from credhelpers.credential import CredentialError, Fix
from credhelpers.finding import fail, failed

PACKAGE = Path(__file__).resolve().parents[2] / "credhelpers"
KINDS = ("chmod ", "credhelpers migrate", "credhelpers configure --", "printf %s ")


def _beginnings(node: ast.expr) -> Iterator[str]:
    """Yield how the texts begin that an expression may be, as far as they stand in it."""
    match node:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str() as text), *_]):
            yield text
        case ast.IfExp():
            yield from (*_beginnings(node.body), *_beginnings(node.orelse))


def test_every_fix_is_of_a_safe_kind() -> None:
    found = [
        text
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Fix"
        for text in _beginnings(node.args[0])
    ]
    assert len(found) > 8
    assert [text for text in found if not text.startswith(KINDS)] == []


def test_a_text_made_from_a_fix_is_none() -> None:
    fix = Fix("chmod 600 x")
    assert fail("check", "fault", "text", fix).fixable
    assert failed("check", CredentialError("cause", fix)).fixable
    for remedy in (f"as root: {fix}", fix.partition(";")[0] + "", f"{fix}; or else", "chmod 600 x"):
        assert not fail("check", "fault", "text", remedy).fixable


def test_only_the_owner_gets_a_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fix = Fix(f"chmod 600 {tmp_path}")
    assert isinstance(permissions.for_owner(fix, str(tmp_path)), Fix)
    assert not isinstance(permissions.for_owner("sed -i s/a/b/ x", str(tmp_path)), Fix)
    for other in (0 if os.geteuid() else 12345, 54321):
        monkeypatch.setattr(os, "geteuid", lambda other=other: other)
        assert not isinstance(permissions.for_owner(fix, str(tmp_path)), Fix)
        assert not isinstance(permissions.own("chmod 600 x", str(tmp_path)), Fix)
