"""doctor's checks of the OS keyring: a bus, a service on it, and an unlocked collection to store in."""

from collections.abc import Mapping

from credhelpers.credential import StoreUnavailable
from credhelpers.finding import Finding, fail, failed, ok, warn

_BUS, _SERVICE = "session bus", "keyring service"
_COLLECTION, _BACKEND = "keyring collection", "keyring backend"


def check_keyring(environ: Mapping[str, str]) -> list[Finding]:
    """Look at the keyring that docker-credential-keyring uses; this neither prompts nor stores anything."""
    from credhelpers.stores.os_keyring import names_another_backend, open_keyring
    from credhelpers.stores.os_keyring.secret_service import SecretServiceStore

    try:
        names_another = names_another_backend(environ)
    except StoreUnavailable as error:
        return [failed(_BACKEND, error)]
    try:
        store = open_keyring(environ)
    except StoreUnavailable as error:
        return [failed(_BACKEND, error)] if names_another else _without_store(environ, error)
    if not isinstance(store, SecretServiceStore):
        return [ok(_BACKEND, "a backend of the keyring package is used, not the Secret Service")]
    store.close()
    return _secret_service(environ)


def _without_store(environ: Mapping[str, str], error: StoreUnavailable) -> list[Finding]:
    """Return whether the bus is missing, or only the keyring on it."""
    from credhelpers.stores.os_keyring.bus import SessionBus

    try:
        SessionBus(environ, "org.freedesktop.secrets").close()
    except StoreUnavailable as missing:
        return [failed(_BUS, missing)]
    return [ok(_BUS, "the D-Bus session bus answers"), failed(_SERVICE, error)]


def _secret_service(environ: Mapping[str, str]) -> list[Finding]:
    from credhelpers.stores.os_keyring.service import CREATE, UNLOCK, SecretService

    found = [ok(_BUS, "the D-Bus session bus answers")]
    try:
        service = SecretService(environ)
        found.append(ok(_SERVICE, "the Secret Service answers"))
        collection = service.default_collection()
        locked = collection is not None and service.is_locked(collection)
        service.bus.close()
    except StoreUnavailable as error:
        return [*found, failed(_SERVICE, error)]
    if collection is None:
        return [*found, fail(_COLLECTION, "none", "there is no default collection to store in", CREATE)]
    if not locked:
        return [*found, ok(_COLLECTION, "the default collection is unlocked")]
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        text = "the default collection is locked; the desktop will ask for its password"
        return [*found, warn(_COLLECTION, "locked", text, UNLOCK)]
    text = "the default collection is locked, and there is no display to ask for its password on"
    return [*found, fail(_COLLECTION, "locked", text, UNLOCK)]
