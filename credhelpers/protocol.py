"""Docker's credential-helper protocol: verbs, sentences and exit statuses; independent of the stores.

The contract is that of docker-credential-helpers (credentials/credentials.go): the answer on stdout, exit
status 0; or one sentence on stdout, exit status 1. Clients show stderr to the user, so the cause and its
remedy go there.
"""

import os
import sys

from credhelpers import __version__, config, core_files, paths, wire
from credhelpers.config import Settings
from credhelpers.credential import NOT_FOUND, REPORT, Credential, CredentialError, CredentialsNotFound
from credhelpers.log import Log, one_line, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.store import OpenStore, Store

_VERBS = ("store", "get", "erase", "list", "version")


def serve(name: str, open_store: "OpenStore", environ: "Mapping[str, str]") -> int:
    """Answer the one request that the command line and stdin make.

    Args:
        name: The helper's name; the executable is ``docker-credential-<name>``.
        open_store: Makes the store; called only for a valid request.
        environ: The client's environment.

    Returns:
        The exit status.
    """
    wire.occupy_standard_descriptors()
    verb = sys.argv[1] if len(sys.argv) == 2 else ""
    return _Request(name, verb, open_store, environ).serve()


class _Request:
    """One run of a helper: the request, and how its errors are reported."""

    def __init__(self, name: str, verb: str, open_store: "OpenStore", environ: "Mapping[str, str]") -> None:
        self._executable = "docker-credential-" + name
        self._verb = verb
        self._open_store = open_store
        self._environ = environ
        self._server = ""
        self._settings = Settings({})
        self._log = Log(name, paths.state_directory(environ), self._settings)

    def serve(self) -> int:
        try:
            if self._verb in _VERBS[:4]:
                self._read_settings()
                self._perform()
                return 0
            return self._describe()
        except CredentialsNotFound as missing:
            return self._report_not_found(missing)
        except CredentialError as error:
            message = f"Could not {self._verb} credentials"
            self._log.error(message, serverURL=self._server, error=error.cause, remedy=error.remedy)
            self._report(error)
            return _sentence(error.cause)
        except KeyboardInterrupt:
            return 130
        except Exception as error:  # noqa: BLE001  the executable's edge: the user never sees a traceback
            return self._report_unexpected(error)

    def _read_settings(self) -> None:
        self._settings = config.load(self._environ)
        self._log.adopt(self._settings)

    def _perform(self) -> None:
        if self._verb in ("get", "store"):
            core_files.forbid()
        if self._verb == "get":
            self._server = wire.read_server()
            credential = self._store().get(self._server)
            wire.check_answer(credential)
            self._log.debug("Found credentials", serverURL=self._server, username=credential.username)
            wire.write_answer(wire.credential_json(self._server, credential))
        elif self._verb == "store":
            self._server, credential = wire.read_credential()
            self._store().store(self._server, credential)
            self._log.info("Stored credentials", serverURL=self._server, username=credential.username)
        elif self._verb == "erase":
            self._server = wire.read_server()
            self._store().erase(self._server)
            self._log.info("Erased credentials", serverURL=self._server)
        else:
            wire.write_answer(wire.list_json(self._store().list()))

    def _store(self) -> "Store":
        return self._open_store(self._environ, self._settings, self._log)

    def _describe(self) -> int:
        usage = f"Usage: {self._executable} <{'|'.join(_VERBS)}>"
        if self._verb in ("version", "--version", "-v"):
            wire.write_answer(f"{self._executable} (credhelpers) {__version__}")
            return 0
        if self._verb in ("help", "--help", "-h"):
            wire.write_answer(usage)
            return 0
        unknown = f"{self._executable}: unknown action: {one_line(self._verb)}"
        wire.write_answer(unknown if self._verb else usage)
        return 1

    def _report(self, error: CredentialError) -> None:
        warn(f"{self._executable}: {error.cause}")
        if error.remedy:
            warn(f"{self._executable}: {error.remedy}")

    def _report_not_found(self, missing: CredentialsNotFound) -> int:
        anonymous = missing.anonymous and self._settings.text("not_found") == "empty"
        if missing.cause:
            self._log.error(
                "Credentials not found", serverURL=self._server, error=missing.cause, remedy=missing.remedy
            )
            self._report(missing)
        else:
            self._log.info("Credentials not found", serverURL=self._server)
            # At a terminal this would only disturb pulls of public images; Nomad shows nothing but stderr.
            if not anonymous and not os.isatty(2):
                warn(f"{self._executable}: no credentials are stored for {self._server}")
        if anonymous:
            return _sentence(wire.credential_json(self._server, Credential("", "")), status=0)
        return _sentence(NOT_FOUND)

    def _report_unexpected(self, error: Exception) -> int:
        """Report a bug by its kind and place only: its text may contain a secret."""
        trace = error.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"
        cause = f"internal error: {type(error).__name__} at {place}"
        self._log.error("Internal error", error=cause)
        self._report(CredentialError(cause, REPORT))
        return _sentence(cause)


def _sentence(text: str, status: int = 1) -> int:
    """Write the error to stdout, where clients expect it."""
    try:
        wire.write_answer(text if status == 0 else one_line(text))
    except CredentialError:
        return 1
    return status
