"""Credentials through a backend of the keyring package."""

import json
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import pytest
from keyring.backends import fail, null
from keyring.errors import KeyringLocked

from credhelpers.credential import Credential, CredentialsNotFound, StoreUnavailable
from credhelpers.stores.os_keyring.backend import BackendStore, open_configured_backend, open_other_backend
from tests.support.keyring_backends import MemoryBackend, SearchingBackend

ALICE = Credential("alice", "s3cret")
BOB = Credential("bob", "other")
SERVER = "registry.example"
INDEX = ("credhelpers: servers and usernames", "index")


def open_store(backend: Any) -> BackendStore:
    return BackendStore(backend, lock=None)


@pytest.fixture(params=[MemoryBackend, SearchingBackend])
def backend(request: pytest.FixtureRequest) -> MemoryBackend:
    made: MemoryBackend = request.param()
    return made


@pytest.fixture
def store(backend: MemoryBackend) -> BackendStore:
    return open_store(backend)


def test_store_get_list_and_erase(store: BackendStore, backend: MemoryBackend) -> None:
    store.store("registry.example:5000", ALICE)
    assert store.get("https://registry.example:5000/team/app") == ALICE
    assert store.list() == {"registry.example:5000": "alice"}
    store.erase("registry.example:5000")
    assert store.list() == {}
    with pytest.raises(CredentialsNotFound):
        store.get("registry.example:5000")
    assert backend.entries == {}


def test_a_new_username_replaces_the_old_one(store: BackendStore, backend: MemoryBackend) -> None:
    store.store(SERVER, ALICE)
    store.store(SERVER, BOB)
    assert store.get(SERVER) == BOB
    assert store.list() == {SERVER: "bob"}
    store.erase(SERVER)
    assert backend.entries == {}


def test_an_empty_secret_is_kept(store: BackendStore, backend: MemoryBackend) -> None:
    store.store(SERVER, Credential("alice", ""))
    assert store.get(SERVER) == Credential("alice", "")
    assert all(backend.entries.values()), "some backends do not keep an empty value"


def test_a_secret_like_the_empty_one_is_kept(store: BackendStore) -> None:
    alike = Credential("alice", "credhelpers: empty secret")
    store.store(SERVER, alike)
    assert store.get(SERVER) == alike


def test_bad_names_in_the_index_are_left_out(
    store: BackendStore, backend: MemoryBackend, capfd: pytest.CaptureFixture[str]
) -> None:
    store.store(SERVER, ALICE)
    bad = {SERVER: "alice", "lone\ud800": "a", "line\nfeed": "a", "other": "\udfff", "number": 1}
    backend.set_password(*INDEX, json.dumps(bad))
    assert store.list() == {SERVER: "alice"}
    assert len(capfd.readouterr().err.splitlines()) == 4


def test_a_failed_write_leaves_the_old_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryBackend()
    store = open_store(backend)
    store.store(SERVER, ALICE)

    def fail_to_write(*_: str) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(backend, "set_password", fail_to_write)
    with pytest.raises(StoreUnavailable, match="disk full"):
        store.store(SERVER, BOB)
    assert store.get(SERVER) == ALICE


def test_deleted_entries_leave_the_index(store: BackendStore, backend: MemoryBackend) -> None:
    store.store("one.example", ALICE)
    store.store("two.example", BOB)
    backend.delete_password("one.example", "alice")
    assert store.list() == {"two.example": "bob"}
    assert json.loads(backend.entries[INDEX]) == {"two.example": "bob"}


@pytest.mark.parametrize("index", ["", "{", "[]", '{"registry.example": 1}'])
def test_a_damaged_index_is_repaired_on_use(index: str) -> None:
    backend = SearchingBackend()
    store = open_store(backend)
    store.store(SERVER, ALICE)
    backend.set_password(*INDEX, index)
    assert store.get(SERVER) == ALICE
    assert store.list() == {SERVER: "alice"}


def test_an_entry_of_another_program_is_found() -> None:
    backend = SearchingBackend()
    store = open_store(backend)
    backend.set_password(SERVER, "alice", "s3cret")
    backend.set_password(SERVER, "carol", "s3cret")
    assert store.list() == {}
    assert store.get("https://registry.example") == ALICE
    assert store.list() == {SERVER: "alice"}
    store.erase(SERVER)
    assert backend.entries == {}


def test_a_locked_keyring_is_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryBackend()

    def refuse(*_: str) -> None:
        raise KeyringLocked("Failed to unlock the keyring!")

    monkeypatch.setattr(backend, "get_password", refuse)
    with pytest.raises(StoreUnavailable, match="the keyring is locked: Failed to unlock") as raised:
        open_store(backend).get(SERVER)
    assert raised.value.remedy == "unlock it and try again"


def test_an_error_does_not_show_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryBackend()

    def fail_to_write(service: str, username: str, password: str) -> None:
        raise ValueError(f"cannot keep {password}")

    monkeypatch.setattr(backend, "set_password", fail_to_write)
    with pytest.raises(StoreUnavailable) as raised:
        open_store(backend).store(SERVER, ALICE)
    assert raised.value.cause == "the keyring failed: ValueError"
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    ("backend_class", "cause"),
    [
        (fail.Keyring, "there is no keyring here that can be used"),
        (null.Keyring, "the keyring is disabled"),
    ],
)
def test_a_backend_that_keeps_nothing_is_refused(
    backend_class: Any, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", backend_class)
    with pytest.raises(StoreUnavailable, match=cause):
        open_configured_backend({"AWS_ECR_CACHE_DIR": str(tmp_path)}, "").store(SERVER, ALICE)


def test_the_best_recommended_backend_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, better, plain_text = MemoryBackend(1), MemoryBackend(3), MemoryBackend(0.5)
    monkeypatch.setattr(
        keyring.backend, "get_all_keyring", lambda: [good, better, plain_text, MemoryBackend(0)]
    )
    store = open_other_backend({"AWS_ECR_CACHE_DIR": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": "disabled:"})
    assert store is not None
    store.store(SERVER, ALICE)
    assert better.entries[SERVER, "alice"] == "s3cret"
    assert not good.entries
    assert not plain_text.entries


def test_a_backend_not_recommended_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring.backend, "get_all_keyring", lambda: [MemoryBackend(0.5), MemoryBackend(0)])
    assert open_other_backend({"DBUS_SESSION_BUS_ADDRESS": "disabled:"}) is None
