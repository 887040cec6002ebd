"""What `credhelpers configure` refuses to write, because every pull would then fail."""

import os

from credhelpers import config
from credhelpers.cli.shared.helper_programs import helper_beside, near_miss
from credhelpers.credential import CredentialError
from credhelpers.stores.auto.external import PREFIX, find_helper
from credhelpers.stores.ecr.hosts import registry_for
from credhelpers.stores.ecr.regions import similar_regions


def check_helper(name: str) -> None:
    """Check that a helper is installed.

    Raises:
        CredentialError: It is neither on PATH nor beside this command.
    """
    if find_helper(name, os.environ) is None and helper_beside(name) is None:
        raise CredentialError(
            f"{PREFIX}{name} is not on PATH, and without it every pull would fail",
            f"{near_miss(name)}install it first; or name it anyway: --force",
        )


def check_region(server: str) -> None:
    """Check that an ECR registry is in a region that AWS has.

    Raises:
        CredentialError: No partition has such a region, as far as botocore knows.
    """
    registry, _ = registry_for(server, config.load(os.environ))
    if registry is None:
        return  # not an ECR registry, and refused for that
    similar = similar_regions(registry.region)
    if similar is not None:
        question = f"did you mean {' or '.join(similar)}? else " if similar else ""
        raise CredentialError(
            f"{server} is in {registry.region}, which is not a region of AWS",
            f"{question}check the name; if the region is new, name it anyway: --force",
        )
