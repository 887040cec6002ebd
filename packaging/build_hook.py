"""Adds the executables to the wheel."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))

from executables import executables


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the executables to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write them to where hatchling finds them."""
        self._scripts = Path(tempfile.mkdtemp())
        for name, text in executables().items():
            path = self._scripts / name
            path.write_text(text)
            path.chmod(0o755)
            build_data["shared_scripts"][str(path)] = name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what `initialize` wrote."""
        shutil.rmtree(self._scripts)
