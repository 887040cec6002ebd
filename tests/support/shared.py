"""What takes long to make is made once for all workers of a test run."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from credhelpers.locks import Lock

_SECONDS = 900


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a directory of the test run; the first worker that asks for it makes it.

    Args:
        factory: Knows where the directories of the run are.
        name: The directory's name.
        make: Makes the directory at the path that it is called with.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # the workers share one
    path = base / name
    with Lock(f"{path}.lock", _SECONDS):
        if not path.exists():
            try:
                make(path)
            except BaseException:
                shutil.rmtree(path, ignore_errors=True)
                raise
    return path
