"""What one check has found: ok, warn or fail, in one line, with the remedy in another."""

from dataclasses import dataclass

from credhelpers.credential import CredentialError

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        check: What was checked, as docs/doctor.md names it.
        state: ``ok``; ``warn`` when pulls still work; ``fail`` when they do not, or when it is unsafe.
        text: What was found; never a secret.
        remedy: The command that fixes it, or what to do; empty when there is nothing to fix.
    """

    check: str
    state: str
    text: str
    remedy: str = ""


def ok(check: str, text: str) -> Finding:
    """Return that a check found nothing wrong."""
    return Finding(check, OK, text)


def warn(check: str, text: str, remedy: str = "") -> Finding:
    """Return a fault that does not stop Docker."""
    return Finding(check, WARN, text, remedy)


def fail(check: str, text: str, remedy: str = "") -> Finding:
    """Return a fault that keeps a credential from Docker, or lets other users have it."""
    return Finding(check, FAIL, text, remedy)


def failed(check: str, error: CredentialError) -> Finding:
    """Return an error as the finding of a check."""
    return Finding(check, FAIL, error.cause, error.remedy)
