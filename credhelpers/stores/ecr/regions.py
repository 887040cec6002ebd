"""The regions that AWS has, as far as botocore knows."""

from collections.abc import Iterable


def similar_regions(region: str) -> list[str] | None:
    """Return the regions with a name like this one, none perhaps; None for a region that AWS has."""
    known = set(_regions())
    if region in known:
        return None
    from difflib import get_close_matches  # here, for it is slow to load, and a token needs it never

    return sorted(get_close_matches(region, known, cutoff=0.8))


def _regions() -> Iterable[str]:
    """Yield the regions of all partitions.

    They are those of botocore's partitions.json. The lists of a boto3 session lack some of them, and no
    session can be made while the AWS configuration is faulty.
    """
    from botocore.loaders import create_loader

    for partition in create_loader().load_data("partitions")["partitions"]:
        yield from (region for region in partition["regions"] if not region.endswith("-global"))
