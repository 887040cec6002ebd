"""AWS as the programs of the rig see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credhelpers.emulator import Emulator

if TYPE_CHECKING:
    from tests.e2e.namespace import Namespace


def emulated_aws(namespace: Namespace, password: str) -> Emulator:
    """An emulator inside ``namespace``, to be used in a ``with`` statement.

    ``password`` is what its tokens carry, so a registry that has it lets their bearers in.
    """
    with namespace.network():
        return Emulator(password=password)
