"""The entry point of each executable: which store stands behind which name."""

import os

from credhelpers import protocol, settings
from credhelpers.log import Log


def password_store() -> int:
    """Run ``docker-credential-pass``."""

    def open_store() -> "protocol.Store":
        from credhelpers.stores.password_store import PasswordStore

        return PasswordStore(os.environ)

    return protocol.serve("pass", open_store, _log("pass"))


def os_keyring() -> int:
    """Run ``docker-credential-keyring``."""

    def open_store() -> "protocol.Store":
        from credhelpers.stores.os_keyring import open_keyring

        return open_keyring(os.environ)

    return protocol.serve("keyring", open_store, _log("keyring"))


def ecr_login() -> int:
    """Run ``docker-credential-ecr-login``."""
    log = _log("ecr-login")

    def open_store() -> "protocol.Store":
        from credhelpers.stores.ecr.store import EcrStore

        return EcrStore(os.environ, log)

    return protocol.serve("ecr-login", open_store, log)


def _log(name: str) -> Log:
    return Log(name, settings.state_directory(os.environ))
