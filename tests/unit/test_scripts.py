"""The executables as the wheel ships them: installers rewrite their first line and keep their mode."""

import ast
import os
from pathlib import Path

import pytest

from credhelpers import executables

SCRIPTS = Path(__file__).parents[2] / "packaging/scripts"


@pytest.mark.parametrize("script", sorted(SCRIPTS.iterdir()), ids=lambda path: path.name)
def test_each_can_be_run_and_names_the_python_it_is_installed_for(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!python\n")
    assert ast.get_docstring(ast.parse(script.read_text()))


def test_each_entry_point_has_one() -> None:
    text = "".join(script.read_text() for script in SCRIPTS.glob("docker-credential-*"))
    public = [
        name
        for name, value in vars(executables).items()
        if callable(value) and value.__module__ == executables.__name__
    ]
    for name in public:
        assert name.startswith("_") or f"os._exit({name}())" in text
