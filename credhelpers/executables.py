"""The entry point of each executable: which store stands behind which name."""

import os

from credhelpers import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.log import Log
    from credhelpers.settings import Settings


def password_store() -> int:
    """Run ``docker-credential-pass``."""
    return protocol.serve("pass", _open_password_store)


def os_keyring() -> int:
    """Run ``docker-credential-keyring``."""
    return protocol.serve("keyring", _open_keyring)


def ecr_login() -> int:
    """Run ``docker-credential-ecr-login``."""
    return protocol.serve("ecr-login", _open_ecr)


def auto() -> int:
    """Run ``docker-credential-auto``."""
    return protocol.serve("auto", _open_auto)


def _open_password_store(settings: "Settings", log: "Log") -> "protocol.Store":
    del settings, log
    from credhelpers.stores.password_store import PasswordStore

    return PasswordStore(os.environ)


def _open_keyring(settings: "Settings", log: "Log") -> "protocol.Store":
    del settings, log
    from credhelpers.stores.os_keyring import open_keyring

    return open_keyring(os.environ)


def _open_ecr(settings: "Settings", log: "Log") -> "protocol.Store":
    from credhelpers.stores.ecr.store import EcrStore

    return EcrStore(os.environ, settings, log)


def _open_auto(settings: "Settings", log: "Log") -> "protocol.Store":
    from credhelpers.stores.router import AutoStore

    return AutoStore(os.environ, settings, log, BUILT_IN)


BUILT_IN: "Mapping[str, protocol.OpenStore]" = {
    "pass": _open_password_store,
    "keyring": _open_keyring,
    "ecr-login": _open_ecr,
}
"""How to open each store that needs no other process, by the name of its helper."""
