"""The OS keyring: the Secret Service over D-Bus, every other one through the ``keyring`` package."""

import os

from credhelpers import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.store import Store

_LONGEST = 1 << 16  # bytes of a configuration
_SECRET_SERVICE = ("keyring.backends.SecretService.Keyring", "keyring.backends.libsecret.Keyring")


def open_keyring(environ: "Mapping[str, str]") -> "Store":
    """Return the Secret Service, or the backend of the ``keyring`` package that the user named instead.

    ``PYTHON_KEYRING_BACKEND`` or keyring's own configuration file name one. Without a Secret Service it is
    the best other backend that keyring itself recommends.

    Args:
        environ: The client's environment.

    Raises:
        StoreUnavailable: There is no keyring, or it does not answer.
    """
    if names_another_backend(environ):
        from credhelpers.stores.os_keyring.backend import open_configured_backend

        return open_configured_backend(environ, _configuration_path(environ))

    from credhelpers.stores.os_keyring.bus import NoService
    from credhelpers.stores.os_keyring.secret_service import SecretServiceStore

    try:
        return SecretServiceStore(environ)
    except NoService:
        from credhelpers.stores.os_keyring.backend import open_other_backend

        store = open_other_backend(environ)
        if store is None:
            raise
        return store


def names_another_backend(environ: "Mapping[str, str]") -> bool:
    """Return whether the user named a backend that is not one of keyring's own for the Secret Service.

    Raises:
        StoreUnavailable: The file that would name one cannot be read.
    """
    named = environ.get("PYTHON_KEYRING_BACKEND")
    if named:
        return named not in _SECRET_SERVICE
    lines = _read(_configuration_path(environ)).splitlines()
    backends = [line.partition("=")[2].strip() for line in lines if line.startswith("default-keyring")]
    return bool(backends) and backends[-1] not in _SECRET_SERVICE


def _configuration_path(environ: "Mapping[str, str]") -> str:
    """Return the path of the keyring package's own configuration."""
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", ""), ".config")
    return os.path.join(base, "python_keyring", "keyringrc.cfg")


def _read(path: str) -> str:
    """Return the keyring package's configuration; empty where there is none."""
    try:
        return files.read_regular(path, _LONGEST).decode()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        from credhelpers.credential import StoreUnavailable
        from credhelpers.process import quoted

        reason = error.strerror or error if isinstance(error, OSError) else "it is not UTF-8"
        raise StoreUnavailable(
            f"cannot read {path}, which may name another keyring: {reason}",
            f"correct it, or move it away: mv {quoted(path)} {quoted(path + '.old')}",
            fault="config-unreadable",
        ) from None
