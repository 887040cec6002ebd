"""Decrypting and encrypting with gpg; what explains a failure is loaded after one."""

import os

from credhelpers.stores.password_store.gpg_status import has_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.process import Outcome
    from credhelpers.stores.password_store.gpg import Gpg


def decrypt(gpg: "Gpg", encrypted: "bytes | int", path: str) -> bytes:
    """Return the plain content of an encrypted file.

    Args:
        gpg: Runs gpg.
        encrypted: Its content, or a descriptor that is open for reading.
        path: Its name, for messages.

    Raises:
        StoreUnavailable: gpg failed; the cause says why.
    """
    outcome = gpg.run(["--quiet", "--decrypt"], encrypted)
    if not _is_decrypted(outcome) and _may_ask_again(outcome, gpg):
        if isinstance(encrypted, int):
            os.lseek(encrypted, 0, os.SEEK_SET)
        outcome = gpg.run(["--decrypt"], encrypted)
    if not _is_decrypted(outcome):
        from credhelpers.stores.password_store import gpg_failure

        raise gpg_failure.of_decryption(outcome, path, gpg)
    return outcome.output


def encrypt(gpg: "Gpg", content: bytes, recipients: list[str], another: str) -> bytes:
    """Return a content encrypted so that each recipient can decrypt it.

    Args:
        gpg: Runs gpg.
        content: What to encrypt.
        recipients: Keys as the user names them: fingerprints, key ids or e-mail addresses.
        another: How to use another key, for messages.

    Raises:
        StoreUnavailable: gpg failed; the cause says why.
    """
    outcome = gpg.run([*(f"--recipient={key}" for key in recipients), "--encrypt"], content)
    if outcome.exit_status != 0 or not outcome.output:
        from credhelpers.stores.password_store import gpg_failure

        raise gpg_failure.of_encryption(outcome, another, gpg)
    return outcome.output


def _is_decrypted(outcome: "Outcome") -> bool:
    return outcome.exit_status == 0 and has_status(outcome, "DECRYPTION_OKAY")


def _may_ask_again(outcome: "Outcome", gpg: "Gpg") -> bool:
    """Return whether to run gpg once more for its messages: not where a user would see a second prompt.

    ``--quiet`` saves a seventh of gpg's time, and hides why gpg could not use a key.
    """
    prompted = has_status(outcome, "PINENTRY_LAUNCHED") and gpg.is_attended
    return outcome.exit_status is not None and not prompted
