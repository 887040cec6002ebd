"""The table of helpers, from which executables, auto, commands, completion and packaging take the names."""

from credhelpers.store import Helper, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.config import Settings
    from credhelpers.finding import Finding
    from credhelpers.log import Log
    from credhelpers.store import Store

# Every import is inside a function, so that a helper loads only what it needs.


def _open_password_store(environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> "Store":
    del settings, log
    from credhelpers.stores.password_store.store import PasswordStore

    return PasswordStore(environ)


def _check_password_store(environ: "Mapping[str, str]") -> "list[Finding]":
    from credhelpers.stores.password_store.checks import check_password_store

    return check_password_store(environ)


def _open_keyring(environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> "Store":
    del settings, log
    from credhelpers.stores.os_keyring import open_keyring

    return open_keyring(environ)


def _check_keyring(environ: "Mapping[str, str]") -> "list[Finding]":
    from credhelpers.stores.os_keyring.checks import check_keyring

    return check_keyring(environ)


def _open_ecr(environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> "Store":
    from credhelpers.stores.ecr.store import EcrStore

    return EcrStore(environ, settings, log)


def _is_ecr(server: str, settings: "Settings") -> bool:
    from credhelpers.stores.ecr.hosts import registry_for

    return registry_for(server, settings)[0] is not None


def _open_auto(environ: "Mapping[str, str]", settings: "Settings", log: "Log") -> "Store":
    from credhelpers.stores.auto.store import AutoStore

    return AutoStore(environ, settings, log, BUILT_IN)


PASS = Helper(
    "pass",
    "credentials in the password store, encrypted by GnuPG",
    _open_password_store,
    place=Place("password store", _check_password_store, remedy="check what GnuPG waits for, such as a card"),
    init="credhelpers.cli.init.password_store:init_pass",
)
KEYRING = Helper(
    "keyring",
    "credentials in the keyring of the operating system",
    _open_keyring,
    place=Place(
        "OS keyring",
        _check_keyring,
        remedy="check whether the keyring's daemon hangs, and restart it",
        others=("secretservice",),
    ),
    init="credhelpers.cli.init.keyring:init_keyring",
)
ECR = Helper("ecr-login", "tokens for Amazon ECR", _open_ecr, serves=_is_ecr)
AUTO = Helper("auto", "one helper for every registry", _open_auto)

BUILT_IN = {helper.name: helper for helper in (PASS, KEYRING, ECR)}
"""The helpers that auto calls without starting a process, by name."""

HELPERS = {**BUILT_IN, AUTO.name: AUTO}
"""All helpers, by name."""

STORES = tuple(helper.name for helper in HELPERS.values() if helper.serves is None)
"""The names of the helpers that keep the credentials of any registry."""
