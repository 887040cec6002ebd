"""Credentials through keyring's own macOS and Windows backends, over imitations of the system's calls."""

import json
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import pytest
from keyring.backends import fail, null

from credhelpers.credential import Credential, CredentialsNotFound, StoreUnavailable
from credhelpers.stores.os_keyring.backend import BackendStore, open_configured_backend, open_other_backend
from tests.support.os_keyrings import (
    ImitatedCredentialManager,
    ImitatedKeychain,
    imitate_macos,
    imitate_windows,
)

ALICE = Credential("alice", "s3cret")
BOB = Credential("bob", "other")
WINDOWS_LONGEST = 1280
INDEX = "credhelpers: servers and usernames"


class Rated:
    """A third party's backend, with the priority that it gives itself."""

    def __init__(self, priority: float) -> None:
        self.priority = priority
        self.passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.passwords[service, username]

    def get_credential(self, service: str, username: str | None) -> None:
        return None


@pytest.fixture
def keychain(monkeypatch: pytest.MonkeyPatch) -> tuple[BackendStore, ImitatedKeychain]:
    backend, imitation = imitate_macos(monkeypatch)
    return BackendStore(backend, lock=None), imitation


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> tuple[BackendStore, ImitatedCredentialManager]:
    backend, imitation = imitate_windows(monkeypatch)
    return BackendStore(backend, lock=None, longest=WINDOWS_LONGEST), imitation


@pytest.fixture(params=["macos", "windows"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BackendStore:
    if request.param == "macos":
        return BackendStore(imitate_macos(monkeypatch)[0], lock=None)
    return BackendStore(imitate_windows(monkeypatch)[0], lock=None, longest=WINDOWS_LONGEST)


def test_what_is_stored_is_found_listed_and_erased(store: BackendStore) -> None:
    store.store("registry.example:5000", ALICE)
    assert store.get("https://registry.example:5000/team/app") == ALICE
    assert store.list() == {"registry.example:5000": "alice"}
    store.erase("registry.example:5000")
    assert store.list() == {}
    with pytest.raises(CredentialsNotFound):
        store.get("registry.example:5000")


def test_a_new_username_takes_the_place_of_the_older_one(store: BackendStore) -> None:
    store.store("registry.example", ALICE)
    store.store("registry.example", BOB)
    assert store.get("registry.example") == BOB
    assert store.list() == {"registry.example": "bob"}
    store.erase("registry.example")
    with pytest.raises(CredentialsNotFound):
        store.get("registry.example")


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "x" * 1280,
        "x" * 1281,
        "x" * 100_000,
        "🔑" * 5_000,
        "a" + "🔑" * 5_000,
        "credhelpers-parts:3:0",
        "a\nb\n",
    ],
    ids=["empty", "longest", "one more", "long", "wide", "uneven", "like a head", "lines"],
)
def test_secrets_of_any_length_survive_and_leave_nothing_behind(
    manager: tuple[BackendStore, ImitatedCredentialManager], secret: str
) -> None:
    store, imitation = manager
    store.store("registry.example", Credential("alice", secret))
    assert store.get("registry.example").secret == secret
    store.store("registry.example", ALICE)
    assert store.get("registry.example") == ALICE
    assert not any("#" in target for target in imitation.credentials), "parts of the old secret"
    store.store("registry.example", Credential("alice", secret))
    store.erase("registry.example")
    assert imitation.credentials == {}


def test_an_index_longer_than_windows_takes_is_kept_too(
    manager: tuple[BackendStore, ImitatedCredentialManager],
) -> None:
    store, _ = manager
    servers = {f"registry{number}.example:5000": f"user{number}" for number in range(200)}
    for server, username in servers.items():
        store.store(server, Credential(username, "s3cret"))
    assert store.list() == servers


def test_a_missing_part_is_an_error_and_never_a_shorter_secret(
    manager: tuple[BackendStore, ImitatedCredentialManager],
) -> None:
    store, imitation = manager
    store.store("registry.example", Credential("alice", "x" * 5_000))
    del imitation.credentials[next(target for target in imitation.credentials if "#" in target)]
    with pytest.raises(StoreUnavailable, match="a part of the credentials for registry") as raised:
        store.get("registry.example")
    assert raised.value.remedy == "log in again"
    store.store("registry.example", ALICE)
    assert store.get("registry.example") == ALICE


@pytest.mark.parametrize("head", ["x:0", "99999999:0", "-1:0", "", "٣:0"])
def test_a_damaged_entry_can_be_stored_again_and_erased(
    keychain: tuple[BackendStore, ImitatedKeychain], head: str
) -> None:
    store, _ = keychain
    for mend in ("store", "erase"):
        store.store("registry.example", ALICE)
        store._entries._backend.set_password("registry.example", "alice", f"credhelpers-parts:{head}")
        with pytest.raises(
            StoreUnavailable, match=r"the entry for registry\.example in the keyring is damaged"
        ):
            store.get("registry.example")
        if mend == "store":
            store.store("registry.example", ALICE)
        else:
            store.erase("registry.example")
    with pytest.raises(CredentialsNotFound):
        store.get("registry.example")


def test_a_damaged_entry_costs_the_list_itself_only(
    manager: tuple[BackendStore, ImitatedCredentialManager], capfd: pytest.CaptureFixture[str]
) -> None:
    store, imitation = manager
    store.store("registry.example", Credential("alice", "x" * 5_000))
    store.store("other.example", BOB)
    del imitation.credentials[next(target for target in imitation.credentials if "#" in target)]
    assert store.list() == {"other.example": "bob"}
    assert "registry.example is not listed: a part of the credentials" in capfd.readouterr().err
    store.store("registry.example", ALICE)
    assert store.list() == {"registry.example": "alice", "other.example": "bob"}


def test_names_in_the_index_that_are_no_text_cost_themselves_only(
    keychain: tuple[BackendStore, ImitatedKeychain], capfd: pytest.CaptureFixture[str]
) -> None:
    store, _ = keychain
    store.store("registry.example", ALICE)
    bad = {"registry.example": "alice", "lone\ud800": "a", "line\nfeed": "a", "other": "\udfff", "number": 1}
    store._entries._backend.set_password(INDEX, "index", json.dumps(bad))
    assert store.list() == {"registry.example": "alice"}
    assert len(capfd.readouterr().err.splitlines()) == 4


def test_an_interrupted_write_leaves_the_old_secret(
    manager: tuple[BackendStore, ImitatedCredentialManager], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, imitation = manager
    store.store("registry.example", Credential("alice", "old" * 1_000))
    before = set(imitation.credentials)
    write = imitation.CredWrite
    writes: list[str] = []

    def fail_at_the_third(credential: dict[str, object], flags: int) -> None:
        writes.append(str(credential["TargetName"]))
        if len(writes) == 3:
            raise OSError("disk full")
        write(credential, flags)

    monkeypatch.setattr(imitation, "CredWrite", fail_at_the_third)
    with pytest.raises(StoreUnavailable, match="disk full"):
        store.store("registry.example", Credential("alice", "new" * 1_000))
    assert store.get("registry.example").secret == "old" * 1_000
    assert set(imitation.credentials) == before


def test_what_another_program_deleted_is_taken_off_the_list(
    keychain: tuple[BackendStore, ImitatedKeychain],
) -> None:
    store, imitation = keychain
    store.store("one.example", ALICE)
    store.store("two.example", BOB)
    del imitation.items["one.example", "alice"]
    assert store.list() == {"two.example": "bob"}
    assert json.loads(imitation.items[INDEX, "index"]) == {"two.example": "bob"}


@pytest.mark.parametrize("index", ["", "{", "[]", '{"registry.example": 1}', "credhelpers-parts:0:0"])
def test_a_damaged_index_is_repaired_on_use(
    manager: tuple[BackendStore, ImitatedCredentialManager], index: str
) -> None:
    store, imitation = manager
    store.store("registry.example", ALICE)
    imitation.credentials[INDEX]["CredentialBlob"] = index.encode("utf-16-le")
    assert store.get("registry.example") == ALICE
    assert store.list() == {"registry.example": "alice"}


def test_an_entry_that_another_program_made_is_found_and_from_then_on_listed(
    manager: tuple[BackendStore, ImitatedCredentialManager],
) -> None:
    store, _ = manager
    keyring_package = store._entries._backend
    keyring_package.set_password("registry.example", "alice", "s3cret")
    assert store.list() == {}
    assert store.get("https://registry.example") == ALICE
    assert store.list() == {"registry.example": "alice"}
    store.erase("registry.example")
    with pytest.raises(CredentialsNotFound):
        store.get("registry.example")


def test_a_locked_keyring_is_named_as_the_cause(keychain: tuple[BackendStore, ImitatedKeychain]) -> None:
    store, imitation = keychain
    imitation.locked = True
    with pytest.raises(
        StoreUnavailable, match="the keyring is locked: Can't get password from keychain"
    ) as raised:
        store.get("registry.example")
    assert raised.value.remedy == "unlock it and try again"


def test_what_a_third_party_raises_never_tells_the_secret() -> None:
    class Careless(Rated):
        def set_password(self, service: str, username: str, password: str) -> None:
            raise ValueError(f"cannot keep {password}")

    with pytest.raises(StoreUnavailable) as raised:
        BackendStore(Careless(1), lock=None).store("registry.example", ALICE)
    assert raised.value.cause == "the keyring failed: ValueError"
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("backend", "cause"),
    [
        (fail.Keyring, "there is no keyring here that can be used"),
        (null.Keyring, "the keyring is disabled"),
    ],
)
def test_a_backend_that_keeps_nothing_is_refused(
    backend: Any, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", backend)
    with pytest.raises(StoreUnavailable, match=cause):
        open_configured_backend({"AWS_ECR_CACHE_DIR": str(tmp_path)}).store("registry.example", ALICE)


def test_the_windows_backend_is_known_by_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend, _ = imitate_windows(monkeypatch)
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    store = open_configured_backend({"AWS_ECR_CACHE_DIR": str(tmp_path)})
    store.store("registry.example", Credential("alice", "x" * 5_000))
    assert store.get("registry.example").secret == "x" * 5_000


def test_without_a_secret_service_the_best_recommended_backend_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, better, plain_text = Rated(1), Rated(3), Rated(0.5)
    monkeypatch.setattr(keyring.backend, "get_all_keyring", lambda: [good, better, plain_text, Rated(0)])
    store = open_other_backend({"AWS_ECR_CACHE_DIR": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
    assert store is not None
    store.store("registry.example", ALICE)
    assert better.passwords["registry.example", "alice"] == "s3cret"
    assert not good.passwords
    assert not plain_text.passwords


def test_a_backend_that_keyring_does_not_recommend_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.backend, "get_all_keyring", lambda: [Rated(0.5), Rated(0)])
    assert open_other_backend({"DBUS_SESSION_BUS_ADDRESS": "disabled:"}) is None
