"""The OS keyring: the Secret Service spoken to directly, every other one through the ``keyring`` package."""

import errno
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.store import Store

_LONGEST = 1 << 16  # bytes of a configuration
_SECRET_SERVICE = ("keyring.backends.SecretService.Keyring", "keyring.backends.libsecret.Keyring")


def open_keyring(environ: "Mapping[str, str]") -> "Store":
    """Return the keyring of this desktop, or the one that the user named to the ``keyring`` package.

    On Linux that is the Secret Service, unless ``PYTHON_KEYRING_BACKEND`` or keyring's own configuration file
    name a backend. Without a Secret Service it is the best other backend that keyring itself recommends.

    Args:
        environ: The client's environment.

    Raises:
        StoreUnavailable: There is no keyring, or it does not answer.
    """
    if sys.platform != "linux" or names_another_backend(environ):
        from credhelpers.stores.os_keyring.backend import open_configured_backend

        return open_configured_backend(environ)

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
    """Return whether the user chose a backend; what keyring calls the Secret Service is no other one.

    Raises:
        StoreUnavailable: The file that would name one cannot be read, so that it cannot be told.
    """
    named = environ.get("PYTHON_KEYRING_BACKEND")
    if named:
        return named not in _SECRET_SERVICE
    configuration = environ.get("XDG_CONFIG_HOME") or os.path.join(environ.get("HOME", ""), ".config")
    lines = _read(os.path.join(configuration, "python_keyring", "keyringrc.cfg")).splitlines()
    chosen = [line.partition("=")[2].strip() for line in lines if line.startswith("default-keyring")]
    return bool(chosen) and chosen[-1] not in _SECRET_SERVICE


def _read(path: str) -> str:
    """Return the keyring package's configuration, or nothing where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a FIFO would block
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            return os.read(descriptor, _LONGEST).decode()
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        from credhelpers.credential import StoreUnavailable
        from credhelpers.process import quoted

        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise StoreUnavailable(
            f"cannot read {path}, which may name another keyring: {reason}",
            f"correct it, or move it away: mv {quoted(path)} {quoted(path + '.old')}",
        ) from None
