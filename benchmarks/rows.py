"""The rows of the table: what is measured beside what, and the target."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.peers import Peers
from benchmarks.result import Result
from benchmarks.sampling import Command, Sample, at_once, interleave, one_after_another
from benchmarks.worlds import HOSTS, EcrUser, StoreUser, ecr_user, keyring_user, password_store_users

ECR, PASS, KEYRING = (f"docker-credential-{name}" for name in ("ecr-login", "pass", "keyring"))
REFERENCE_KEYRING = "docker-credential-secretservice"
_OPERATION = "GetAuthorizationToken"
_MANY = 1000
_STORM = 64


@dataclass(frozen=True)
class Bench:
    """What a row needs: the executables, a directory of its own, and how often to measure."""

    peers: Peers
    directory: Path
    runs: int

    def compare(self, ours: Sample, theirs: Sample) -> tuple[list[float], list[float]]:
        """Measure two things in turn."""
        first, second = interleave(self.runs, [ours, theirs])
        return first, second


def ecr_warm(bench: Bench) -> Result:
    """Measure a warm `get` as scripts/install.sh installs it."""
    with ecr_user(bench.directory) as user:
        helpers = (bench.peers.ours(ECR), bench.peers.reference(ECR))
        samples = bench.compare(*(user.get(helper).time for helper in helpers))
    return Result("ecr-warm", "ECR get, warm, as installed", "reference, static keys", 0.7, "ms", *samples)


def ecr_warm_pip(bench: Bench) -> Result:
    """Measure a warm `get` as pip alone installs it."""
    python = bench.peers.by_pip("python")
    with ecr_user(bench.directory) as user:
        floor = Command((python, "-I", "-c", "pass"), user.env)
        samples = bench.compare(user.get(bench.peers.by_pip(ECR)).time, floor.time)
    return Result("ecr-warm-pip", "ECR get, warm, pip alone", "`python -I -c pass`", 1.3, "ms", *samples)


def ecr_role(bench: Bench) -> Result:
    """Count the calls to the metadata service and to AWS of a warm `get` with an instance's role."""
    with ecr_user(bench.directory) as keys:
        user = keys.with_role()
        ours, theirs = (user.get(helper) for helper in (bench.peers.ours(ECR), bench.peers.reference(ECR)))
        times = bench.compare(ours.time, theirs.time)
        counts = bench.compare(lambda: _calls(user, ours), lambda: _calls(user, theirs))
    note = f"{median(times[0]):.2f} ms beside {median(times[1]):.2f} ms, the calls to a server on loopback"
    case = "ECR get, warm, EC2 role"
    return Result("ecr-role", case, "reference", 0, "calls", *counts, note=note, is_ratio=False)


def _calls(user: EcrUser, command: Command) -> float:
    before = sum(user.aws.calls.values())
    command.time()
    return sum(user.aws.calls.values()) - before


def ecr_cold(bench: Bench) -> Result:
    """Measure a `get` that asks AWS."""
    with ecr_user(bench.directory) as user:
        ours = user.get(bench.peers.ours(ECR))
        samples = bench.compare(lambda: _cold(user, ours), user.aws_login(bench.peers.aws).time)
    return Result("ecr-cold", "ECR get, cold", "`aws ecr get-login-password`", 0.5, "ms", *samples)


def _cold(user: EcrUser, command: Command) -> float:
    user.forget()
    return command.time()


def ecr_storm(bench: Bench) -> Result:
    """Measure many cold `get`s at once, and count the requests that they make between them."""
    calls = []
    with ecr_user(bench.directory) as user:
        command = user.get(bench.peers.ours(ECR))

        def storm() -> float:
            user.forget()
            user.aws.calls.clear()
            took = at_once([command] * _STORM)
            calls.append(user.aws.calls[_OPERATION])
            return took

        samples = bench.compare(storm, lambda: _cold(user, command))
    note = f"API calls in each storm: {', '.join(map(str, sorted(set(calls))))}"
    case = f"{_STORM} cold ECR gets at once"
    return Result(
        "ecr-storm", case, "one cold get", 4, "ms", *samples, condition=set(calls) == {1}, note=note
    )


def pass_get(bench: Bench) -> Result:
    """Measure a `get` from a password store, gpg's agent being warm."""
    with password_store_users(bench.directory, bench.peers.ours(PASS), (15,)) as (user,):
        helpers = (bench.peers.ours(PASS), bench.peers.reference(PASS))
        samples = bench.compare(*(user.get(helper).time for helper in helpers))
    return Result("pass-get", "pass get", "reference", 0.6, "ms", *samples)


def pass_list(bench: Bench) -> Result:
    """Measure the list of a large password store."""
    with password_store_users(bench.directory, bench.peers.ours(PASS), (_MANY,)) as (user,):
        helpers = (bench.peers.ours(PASS), bench.peers.reference(PASS))
        samples = bench.compare(*(user.list(helper).time for helper in helpers))
    return Result("pass-list", f"pass list, {_MANY} servers", "reference", 1.5, "ms", *samples)


def keyring_get(bench: Bench) -> Result:
    """Measure a `get` from a Secret Service."""
    with keyring_user(bench.directory, bench.peers.ours(KEYRING)) as user:
        helpers = (bench.peers.ours(KEYRING), bench.peers.reference(REFERENCE_KEYRING))
        samples = bench.compare(*(user.get(helper).time for helper in helpers))
    return Result("keyring-get", "keyring get, Secret Service", "reference", 3, "ms", *samples)


def registries(bench: Bench) -> Result:
    """Measure what a build that uses thirty registries waits for."""
    peers = bench.peers
    with (
        ecr_user(bench.directory) as ecr,
        password_store_users(bench.directory, peers.ours(PASS), (len(HOSTS),)) as (store,),
    ):
        ours = mixture(ecr, store, peers.ours(ECR), peers.ours(PASS), len(HOSTS))
        theirs = mixture(ecr, store, peers.reference(ECR), peers.reference(PASS), len(HOSTS))
        samples = bench.compare(lambda: one_after_another(ours), lambda: one_after_another(theirs))
    case = f"{2 * len(HOSTS)} registries one after another, ECR and pass"
    return Result("registries", case, "both references", 0.8, "ms", *samples)


def mixture(ecr: EcrUser, store: StoreUser, for_ecr: str, for_pass: str, pairs: int) -> list[Command]:
    """Return look-ups of ECR registries and of others in turn."""
    found = []
    for number in range(pairs):
        found += [ecr.get(for_ecr, HOSTS[number]), store.get(for_pass, number)]
    return found


def memory(bench: Bench) -> Result:
    """Measure how much memory a warm `get` takes at most."""
    with ecr_user(bench.directory) as user:
        helpers = (bench.peers.ours(ECR), bench.peers.reference(ECR), bench.peers.by_pip(ECR))
        commands = [user.get(helper) for helper in helpers]
        ours, theirs, pip = interleave(bench.runs, [_peak(bench, command) for command in commands])
    note = f"pip alone: {median(pip):.2f} MB, {median(pip) / median(theirs):.2f} of the reference's"
    return Result("memory", "peak memory of a warm get", "reference", 1.5, "MB", ours, theirs, note=note)


def _peak(bench: Bench, command: Command) -> Callable[[], float]:
    """Return what measures the largest resident size of a program, in MB.

    GNU time starts it: the kernel counts the size of the process that starts a program as the program's own,
    and GNU time is smaller than any program measured here.
    """
    clock = bench.peers.reference("time")

    def sample() -> float:
        with tempfile.NamedTemporaryFile(prefix="ch-bench-", dir=bench.directory) as report:
            arguments = (clock, "--format=%M", f"--output={report.name}", *command.arguments)
            Command(arguments, command.env, command.stdin, command.expected).time()
            return int(report.read()) / 1024

    return sample


ROWS: dict[str, Callable[[Bench], Result]] = {
    "ecr-warm": ecr_warm,
    "ecr-warm-pip": ecr_warm_pip,
    "ecr-role": ecr_role,
    "ecr-cold": ecr_cold,
    "ecr-storm": ecr_storm,
    "pass-get": pass_get,
    "pass-list": pass_list,
    "keyring-get": keyring_get,
    "registries": registries,
    "memory": memory,
}
"""Every row by its name, in the order of the table."""
