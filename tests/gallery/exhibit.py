"""One failure of the gallery, from the pull that fails to the pull that works."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.conformance.canary import CANARY
from tests.integration.doctor import Finding, Patient, Report
from tests.remedies.mending import Shell

Works = Callable[[Patient], bool]
"""Makes a real look-up or pull as a user, and returns whether it worked."""


class Exhibit:
    """Goes through one failure.

    Args:
        id: Which finding has to name it.
        shell: What carries out the remedy.

    Attributes:
        done: Whether it went all the way.
    """

    def __init__(self, id: str, shell: Shell) -> None:  # noqa: A002  the word of the JSON report
        self.id = id
        self.done = False
        self._shell = shell

    def __call__(
        self,
        user: Patient,
        *arguments: str,
        works: Works,
        breaks: bool = True,
        by: tuple[str, Callable[[], object]] | None = None,
        **how: Any,
    ) -> Patient:
        """Go through the failure that has been staged.

        Args:
            user: Who has it.
            arguments: Those of `credhelpers doctor`, such as the server.
            works: The look-up or pull that has to work in the end.
            breaks: Whether it fails now; else the fault is one that is unsafe, slow or confusing.
            by: A part of the remedy's words, and what does as it says, where no command of the user's can.
            how: How the remedy is carried out; see `Shell.carry_out`.

        Returns:
            The user with the environment that the remedy has left.
        """
        assert works(user) is not breaks, "the staged failure does not fail" if breaks else "it fails"
        finding = self._named(user.doctor(*arguments))
        if by is None:
            user = replace(user, env=self._shell.carry_out(finding.remedy, user.env, **how).env)
        else:
            assert by[0] in finding.remedy, finding
            by[1]()
        report = user.doctor(*arguments)
        left = [found for found in report.findings if found.state == "fail" or found.id == self.id]
        assert not left, f"after {finding.remedy}: {left}"
        assert works(user), f"after {finding.remedy}, doctor is green, and it still does not work"
        user.assert_no_secret_was_shown()
        self.done = True
        return user

    def _named(self, report: Report) -> Finding:
        found = [finding for finding in report.findings if finding.id == self.id]
        assert found, f"doctor does not name {self.id}: {[f for f in report.findings if f.state != 'ok']}"
        return found[0]


def gets(helper: str, server: str, secret: str = CANARY) -> Works:
    """Return the look-up that a client makes with a helper on the user's PATH."""

    def works(user: Patient) -> bool:
        answer = user.on_path(helper).get(server)
        return answer.found and answer.credentials().secret == secret

    return works
