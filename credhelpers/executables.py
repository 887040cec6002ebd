"""The entry point of each executable: which store stands behind which name."""

import os

from credhelpers import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.config import Settings
    from credhelpers.log import Log


def password_store() -> int:
    """Run ``docker-credential-pass``."""
    return protocol.serve("pass", _open_password_store, os.environ)


def os_keyring() -> int:
    """Run ``docker-credential-keyring``."""
    return protocol.serve("keyring", _open_keyring, os.environ)


def ecr_login() -> int:
    """Run ``docker-credential-ecr-login``."""
    return protocol.serve("ecr-login", _open_ecr, os.environ)


def auto() -> int:
    """Run ``docker-credential-auto``."""
    return protocol.serve("auto", _open_auto, os.environ)


def _open_password_store(environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> "protocol.Store":
    del settings, log
    from credhelpers.stores.password_store.store import PasswordStore

    return PasswordStore(environ)


def _open_keyring(environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> "protocol.Store":
    del settings, log
    from credhelpers.stores.os_keyring import open_keyring

    return open_keyring(environ)


def _open_ecr(environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> "protocol.Store":
    from credhelpers.stores.ecr.store import EcrStore

    return EcrStore(environ, settings, log)


def _open_auto(environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> "protocol.Store":
    from credhelpers.stores.auto.store import AutoStore

    return AutoStore(environ, settings, log, BUILT_IN)


BUILT_IN: "Mapping[str, protocol.OpenStore]" = {
    "pass": _open_password_store,
    "keyring": _open_keyring,
    "ecr-login": _open_ecr,
}
"""How to open each store that needs no other process, by the name of its helper."""
