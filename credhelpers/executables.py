"""The entry point of each executable."""

import os

from credhelpers import protocol
from credhelpers.suite import HELPERS


def run(name: str) -> int:
    """Run a helper of the suite on the command line, stdin and environment of this process.

    Args:
        name: What follows ``docker-credential-``.

    Returns:
        The exit status.
    """
    return protocol.serve(name, HELPERS[name].open, os.environ)
