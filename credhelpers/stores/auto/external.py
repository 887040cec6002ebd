"""Any other ``docker-credential-<name>`` as a store: run within bounds, its answers checked."""

import codecs
import os

from credhelpers import files, paths, process
from credhelpers.credential import NOT_FOUND, Credential, CredentialsNotFound, StoreUnavailable
from credhelpers.log import without_controls
from credhelpers.servers import flaw
from credhelpers.stores.listing import listable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from credhelpers.process import OnStderr, Outcome

PREFIX = "docker-credential-"
"""What the name of every helper's executable begins with (docker/cli, credential-helpers)."""

_LARGEST = 4 << 20  # bytes of an answer
_LONGEST_CAUSE = 500  # characters
_MOST_MESSAGES = 1 << 16  # characters that are passed on to stderr
_NOT_IMPLEMENTED = "not implemented"  # what helpers that store nothing answer to store and erase


def find_helper(name: str, environ: "Mapping[str, str]") -> str | None:
    """Return the absolute path of ``docker-credential-<name>``, or None.

    Relative and empty entries of ``PATH`` are skipped; a name with a slash is not found.
    """
    return None if not name or "/" in name else process.find((PREFIX + name,), environ)


class ExternalStore:
    """A helper of another project.

    Args:
        executable: Its absolute path.
        environ: The environment to run it in.
        seconds: How long it may take; then it is killed, with all processes that it has started.
        on_stderr: Called with its stderr as it comes; without it that goes to our own stderr.
    """

    def __init__(
        self,
        executable: str,
        environ: "Mapping[str, str]",
        seconds: float,
        on_stderr: "OnStderr | None" = None,
    ) -> None:
        self.name = os.path.basename(executable)
        self.executable = executable
        home = paths.home_directory(environ)
        self._environ = environ if environ.get("HOME") or not home else {**environ, "HOME": home}
        self._seconds = seconds
        self._on_stderr = on_stderr

    def get(self, server: str) -> Credential:
        """Return the credential for exactly this server.

        Raises:
            CredentialsNotFound: It says so, or its answer has neither a username nor a secret.
            StoreUnavailable: It failed; the cause has its name and its message.
        """
        outcome = self._run("get", server.encode())
        if outcome.exit_status:
            self._fail("get", outcome)
        answer = self._read("get", outcome.output)
        username, secret = answer.get("Username", ""), answer.get("Secret", "")
        if not isinstance(username, str) or not isinstance(secret, str) or _is_invalid(username, secret):
            self._complain("get")
        if not username and not secret:
            raise CredentialsNotFound
        return Credential(username, secret)

    def store(self, server: str, credential: Credential) -> None:
        """Let it store a credential.

        Raises:
            StoreUnavailable: It failed, or does not store anything.
        """
        import json

        fields = {"ServerURL": server, "Username": credential.username, "Secret": credential.secret}
        outcome = self._run("store", json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())
        if outcome.exit_status:
            self._fail("store", outcome, credential.secret)

    def erase(self, server: str) -> None:
        """Let it erase the credential of exactly this server; a helper that stores nothing succeeds.

        Raises:
            StoreUnavailable: It failed.
        """
        outcome = self._run("erase", server.encode())
        if outcome.exit_status and _sentence(outcome) != _NOT_IMPLEMENTED and not _says_not_found(outcome):
            self._fail("erase", outcome)

    def list(self) -> dict[str, str]:
        """Return the username of each server that it lists; none if it cannot list.

        An invalid entry is left out and named on standard error.

        Raises:
            StoreUnavailable: It failed.
        """
        outcome = self._run("list", b"unused")  # as docker does; some wait for it
        if outcome.exit_status:
            if _sentence(outcome) == _NOT_IMPLEMENTED or _says_not_found(outcome):
                return {}
            self._fail("list", outcome)
        return listable(self._read("list", outcome.output).items(), self.name)

    def _run(self, verb: str, stdin: bytes) -> "Outcome":
        command = [self.executable, verb]
        on_stderr = self._on_stderr or _Echo(self.name)
        try:
            outcome = process.run(
                command, self._environ, stdin, self._seconds, _LARGEST, new_session=True, on_stderr=on_stderr
            )
        except OSError as error:
            raise StoreUnavailable(
                f"cannot start {self.executable}: {error.strerror}",
                "install it again, or use another helper",
            ) from None
        if outcome.exit_status is None:
            if max(len(outcome.output), len(outcome.errors)) > _LARGEST:
                raise StoreUnavailable(f"{self.name} was stopped: it wrote more than {_LARGEST} bytes")
            raise StoreUnavailable(
                f"{self.name} did not answer within {self._seconds:g} s and was stopped",
                f"see why: {self.executable} {verb}; if it is only slow, raise auto.helper_seconds",
            )
        return outcome

    def _fail(self, verb: str, outcome: "Outcome", secret: str = "") -> "NoReturn":
        """Raise the error for an exit status other than 0, without the secret if the helper repeats it."""
        if _says_not_found(outcome):
            raise CredentialsNotFound
        status = outcome.exit_status or 0
        what = f"was killed by signal {-status}" if status < 0 else f"failed with exit status {status}"
        if secret:
            outcome = _without(outcome, secret)
        said = without_controls(_sentence(outcome) or _last_line(outcome.errors))
        if said.startswith("{"):
            said = ""  # it may be a credential
        if status < 0 or not said:
            raise StoreUnavailable(
                f"{self.name} {what}" + (f": {said}" if said else ""), f"see why: {self.executable} {verb}"
            )
        raise StoreUnavailable(f"{self.name}: {said}")

    def _read(self, verb: str, output: bytes) -> dict[str, object]:
        import json

        try:
            answer = json.loads(output) if output.strip() else {}
        except (ValueError, RecursionError):
            self._complain(verb)
        if answer is None:  # how Go writes a map that was never made
            answer = {}
        if not isinstance(answer, dict):
            self._complain(verb)
        return answer

    def _complain(self, verb: str) -> "NoReturn":
        """Raise the error for an invalid answer, without its text: that may be a secret."""
        raise StoreUnavailable(
            f"{self.name} {verb}: the answer is not valid for a credential helper",
            f"see it: {self.executable} {verb}",
        )


def _says_not_found(outcome: "Outcome") -> bool:
    return NOT_FOUND in _sentence(outcome)


def _without(outcome: "Outcome", secret: str) -> "Outcome":
    """Return an outcome without the secret; to be called before the text is shortened or reformatted."""
    output, errors = (text.replace(secret.encode(), b"...") for text in (outcome.output, outcome.errors))
    return process.Outcome(outcome.exit_status, output, errors, outcome.status)


def _sentence(outcome: "Outcome") -> str:
    """Return the error on stdout, where the protocol puts it, in one line."""
    return " ".join(outcome.output[: 4 * _LONGEST_CAUSE].decode(errors="replace").split())[:_LONGEST_CAUSE]


def _last_line(text: bytes) -> str:
    lines = text[-4 * _LONGEST_CAUSE :].decode(errors="replace").strip().splitlines()
    return lines[-1].strip()[:_LONGEST_CAUSE] if lines else ""


def _is_invalid(username: str, secret: str) -> bool:
    """Return whether one of them could not be passed on to a client."""
    try:
        secret.encode()
    except UnicodeEncodeError:
        return True
    return bool(flaw(username))


class _Echo:
    """Writes a helper's messages to our stderr as they come, with control characters escaped.

    Args:
        name: The helper's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._left = _MOST_MESSAGES

    def __call__(self, messages: bytes) -> None:
        if self._left <= 0:
            return
        text = self._decoder.decode(messages)
        shown = without_controls(text.replace("\r\n", "\n"))[: self._left]
        self._left -= len(shown)
        if self._left <= 0:
            shown += f"\n{self._name}: the rest of its messages is left out\n"
        try:
            files.write_all(2, shown.encode("utf-8", "backslashreplace"))
        except OSError:
            return  # stderr is closed; the cause is in the answer and in the log
