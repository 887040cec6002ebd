"""Finding the real tools that a test needs, and saying plainly which one is missing."""

import os
import shutil

SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


def require(command: str, package: str) -> str:
    """Return the absolute path of a tool of the system.

    Args:
        command: The name of the executable. Only the system's own directories are searched, so that an
            executable of ours that is on PATH is never taken for the tool of the same name.
        package: The Debian package that brings it.

    Without the tool the test is skipped; where `CI` is `true` it fails.
    """
    found = shutil.which(command, path=SYSTEM_PATH)
    if found:
        return found
    raise _missing(f"{command} is missing: install the Debian package {package}")


def _missing(reason: str) -> BaseException:
    """Return what pytest takes for a skipped or a failed test."""
    import pytest  # here, for the benchmarks share what stands in this directory and have no pytest

    return pytest.fail.Exception(reason) if os.environ.get("CI") == "true" else pytest.skip.Exception(reason)
