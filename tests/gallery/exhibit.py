"""One failure of the gallery, from the pull that fails to the pull that works."""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.conformance.canary import CANARY
from tests.integration.doctor import Finding, Patient, Report
from tests.remedies.mending import Shell
from tests.support.tools import require

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
        then: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> Patient:
        """Go through the failure that has been staged.

        Args:
            user: Who has it.
            arguments: Those of `credhelpers doctor`, such as the server.
            works: The look-up or pull that has to work in the end.
            breaks: Whether it fails now; else the fault is one that is unsafe, slow or confusing.
            by: A part of the remedy's words, and what does as it says, where no command of the user's can;
                it may return the user as changed.
            then: How the second command of the remedy is carried out, where it has to follow the first.
            how: How the remedy is carried out; see `Shell.carry_out`.

        Returns:
            The user with the environment that the remedy has left.
        """
        assert works(user) is not breaks, "the staged failure does not fail" if breaks else "it fails"
        finding = self._named(user.doctor(*arguments))
        if by is None:
            for each in (how, {"way": 1, **then}) if then is not None else (how,):
                user = replace(user, env=self._shell(finding.remedy, user.env, **each).env)
        else:
            assert by[0] in finding.remedy, finding
            changed = by[1]()
            user = changed if isinstance(changed, Patient) else user
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


def docker_is_let_in(registry: str) -> Works:
    """Return the look-up that Docker's CLI makes by its config.json, at a real registry and without dockerd.

    It asks for an image that is not there, and only a user of the registry is told so.
    """
    docker = require("docker", "docker.io")

    def works(user: Patient) -> bool:
        done = subprocess.run(
            [docker, "manifest", "inspect", "--insecure", f"{registry}/team/absent:1"],
            env=user.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
        user.seen.extend((done.stdout, done.stderr))
        return b"no such manifest" in done.stderr

    return works


def keeps(helper: str, server: str) -> Works:
    """Return the login of a client: the credential is stored, and can be looked up."""

    def works(user: Patient) -> bool:
        return user.on_path(helper).store(server, "ada", CANARY).code == 0 and gets(helper, server)(user)

    return works


def gets(helper: str, server: str, secret: str = CANARY) -> Works:
    """Return the look-up that a client makes with a helper on the user's PATH."""

    def works(user: Patient) -> bool:
        answer = user.on_path(helper).get(server)
        return answer.code == 0 and answer.credentials().secret == secret

    return works
