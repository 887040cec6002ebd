"""The test of a store: a secret is stored, read back and erased."""

import secrets
from typing import TYPE_CHECKING

from credhelpers.credential import Credential, CredentialError

if TYPE_CHECKING:
    from credhelpers.store import Store

_PROBE = "credhelpers.invalid/credhelpers-probe-"  # migrate ignores and erases such keys


def test_store(store: "Store", name: str) -> None:
    """Store a test secret, read it back and erase it.

    Args:
        store: The store.
        name: What it is, for messages.

    Raises:
        CredentialError: The store does not work.
    """
    server, word = _PROBE + secrets.token_hex(8), secrets.token_hex(16)
    try:
        store.store(server, Credential("probe", word))
        if store.get(server).secret != word:
            raise CredentialError(f"the {name} does not return what was stored")
    finally:
        store.erase(server)
