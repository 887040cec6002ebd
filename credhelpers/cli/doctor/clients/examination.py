"""Examines all clients at once, each in a thread, until the deadline."""

from collections.abc import Iterator
from functools import partial

from credhelpers.cli.doctor.clients import (
    buildx,
    dockerd,
    gitlab_runner,
    kubelet,
    nomad,
    podman,
    systemd,
)
from credhelpers.cli.doctor.clients.machine import Examine, Machine
from credhelpers.cli.shared.bounded import Tasks
from credhelpers.finding import Finding, fail

CLIENTS: dict[str, Examine] = {
    "buildx": buildx.examine,
    "dockerd": dockerd.examine,
    "nomad": nomad.examine,
    "podman": podman.examine,
    "gitlab-runner": gitlab_runner.examine,
    "kubelet": kubelet.examine,
    "systemd": systemd.examine,
}
"""How each client is examined, by the name that ``doctor --client`` takes."""


class Examination:
    """Clients that are being examined.

    Args:
        machine: Where they are looked for.
        names: Which of `CLIENTS`.
    """

    def __init__(self, machine: Machine, names: list[str]) -> None:
        self._tasks: Tasks[list[tuple[str, list[Finding]]]] = Tasks(machine.deadline)
        self._names = names
        for name in names:
            self._tasks.start(name, partial(_examine, CLIENTS[name], machine))

    def sections(self) -> Iterator[tuple[str, list[Finding]]]:
        """Yield subjects and what is found about each, client by client."""
        for name in self._names:
            found = self._tasks.result(name)
            text = f"{name} could not be examined in time"
            yield from [(name, [fail("client", "late", text, "run this again")])] if found is None else found


def _examine(examine: Examine, machine: Machine) -> list[tuple[str, list[Finding]]]:
    return list(examine(machine))
