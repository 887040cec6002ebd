"""Whatever is stored and erased in whatever order, the password store answers as a dictionary would."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credhelpers.credential import Credential, CredentialsNotFound
from credhelpers.servers import candidate_keys
from credhelpers.stores.password_store.store import PasswordStore
from tests.support.gpg import GpgHome, initialise_password_store

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
_SERVERS = st.one_of(
    st.sampled_from(
        [
            "https://index.docker.io/v1/",
            "https://index.docker.io/v1/access-token",
            "https://index.docker.io/v1/refresh-token",
            "docker.io",
        ]
    ),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "https://", "http://"]),
        st.sampled_from(["a.example", "b.example", "ünï.example"]),
        st.sampled_from(["", ":443", ":5000"]),
        st.sampled_from(["", "/", "/v1/", "/team", "/team/app", "/team/app/"]),
    ),
    _TEXT.map(lambda text: "x" + text),
)
_SEGMENTS = _TEXT.filter(
    lambda text: text not in ("", ".", "..") and "/" not in text and not text.endswith(".gpg")
)
_USERNAMES = st.lists(_SEGMENTS, min_size=1, max_size=3).map("/".join)
_SECRETS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(
    lambda text: text.rstrip("\r\n")
)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("store"), _SERVERS, st.builds(Credential, _USERNAMES, _SECRETS)),
        st.tuples(st.just("erase"), _SERVERS, st.none()),
        st.tuples(st.just("get"), _SERVERS, st.none()),
    ),
    min_size=1,
    max_size=25,
)


def answer_of(model: dict[str, Credential], server: str) -> Credential | None:
    return next((model[key] for key in candidate_keys(server) if key in model), None)


def answer_from(store: PasswordStore, server: str) -> Credential | None:
    try:
        return store.get(server)
    except CredentialsNotFound:
        return None


@given(_STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_store_answers_as_a_dictionary_would(
    gpg_home: GpgHome, steps: list[tuple[str, str, Credential | None]]
) -> None:
    home = Path(tempfile.mkdtemp(prefix="ch-model-"))
    try:
        initialise_password_store(home / ".password-store", gpg_home)
        store = PasswordStore({**gpg_home.env, "HOME": str(home), "PATH": "/usr/bin:/bin"})
        model: dict[str, Credential] = {}
        for action, server, credential in steps:
            if credential is not None:
                store.store(server, credential)
                model[server] = credential
            elif action == "erase":
                store.erase(server)
                model.pop(server, None)
            assert answer_from(store, server) == answer_of(model, server)
            assert store.list() == {key: kept.username for key, kept in model.items()}
        for server in model:
            store.erase(server)
        assert list((home / ".password-store").glob("docker-credential-helpers/*")) == []
    finally:
        shutil.rmtree(home)
