"""Whether a signing key of the user, still valid, has signed the password store's list of keys."""

import os
import stat

from credhelpers.credential import StoreUnavailable
from credhelpers.process import quoted
from credhelpers.stores.password_store import faults, gpg_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.stores.password_store.gpg import Gpg

_HEXADECIMAL = frozenset("0123456789ABCDEF")


def verify(path: str, content: bytes, gpg: "Gpg", trusted: list[str]) -> None:
    """Refuse a list of keys without a valid signature by one of the user's signing keys.

    Args:
        path: The ``.gpg-id``; the signature is beside it.
        content: Its content.
        gpg: Verifies the signature.
        trusted: Fingerprints, as ``PASSWORD_STORE_SIGNING_KEY`` has them.

    Raises:
        StoreUnavailable: It has no such signature.
    """
    sign = f"gpg --yes --local-user {{}} --detach-sign {quoted(path)}"
    known = [key for key in trusted if _is_fingerprint(key)]
    if not known:
        raise StoreUnavailable(
            "PASSWORD_STORE_SIGNING_KEY does not contain a fingerprint",
            "set it to what this prints, without spaces: gpg --fingerprint <your GPG key>",
            fault="invalid-signing-key",
        )
    own = next((key for key in known if gpg_failure.is_secret(gpg.describe(key))), None)
    who = "sign it: " + sign.format(own) if own else "ask the owner of one of those keys to sign it"
    remedy = f"check who changed it; then {who}"
    _check_file(path, path + ".sig", remedy)
    signers = gpg.signers(content, path + ".sig")
    judged = {key: signers[key] for key in known if key in signers}
    if "GOODSIG" not in judged.values():
        raise _refusal(path, judged, gpg, sign, remedy)


def _check_file(path: str, signature: str, remedy: str) -> None:
    try:
        mode = os.stat(signature).st_mode
    except FileNotFoundError:
        cause = f"{path} is not signed, and PASSWORD_STORE_SIGNING_KEY is set"
        raise StoreUnavailable(cause, remedy, fault="signature-missing") from None
    except OSError as error:
        raise faults.unreadable(error, os.path.dirname(path)) from None
    if not stat.S_ISREG(mode):
        away = f"mv {quoted(signature)} {quoted(signature + '.old')}"
        raise StoreUnavailable(
            f"{signature} is not a regular file",
            f"move it away: {away}; {remedy}",
            fault="signature-not-a-file",
        )


def _refusal(path: str, judged: dict[str, str], gpg: "Gpg", sign: str, remedy: str) -> StoreUnavailable:
    """Return why the signatures do not count.

    Args:
        path: The list of keys.
        judged: gpg's judgement of the signature by each of the user's signing keys.
        gpg: Describes keys.
        sign: The command that signs; ``{}`` is the key.
        remedy: What to do where the key is valid.
    """
    signed = sign.format("$PASSWORD_STORE_SIGNING_KEY")
    another = f"sign with another key: export PASSWORD_STORE_SIGNING_KEY=<fingerprint> && {signed}"
    for key, judgement in judged.items():
        if judgement == "REVKEYSIG":
            return StoreUnavailable(
                f"{path} is signed by a key that has been revoked: {key}", another, fault="signer-revoked"
            )
        if judgement == "EXPKEYSIG":
            extend = gpg_failure.extend_signing_key(gpg.describe(key))
            cause = f"{path} is signed by a key that has expired: {key}"
            return StoreUnavailable(cause, f"extend it: {extend}; or {another}", fault="signer-expired")
        if judgement == "EXPSIG":
            return StoreUnavailable(f"the signature of {path} has expired", remedy, fault="signature-expired")
    return StoreUnavailable(
        f"{path} is not signed by a key of PASSWORD_STORE_SIGNING_KEY", remedy, fault="signature-invalid"
    )


def _is_fingerprint(key: str) -> bool:
    return len(key) == 40 and _HEXADECIMAL.issuperset(key)  # as password-store.sh compares
