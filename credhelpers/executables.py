"""The entry point of each executable."""

import gc
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
    gc.disable()  # a process for one answer: to search the AWS SDK for garbage is 9 % of a cold ECR get
    return protocol.serve(name, HELPERS[name].open, os.environ)
