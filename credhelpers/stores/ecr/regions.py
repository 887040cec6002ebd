"""The regions that AWS has, as far as botocore knows."""

import difflib
from collections.abc import Iterable


def similar_regions(region: str) -> list[str] | None:
    """Return the regions with a name like this one, none perhaps; None for a region that AWS has."""
    known = set(_regions())
    return None if region in known else sorted(difflib.get_close_matches(region, known, cutoff=0.8))


def _regions() -> Iterable[str]:
    """Yield the regions of all partitions.

    They are those of botocore's partitions.json. The lists of a boto3 session lack some of them, and no
    session can be made while the AWS configuration is faulty.
    """
    from botocore.loaders import create_loader

    for partition in create_loader().load_data("partitions")["partitions"]:
        yield from (region for region in partition["regions"] if not region.endswith("-global"))
