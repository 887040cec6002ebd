"""Where doctor looks for a client, and what the module of a client is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from credhelpers.config import Settings
from credhelpers.finding import Finding


@dataclass(frozen=True)
class Machine:
    """Where a client is looked for.

    Attributes:
        environ: A copy of this process's environment.
        settings: The configuration of the helpers.
        server: The only server to follow; None for all that a client names.
        deadline: When to give up, by `time.monotonic`.
        root: What the paths of the system's own files begin with.
        offline: Whether registries are left alone.
    """

    environ: Mapping[str, str]
    settings: Settings
    server: str | None
    deadline: float
    root: str = "/"
    offline: bool = False


Examine = Callable[[Machine], Iterator[tuple[str, list[Finding]]]]
"""Yields subjects and what is found about each; nothing where the client is not set up on the machine."""
