"""Our docker-credential-pass, the reference one and `pass` itself share one password store."""

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.client import Credentials, Helper
from tests.support.gpg import GpgHome, add_key, encryption_key_id, recipients, throwaway_gpg_home
from tests.support.tools import require

SERVERS = [
    "https://index.docker.io/v1/",
    "registry.example",
    "registry.example:5000",
    "registry.example:5000/a",  # the three lengths of base64's padding
    "registry.example/~user/ÿ?>>~~~",  # what is - and _ in its URL-safe form
]
CREDENTIALS = [
    Credentials("registry.example", "alice", "s3cret"),
    Credentials("registry.example", "<token>", "eyJhbGciOi.<&>"),
    Credentials("registry.example", "ålice 🔑", "pässwörd-☃"),
    Credentials("registry.example", "alice@example.com", "first line\nsecond\n\nfourth"),
    Credentials("registry.example", "alice", ""),
]
MANY = 1000


@pytest.fixture(scope="module")
def gpg_home() -> Iterator[GpgHome]:
    """A GnuPG home that gets a second key, so not the one that all tests share."""
    with throwaway_gpg_home() as home:
        yield home


@dataclass(frozen=True)
class Shared:
    """One password store and those who use it."""

    env: dict[str, str]
    ours: Helper
    reference: Helper

    @property
    def directory(self) -> Path:
        return Path(self.env["HOME"], ".password-store")

    def entry(self, server: str, username: str) -> Path:
        """Return the file of an entry, as the reference helper names it."""
        name = base64.urlsafe_b64encode(server.encode()).decode()
        return self.directory / "docker-credential-helpers" / name / f"{username}.gpg"

    def password_store(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run `pass` and return what it printed."""
        done = subprocess.run(
            [require("pass", "pass"), *arguments],
            input=stdin,
            env=self.env,
            capture_output=True,
            timeout=60,
            check=True,
        )
        return done.stdout


@pytest.fixture
def shared(password_store_env: dict[str, str], installed: Path) -> Shared:
    reference = Path(require("docker-credential-pass", "golang-docker-credential-helpers"))
    return Shared(
        password_store_env,
        Helper(installed / "docker-credential-pass", password_store_env),
        Helper(reference, password_store_env),
    )


def put(helper: Helper, credentials: Credentials) -> None:
    answer = helper.store(credentials.server, credentials.username, credentials.secret)
    assert answer.code == 0, answer


@pytest.mark.parametrize("server", SERVERS)
def test_ours_works_on_what_the_reference_stored(shared: Shared, server: str) -> None:
    stored = Credentials(server, "alice", "s3cret")
    put(shared.reference, stored)
    assert shared.ours.get(server).credentials() == stored
    assert shared.ours.stored() == {server: "alice"}
    assert shared.ours.erase(server).code == 0
    assert not shared.reference.get(server).found
    assert shared.reference.stored() == {}
    assert not shared.entry(server, "alice").parent.exists(), "the reference leaves no empty folder either"


@pytest.mark.parametrize("server", SERVERS)
def test_the_reference_works_on_what_ours_stored(shared: Shared, server: str) -> None:
    stored = Credentials(server, "alice", "s3cret")
    put(shared.ours, stored)
    assert shared.reference.get(server).credentials() == stored
    assert shared.reference.stored() == {server: "alice"}
    assert shared.reference.erase(server).code == 0
    assert not shared.ours.get(server).found
    assert shared.ours.stored() == {}


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=repr)
def test_each_reads_the_others_secrets(shared: Shared, credentials: Credentials) -> None:
    put(shared.reference, credentials)
    assert shared.ours.get(credentials.server).credentials() == credentials
    put(shared.ours, credentials)
    assert shared.reference.get(credentials.server).credentials() == credentials
    assert shared.entry(credentials.server, credentials.username).is_file()


def test_ours_reads_the_references_folders(shared: Shared) -> None:
    stored = Credentials("registry.example", "team/project/bot", "s3cret")
    put(shared.reference, stored)
    assert shared.ours.get(stored.server).credentials() == stored
    assert shared.ours.stored() == {stored.server: stored.username}
    assert shared.reference.stored() != {stored.server: stored.username}
    shared.ours.erase(stored.server)
    assert shared.ours.stored() == {}


def test_ours_keeps_folders_as_the_reference(shared: Shared) -> None:
    put(shared.ours, Credentials("registry.example", "team/project/bot", "s3cret"))
    entry = shared.entry("registry.example", "team/project/bot")
    assert entry.is_file()
    assert shared.reference.erase("registry.example").code == 0
    assert shared.ours.stored() == {}


def test_ours_replaces_the_references_username(shared: Shared) -> None:
    put(shared.reference, Credentials("registry.example", "alice", "old"))
    put(shared.reference, Credentials("registry.example", "bob", "old, too"))
    newest = Credentials("registry.example", "carol", "new")
    put(shared.ours, newest)
    assert shared.reference.get(newest.server).credentials() == newest
    assert [path.name for path in shared.entry("registry.example", "carol").parent.iterdir()] == ["carol.gpg"]


def test_pass_shows_lists_and_removes_our_entries(shared: Shared) -> None:
    put(shared.ours, Credentials("registry.example", "alice", "s3cret"))
    name = "docker-credential-helpers/" + base64.urlsafe_b64encode(b"registry.example").decode()
    assert b"alice" in shared.password_store("ls", name)
    assert shared.password_store("show", f"{name}/alice").strip() == b"s3cret"
    shared.password_store("rm", "--force", f"{name}/alice")
    assert not shared.ours.get("registry.example").found


@pytest.mark.parametrize("typed", [b"s3cret", b"s3cret\n", b"s3cret\n\n"], ids=repr)
def test_ours_reads_what_was_inserted_with_pass(shared: Shared, typed: bytes) -> None:
    name = "docker-credential-helpers/" + base64.urlsafe_b64encode(b"registry.example").decode()
    shared.password_store("insert", "--multiline", f"{name}/alice", stdin=typed)
    assert shared.ours.get("registry.example").credentials() == Credentials(
        "registry.example", "alice", "s3cret"
    )


def test_other_passwords_are_left_alone(shared: Shared) -> None:
    shared.password_store("insert", "--multiline", "mail/alice", stdin=b"private")
    shared.password_store(
        "insert", "--multiline", "docker-credential-helpers/not-base64!/x", stdin=b"private"
    )
    put(shared.ours, Credentials("registry.example", "alice", "s3cret"))
    assert shared.ours.stored() == {"registry.example": "alice"}
    shared.ours.erase("registry.example")
    assert shared.password_store("show", "mail/alice").strip() == b"private"
    assert shared.password_store("show", "docker-credential-helpers/not-base64!/x").strip() == b"private"


@pytest.fixture(scope="module")
def second_key(gpg_home: GpgHome) -> str:
    return add_key(gpg_home)


def test_both_encrypt_to_all_recipients(shared: Shared, gpg_home: GpgHome, second_key: str) -> None:
    lines = f"# the team\n{gpg_home.fingerprint}\n\n{second_key} # the second key\n"
    (shared.directory / ".gpg-id").write_text(lines)
    put(shared.ours, Credentials("ours.example", "alice", "s3cret"))
    put(shared.reference, Credentials("reference.example", "alice", "s3cret"))
    both = {encryption_key_id(gpg_home, key) for key in (gpg_home.fingerprint, second_key)}
    assert recipients(gpg_home, shared.entry("reference.example", "alice")) == both
    assert recipients(gpg_home, shared.entry("ours.example", "alice")) == both


def test_both_encrypt_to_the_nearest_recipients(shared: Shared, gpg_home: GpgHome, second_key: str) -> None:
    shared.password_store("init", "--path=docker-credential-helpers", second_key)
    put(shared.ours, Credentials("ours.example", "alice", "s3cret"))
    put(shared.reference, Credentials("reference.example", "alice", "s3cret"))
    nearest = {encryption_key_id(gpg_home, second_key)}
    assert recipients(gpg_home, shared.entry("reference.example", "alice")) == nearest
    assert recipients(gpg_home, shared.entry("ours.example", "alice")) == nearest


def test_both_list_the_same_thousand_servers(shared: Shared) -> None:
    put(shared.reference, Credentials("registry.example", "alice", "s3cret"))
    encrypted = shared.entry("registry.example", "alice").read_bytes()
    servers = {
        f"registry{number}.example:5000/{'x' * (number % 3)}": f"user{number}" for number in range(MANY)
    }
    for server, username in servers.items():
        entry = shared.entry(server, username)
        entry.parent.mkdir()
        entry.write_bytes(encrypted)
    expected = {**servers, "registry.example": "alice"}
    assert shared.reference.stored() == expected
    assert shared.ours.stored() == expected
