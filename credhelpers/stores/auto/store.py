"""docker-credential-auto's store: it passes each request to the helper that keeps the server's credential."""

import os
import sys

from credhelpers.credential import Credential, CredentialError, CredentialsNotFound, StoreUnavailable
from credhelpers.log import warn
from credhelpers.servers import HUB_KEY, candidate_keys, split_scheme
from credhelpers.stores.auto.routes import Routes, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.config import Settings
    from credhelpers.log import Log
    from credhelpers.store import Helper, Store

_STARTED_BY = "CREDHELPERS_AUTO"  # names this process to the helpers that it starts
_CORRECT = "correct auto.default or auto.route in the configuration"


class AutoStore:
    """Every other store behind one name.

    Args:
        environ: The client's environment.
        settings: The routes, the default, and how long another helper may take.
        log: Gets the decisions, and the stores that could not be listed.
        built_in: The helpers that are asked without starting a process, by name.

    Raises:
        StoreUnavailable: This process was started by a helper that auto has started.
    """

    def __init__(
        self, environ: "Mapping[str, str]", settings: "Settings", log: "Log", built_in: "Mapping[str, Helper]"
    ) -> None:
        self._environ = environ
        self._settings = settings
        self._log = log
        self._built_in = built_in
        self._opened: dict[str, Store] = {}
        self._configured = settings.text("auto.default")
        self._issuers = {name: helper.serves for name, helper in built_in.items() if helper.serves}
        self._routes = Routes(settings, self._issuers, self._is_installed, self._default)
        mark = environ.get(_STARTED_BY)
        if mark:
            from credhelpers.stores.auto import reentry

            if reentry.is_ancestor(mark):
                cause = "docker-credential-auto was started by a helper that it had started itself"
                raise StoreUnavailable(cause, _CORRECT)

    def target(self, server: str) -> Target:
        """Return the helper for a server."""
        return self._routes.target(server)

    def get(self, server: str) -> Credential:
        """Return the credential from the server's store.

        Raises:
            CredentialsNotFound: It has none; or the user did not name the store, and it is a cloud's helper
                that failed, or there is no store on this machine; then the cause says so.
            StoreUnavailable: It failed.
        """
        target = self._target(server)
        try:
            return self._look_up(target)
        except StoreUnavailable as error:
            if target.reason == "cloud" or isinstance(error, _NoStore):
                raise CredentialsNotFound(error.cause, error.remedy) from None
            raise

    def store(self, server: str, credential: Credential) -> None:
        """Store a credential in the server's store.

        Raises:
            CredentialError: The store refuses it.
        """
        target = self._target(server)
        self._open(target.helper).store(target.key, credential)

    def erase(self, server: str) -> None:
        """Erase the credential from the server's store.

        Raises:
            StoreUnavailable: It failed.
        """
        target = self._target(server)
        try:
            self._open(target.helper).erase(target.key)
        except _NoStore:
            return  # there is nothing to erase

    def list(self) -> dict[str, str]:
        """Return the username of each server that `get` would look up in the store that lists it.

        The stores are the default, those of the routes, and the issuers of tokens; the helpers of clouds are
        not asked unless a route names them, as each would list all hosts of its cloud. Of a store that fails
        only its own entries are missing.
        """
        usernames: dict[str, str] = {}
        for helper in dict.fromkeys([self._default(), *self._routes.helpers, *self._issuers]):
            try:
                entries = self._open(helper).list()
            except _NoStore:
                continue
            except CredentialError as error:
                self._log.error("Cannot list", helper=helper, error=error.cause, remedy=error.remedy)
                warn(f"docker-credential-auto: {error.cause}")
                continue
            for key, username in entries.items():
                for name in self._routes.names(helper, key):
                    usernames[name] = username
        return usernames

    def _target(self, server: str) -> Target:
        target = self._routes.target(server)
        self._log.debug(
            "Chose a store", serverURL=server, helper=target.helper, by=target.match or target.reason
        )
        return target

    def _default(self) -> str:
        if not self._configured:
            from credhelpers.stores.password_store.store import NoHomeDirectory, PasswordStore

            try:
                self._configured = "pass" if PasswordStore(self._environ).is_initialised() else "keyring"
            except NoHomeDirectory:
                self._configured = "keyring"
            except StoreUnavailable:
                self._configured = "pass"  # it exists, and will say itself why it cannot be read
        return self._configured

    def _open(self, helper: str) -> "Store":
        if helper not in self._opened:
            is_ours = helper in self._built_in
            self._opened[helper] = self._open_built_in(helper) if is_ours else self._open_external(helper)
        return self._opened[helper]

    def _open_built_in(self, helper: str) -> "Store":
        try:
            return self._built_in[helper].open(self._environ, self._settings, self._log)
        except StoreUnavailable as error:
            is_guess = helper == "keyring" and not self._settings.text("auto.default")
            if not is_guess or helper in self._routes.helpers or not _is_missing(error):
                raise
            raise _NoStore(
                f"no password store is initialised, and there is no OS keyring: {error.cause}",
                "initialise a password store: credhelpers init pass",
            ) from None

    def _open_external(self, helper: str) -> "Store":
        from credhelpers.stores.auto import reentry
        from credhelpers.stores.auto.external import PREFIX, ExternalStore, find_helper

        executable = find_helper(helper, self._environ)
        if executable is None:
            raise StoreUnavailable(f"{PREFIX}{helper} is not on PATH", f"install it, or {_CORRECT}")
        if _is_ourselves(executable):
            raise StoreUnavailable(f"{executable} is docker-credential-auto itself", _CORRECT)
        environ = {**self._environ, _STARTED_BY: reentry.mark()}
        return ExternalStore(executable, environ, self._settings.number("auto.helper_seconds"))

    def _is_installed(self, helper: str) -> bool:
        from credhelpers.stores.auto.external import find_helper

        return find_helper(helper, self._environ) is not None

    def _look_up(self, target: Target) -> Credential:
        """Ask for the key, and a helper of another project also for the key that docker stores."""
        store = self._open(target.helper)
        try:
            return store.get(target.key)
        except CredentialsNotFound:
            other = _as_docker_stores(target.key)
            if target.helper in self._built_in or other == target.key:
                raise
        return store.get(other)


class _NoStore(StoreUnavailable):
    """The user did not name a default store, and this machine has none."""


def _as_docker_stores(server: str) -> str:
    """Return the key that ``docker login`` makes: Docker Hub's one key, else the host."""
    keys = candidate_keys(server)
    host = split_scheme(server)[1].partition("/")[0]
    return HUB_KEY if HUB_KEY in keys else host if host in keys else server


def _is_missing(error: StoreUnavailable) -> bool:
    """Return whether there is no keyring at all, rather than one that is locked or broken."""
    from credhelpers.stores.os_keyring.bus import NoService

    return isinstance(error, NoService)


def _is_ourselves(executable: str) -> bool:
    try:
        return os.path.samefile(executable, sys.argv[0])
    except OSError:
        return False
