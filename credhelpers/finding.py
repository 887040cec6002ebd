"""What one check has found: good, doubtful or broken, in one line, with what mends it in another."""

from dataclasses import dataclass

from credhelpers.credential import CredentialError

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        check: What was looked at, as docs/doctor.md names it.
        state: ``ok``; ``warn`` for what Docker gets along with; ``fail`` for what it does not, or should not.
        text: What was found; never a secret.
        remedy: The command that mends it, or what to do; empty when there is nothing to mend.
    """

    check: str
    state: str
    text: str
    remedy: str = ""


def ok(check: str, text: str) -> Finding:
    """Return what is as it should be."""
    return Finding(check, OK, text)


def warn(check: str, text: str, remedy: str = "") -> Finding:
    """Return what Docker gets along with, and the user may not want."""
    return Finding(check, WARN, text, remedy)


def fail(check: str, text: str, remedy: str = "") -> Finding:
    """Return what keeps a credential from Docker, or gives it to somebody else."""
    return Finding(check, FAIL, text, remedy)


def failed(check: str, error: CredentialError) -> Finding:
    """Return an error as what a check has found."""
    return Finding(check, FAIL, error.cause, error.remedy)
