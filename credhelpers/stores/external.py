"""Any other ``docker-credential-<name>`` as a store: started within bounds, its answers understood."""

import os

from credhelpers import process, settings
from credhelpers.credential import NOT_FOUND, Credential, CredentialsNotFound, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from credhelpers.process import Hear, Outcome

PREFIX = "docker-credential-"
"""What the name of every helper's executable begins with (docker/cli, credential-helpers)."""

_LARGEST = 4 << 20  # bytes of an answer
_LONGEST_CAUSE = 500  # characters
_NOT_IMPLEMENTED = "not implemented"  # what helpers that keep nothing say of the verbs that change something


def find_helper(name: str, environ: "Mapping[str, str]") -> str | None:
    """Return the absolute path of ``docker-credential-<name>``, or None.

    Relative and empty entries of ``PATH`` are passed over, as is a name that leads out of a directory.
    """
    return None if not name or "/" in name else process.find((PREFIX + name,), environ)


class ExternalStore:
    """Somebody else's helper.

    Args:
        executable: Its absolute path.
        environ: The environment to run it in.
        seconds: How long it may take; then it is killed, with all that it has started.
        hear: Is given what it writes to standard error, as it comes; else that goes to our own.
    """

    def __init__(
        self, executable: str, environ: "Mapping[str, str]", seconds: float, hear: "Hear | None" = None
    ) -> None:
        self.name = os.path.basename(executable)
        self._executable = executable
        home = settings.home_directory(environ)
        self._environ = environ if environ.get("HOME") or not home else {**environ, "HOME": home}
        self._seconds = seconds
        self._hear = hear or _pass_on

    def get(self, server: str) -> Credential:
        """Return the credential for exactly this server.

        Raises:
            CredentialsNotFound: It says so, or answers with neither a username nor a secret.
            StoreUnavailable: It failed; the cause has its name and its words.
        """
        outcome = self._run("get", server.encode())
        if outcome.exit_status:
            self._fail("get", outcome)
        answer = self._read("get", outcome.output)
        username, secret = answer.get("Username", ""), answer.get("Secret", "")
        if not isinstance(username, str) or not isinstance(secret, str):
            self._complain("get")
        if not username and not secret:
            raise CredentialsNotFound
        return Credential(username, secret)

    def store(self, server: str, credential: Credential) -> None:
        """Give it a credential to keep.

        Raises:
            StoreUnavailable: It failed, or keeps nothing.
        """
        import json

        fields = {"ServerURL": server, "Username": credential.username, "Secret": credential.secret}
        outcome = self._run("store", json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())
        if outcome.exit_status:
            self._fail("store", outcome, credential.secret)

    def erase(self, server: str) -> None:
        """Let it forget what it keeps for exactly this server; one that keeps nothing has done so.

        Raises:
            StoreUnavailable: It failed.
        """
        outcome = self._run("erase", server.encode())
        if outcome.exit_status and _sentence(outcome) != _NOT_IMPLEMENTED and not _says_not_found(outcome):
            self._fail("erase", outcome)

    def list(self) -> dict[str, str]:
        """Return the username of each server that it names; one that cannot list names none.

        Raises:
            StoreUnavailable: It failed.
        """
        outcome = self._run("list", b"unused")  # as docker does; some wait for it
        if outcome.exit_status:
            if _sentence(outcome) == _NOT_IMPLEMENTED or _says_not_found(outcome):
                return {}
            self._fail("list", outcome)
        usernames: dict[str, str] = {}
        for server, username in self._read("list", outcome.output).items():
            if not isinstance(username, str):
                self._complain("list")
            usernames[server] = username
        return usernames

    def _run(self, verb: str, given: bytes) -> "Outcome":
        command = [self._executable, verb]
        try:
            outcome = process.run(
                command, self._environ, given, self._seconds, _LARGEST, apart=True, hear=self._hear
            )
        except OSError as error:
            raise StoreUnavailable(
                f"cannot start {self._executable}: {error.strerror}",
                "install it again, or name another helper",
            ) from None
        if outcome.exit_status is None:
            if max(len(outcome.output), len(outcome.errors)) > _LARGEST:
                raise StoreUnavailable(f"{self.name} was stopped: it wrote more than {_LARGEST} bytes")
            raise StoreUnavailable(
                f"{self.name} did not answer within {self._seconds:g} s and was stopped",
                f"see why: {self._executable} {verb}; if it only is slow, raise auto.helper_seconds",
            )
        return outcome

    def _fail(self, verb: str, outcome: "Outcome", secret: str = "") -> "NoReturn":
        """Raise what an exit status other than 0 means; a secret that it repeats is left out."""
        if _says_not_found(outcome):
            raise CredentialsNotFound
        status = outcome.exit_status or 0
        what = f"was killed by signal {-status}" if status < 0 else f"failed with exit status {status}"
        said = _sentence(outcome) or _last_line(outcome.errors)
        if said.startswith("{"):
            said = ""  # it may be a credential
        if secret:
            said = said.replace(secret, "...")
        if status < 0 or not said:
            raise StoreUnavailable(
                f"{self.name} {what}" + (f": {said}" if said else ""), f"see why: {self._executable} {verb}"
            )
        raise StoreUnavailable(f"{self.name}: {said}")

    def _read(self, verb: str, output: bytes) -> dict[str, object]:
        import json

        try:
            answer = json.loads(output) if output.strip() else {}
        except (ValueError, RecursionError):
            self._complain(verb)
        if answer is None:  # Go's way to write a map that nobody made
            answer = {}
        if not isinstance(answer, dict):
            self._complain(verb)
        return answer

    def _complain(self, verb: str) -> "NoReturn":
        """Say that an answer makes no sense, and nothing of what it was: that may be a secret."""
        raise StoreUnavailable(
            f"{self.name} {verb} gave an answer that no credential helper gives",
            f"see it: {self._executable} {verb}",
        )


def _says_not_found(outcome: "Outcome") -> bool:
    return NOT_FOUND in _sentence(outcome)


def _sentence(outcome: "Outcome") -> str:
    """Return the error that stands on standard output, where the protocol has it, on one line."""
    return " ".join(outcome.output[: 4 * _LONGEST_CAUSE].decode(errors="replace").split())[:_LONGEST_CAUSE]


def _last_line(text: bytes) -> str:
    lines = text[-4 * _LONGEST_CAUSE :].decode(errors="replace").strip().splitlines()
    return lines[-1].strip()[:_LONGEST_CAUSE] if lines else ""


def _pass_on(messages: bytes) -> None:
    """Write a helper's messages where our own go."""
    rest = memoryview(messages)
    try:
        while rest:
            rest = rest[os.write(2, rest) :]
    except OSError:
        return  # nobody reads them; the cause is in the answer and in the log
