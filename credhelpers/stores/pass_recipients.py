"""For whom the password store encrypts, by pass's own rules (password-store.sh, set_gpg_recipients)."""

import os

from credhelpers.credential import StoreUnavailable
from credhelpers.stores.pass_entries import nearest, uninitialised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.gpg import Gpg

_LONGEST = 1 << 20


def recipients(directory: str, folder: str, gpg: "Gpg", environ: "Mapping[str, str]") -> list[str]:
    """Return the keys for which an entry is encrypted, as the user names them.

    Args:
        directory: The password store.
        folder: The folder of the entry, below it; it need not exist.
        gpg: Verifies the list of keys where the user wants it signed.
        environ: The client's environment, with pass's own variables in it.

    Raises:
        StoreUnavailable: The store names no keys, or its list is not signed as it must be.
    """
    keys = environ.get("PASSWORD_STORE_KEY", "").split()
    if keys:
        return keys
    found = nearest(directory, folder, ".gpg-id")
    if found is None:
        raise StoreUnavailable(*uninitialised(directory))
    path = f"{found}/.gpg-id"
    try:
        with open(path, "rb") as file:
            content = file.read(_LONGEST)
    except OSError as error:
        raise StoreUnavailable(f"cannot read {path}: {error.strerror}") from None
    _verify(path, content, gpg, environ.get("PASSWORD_STORE_SIGNING_KEY", "").split())
    lines = content.decode(errors="replace").splitlines()
    keys = [key for line in lines if (key := line.partition("#")[0].strip())]
    if not keys:
        raise StoreUnavailable(f"{path} names no key", "name one: pass init <your GPG key>")
    return keys


def _verify(path: str, content: bytes, gpg: "Gpg", trusted: list[str]) -> None:
    """Refuse a list of keys that none of the user's signing keys has signed."""
    if not trusted:
        return
    signature = path + ".sig"
    remedy = f"check who changed it; then sign it: gpg --detach-sign {path}"
    if not os.path.isfile(signature):
        raise StoreUnavailable(f"{path} is not signed, and PASSWORD_STORE_SIGNING_KEY is set", remedy)
    if gpg.signers(content, signature).isdisjoint(trusted):
        raise StoreUnavailable(f"{path} is not signed by a key of PASSWORD_STORE_SIGNING_KEY", remedy)
