"""Any sequence of store, get, erase and list does what a dictionary would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credhelpers.credential import Credential, CredentialsNotFound
from credhelpers.servers import candidate_keys
from credhelpers.stores.os_keyring.backend import BackendStore
from credhelpers.stores.os_keyring.secret_service import SecretServiceStore
from tests.support.keyring import SecretService
from tests.support.keyring_backends import MemoryBackend, SearchingBackend

if TYPE_CHECKING:
    from credhelpers.store import Store

_PLACES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "https://", "http://", "//"]),
        st.sampled_from(
            ["registry.example", "docker.io", "index.docker.io", "ünï.example", "REGISTRY.example"]
        ),
        st.sampled_from(["", "", ":5000", ":443"]),
        st.sampled_from(["", "/", "/v1/", "/team", "/team/", "/team/app", "/v1/access-token", "/a b"]),
    ),
)
_WORDS = st.characters(exclude_categories=["Cs", "Cc"])
_KEYS = _PLACES | st.text(_WORDS, min_size=1, max_size=20)
_USERNAMES = st.sampled_from(["alice", "bob", "<token>"]) | st.text(_WORDS, min_size=1, max_size=20)
_SECRETS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@dataclass(frozen=True)
class Step:
    """One request; get, erase and list have no use for the credential."""

    verb: str
    server: str
    username: str
    secret: str


@st.composite
def _sequences(draw: st.DrawFn) -> list[Step]:
    """Requests for one to three servers, for their other spellings and for what is below them."""
    servers = draw(st.lists(_KEYS, min_size=1, max_size=3))
    alike = [key for server in servers for key in [*candidate_keys(server), f"{server}/app"]]
    server = st.sampled_from(servers) | st.sampled_from(alike)
    verb = st.sampled_from(["store", "store", "get", "get", "erase", "list"])
    return draw(st.lists(st.builds(Step, verb, server, _USERNAMES, _SECRETS), min_size=2, max_size=15))


def _agree(store: Store, steps: list[Step]) -> None:
    model: dict[str, Credential] = {}
    for step in steps:
        if step.verb == "store":
            model[step.server] = Credential(step.username, step.secret)
            store.store(step.server, model[step.server])
        elif step.verb == "erase":
            model.pop(step.server, None)
            store.erase(step.server)
        elif step.verb == "get":
            expected = next((model[key] for key in candidate_keys(step.server) if key in model), None)
            assert _found(store, step.server) == expected
        else:
            assert store.list() == {server: credential.username for server, credential in model.items()}
    assert {server: _found(store, server) for server in model} == model


def _found(store: Store, server: str) -> Credential | None:
    try:
        return store.get(server)
    except CredentialsNotFound:
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_sequences())
def test_secret_service_agrees_with_a_dictionary(secret_service: SecretService, steps: list[Step]) -> None:
    secret_service.clear()
    store = SecretServiceStore(secret_service.env)
    try:
        _agree(store, steps)
    finally:
        store.close()


@pytest.mark.parametrize("backend_class", [MemoryBackend, SearchingBackend])
@settings(max_examples=300, deadline=None)
@given(steps=_sequences())
def test_a_backend_agrees_with_a_dictionary(backend_class: Any, steps: list[Step]) -> None:
    _agree(BackendStore(backend_class(), lock=None), steps)
