"""What one check has found: ok, warn or fail, in one line, with the remedy in another."""

from dataclasses import dataclass

from credhelpers.credential import CredentialError, Fix

OK, WARN, FAIL = "ok", "warn", "fail"

_UNNAMED = "error"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        id: The check and the fault, such as ``config-mode.writable-by-others``; of an ok, the check alone. It
            never changes, so that programs can go by it; docs/findings.md lists all.
        check: What was checked, as docs/doctor.md names it.
        state: ``ok``; ``warn`` when pulls still work; ``fail`` when they do not, or when it is unsafe.
        text: What was found; never a secret.
        remedy: The command that fixes it, or what to do; empty when there is nothing to fix.
    """

    id: str
    check: str
    state: str
    text: str
    remedy: str = ""

    @property
    def fixable(self) -> bool:
        """Whether ``doctor --fix`` may run the remedy."""
        return isinstance(self.remedy, Fix)


def ok(check: str, text: str) -> Finding:
    """Return that a check found nothing wrong."""
    return Finding(slug(check), check, OK, text)


def warn(check: str, fault: str, text: str, remedy: str = "") -> Finding:
    """Return a fault that does not stop Docker."""
    return Finding(f"{slug(check)}.{fault}", check, WARN, text, remedy)


def fail(check: str, fault: str, text: str, remedy: str = "") -> Finding:
    """Return a fault that keeps a credential from Docker, or lets other users have it."""
    return Finding(f"{slug(check)}.{fault}", check, FAIL, text, remedy)


def failed(check: str, error: CredentialError) -> Finding:
    """Return an error as the finding of a check."""
    return fail(check, error.fault or _UNNAMED, error.cause, error.remedy)


def slug(check: str) -> str:
    """Return the name of a check as ids have it."""
    return check.lower().replace(" ", "-").replace(".", "-")
