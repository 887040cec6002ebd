"""`python -m tests.remedies` prints what the catalogue misses, ready to paste, and what it has too much."""

import sys

from tests.remedies import catalogue
from tests.remedies.collect import collect
from tests.remedies.source import Source


def main() -> int:
    """Compare the source with the catalogue; the exit status is 1 when they differ."""
    found = collect(Source())
    entries = {entry.remedy: entry for entry in catalogue.read()}
    missing = found.keys() - entries.keys()
    stale = entries.keys() - found.keys()
    for remedy in sorted(missing):
        print(f"# {', '.join(sorted(found[remedy]))}")  # noqa: T201
        print(catalogue.as_toml(remedy) + 'test = ""\n')  # noqa: T201
    for remedy in sorted(stale):
        print(f"# no longer in the source; its test was: {entries[remedy].tests or entries[remedy].prose}")  # noqa: T201
        print("# " + catalogue.as_toml(remedy).replace("\n", "\n# ").rstrip("# "))  # noqa: T201
    faults = [(entry, fault) for entry in entries.values() for fault in entry.faults()]
    for entry, fault in faults:
        print(f"# {entry.remedy.path}: {entry.remedy.text!r}: {fault}")  # noqa: T201
    executed = [entry for entry in entries.values() if not entry.prose]
    shown = [entry for entry in entries.values() if entry.prose and entry.tests]
    print(  # noqa: T201
        f"# {len(found)} remedies: {len(executed)} are executed, {len(entries) - len(executed)} are prose "
        f"({len(shown)} of them with a command that is run), {len(missing)} missing, {len(stale)} stale"
    )
    return 1 if missing or stale or faults else 0


if __name__ == "__main__":
    sys.exit(main())
