"""Finding the real tools that a test needs, and saying plainly which one is missing."""

import os
import shutil

import pytest

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
    reason = f"{command} is missing: install the Debian package {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
