"""How the cost of an answer grows: with registries, with entries, and with processes at the same time."""

from functools import partial
from statistics import median

from benchmarks.rows import ECR, PASS, Bench, mixture
from benchmarks.sampling import Sample, at_once, interleave, one_after_another
from benchmarks.worlds import HOSTS, ecr_user, password_store_users

_REGISTRIES = (1, 5, 15)  # pairs of an ECR registry and another
_ENTRIES = (10, 100, 1000, 5000)
_PROCESSES = (1, 4, 16, 64)


def report(bench: Bench) -> str:
    """Measure all series and return them as Markdown tables; the numbers are medians in milliseconds."""
    return "\n\n".join([_registries(bench), _entries(bench), _processes(bench)])


def _registries(bench: Bench) -> str:
    peers = bench.peers
    rows = []
    with (
        ecr_user(bench.directory / "registries") as ecr,
        password_store_users(bench.directory / "registries", peers.ours(PASS), (len(HOSTS),)) as (store,),
    ):
        for pairs in _REGISTRIES:
            ours = mixture(ecr, store, peers.ours(ECR), peers.ours(PASS), pairs)
            theirs = mixture(ecr, store, peers.reference(ECR), peers.reference(PASS), pairs)
            samples = bench.compare(partial(one_after_another, ours), partial(one_after_another, theirs))
            rows.append([2 * pairs, *map(median, samples)])
    return _table(["registries, one after another", "ours", "reference"], rows)


def _entries(bench: Bench) -> str:
    ours, reference = bench.peers.ours(PASS), bench.peers.reference(PASS)
    rows = []
    with password_store_users(bench.directory / "entries", ours, _ENTRIES) as users:
        for size, user in zip(_ENTRIES, users, strict=True):
            commands = [
                user.list(ours),
                user.list(reference),
                user.get(ours, size - 1),
                user.get(reference, size - 1),
            ]
            samples = interleave(bench.runs, [command.time for command in commands])
            rows.append([size, *map(median, samples)])
    head = ["servers in the password store", "list", "reference", "get", "reference"]
    return _table(head, rows)


def _processes(bench: Bench) -> str:
    rows = []
    with ecr_user(bench.directory / "processes") as user:
        ours, reference = (user.get(helper) for helper in (bench.peers.ours(ECR), bench.peers.reference(ECR)))
        for number in _PROCESSES:

            def cold(number: int = number) -> float:
                user.forget()
                return at_once([ours] * number)

            def warm(number: int = number) -> float:
                return at_once([ours] * number)

            def theirs(number: int = number) -> float:
                return at_once([reference] * number)

            samples: list[Sample] = [cold, warm, theirs]  # whatever comes after `cold` finds its token
            rows.append([number, *map(median, interleave(bench.runs, samples))])
    return _table(["ECR gets at once", "cold", "warm", "reference, warm"], rows)


def _table(head: list[str], rows: list[list[float]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for number, *milliseconds in rows:
        cells = [f"{number:g}", *(f"{value:.1f}" for value in milliseconds)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
