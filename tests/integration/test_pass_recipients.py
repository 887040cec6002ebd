"""For whom the password store encrypts, by pass's rules; pass and the reference helper check it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.pass_store import Store
from tests.support.client import Helper
from tests.support.gpg import GpgHome, add_key, encryption_key_id, recipients, throwaway_gpg_home
from tests.support.tools import require

SERVER = "https://registry.example/v1/"


@pytest.fixture(scope="module")
def colleague() -> Iterator[GpgHome]:
    """The GnuPG home of another user of the same store."""
    with throwaway_gpg_home() as home:
        yield home


@pytest.fixture(scope="module")
def own_home(colleague: GpgHome) -> Iterator[GpgHome]:
    """A GnuPG home of the user's own, where the colleague's key is known and trusted."""
    with throwaway_gpg_home() as home:
        home.run("--import", stdin=colleague.run("--export"))
        home.run("--yes", "--quick-lsign-key", colleague.fingerprint)
        yield home


@pytest.fixture(scope="module")
def second_key(own_home: GpgHome) -> str:
    return add_key(own_home)


@pytest.fixture
def store(private_env: dict[str, str], own_home: GpgHome, installed: Path) -> Store:
    directory = Path(private_env["HOME"], ".password-store")
    directory.mkdir(mode=0o700)
    (directory / ".gpg-id").write_text(own_home.fingerprint + "\n")
    return Store(Helper(installed / "docker-credential-pass", {**private_env, **own_home.env}), directory)


def put(store: Store, secret: str = "secret") -> Path:
    answer = store.helper.store(SERVER, "me", secret)
    assert answer.code == 0, answer
    return store.folder_of(SERVER) / "me.gpg"


def keys(home: GpgHome, *fingerprints: str) -> set[str]:
    return {encryption_key_id(home, fingerprint) for fingerprint in fingerprints}


def test_each_of_several_recipients_can_decrypt(store: Store, own_home: GpgHome, colleague: GpgHome) -> None:
    (store.directory / ".gpg-id").write_text(f"{own_home.fingerprint}\n{colleague.fingerprint}\n")
    entry = put(store, "shared")
    assert recipients(own_home, entry) == keys(own_home, own_home.fingerprint, colleague.fingerprint)
    for home in (own_home, colleague):
        seen = store.with_env(**home.env).helper
        assert seen.get(SERVER).credentials().secret == "shared"
        reference = Path(require("docker-credential-pass", "golang-docker-credential-helpers"))
        assert Helper(reference, seen.env).get(SERVER).credentials().secret == "shared"
        name = str(entry.relative_to(store.directory)).removesuffix(".gpg")
        shown = subprocess.run(
            [require("pass", "pass"), "show", name], env=seen.env, capture_output=True, check=True
        )
        assert shown.stdout == b"shared"


def test_comments_and_blank_lines_do_no_harm(store: Store, own_home: GpgHome, second_key: str) -> None:
    (store.directory / ".gpg-id").write_text(
        f"# the team\n\n  {own_home.fingerprint}  # me\n\t\n#{'0' * 40}\n{second_key}"
    )
    assert recipients(own_home, put(store)) == keys(own_home, own_home.fingerprint, second_key)


@pytest.mark.parametrize("kind", ["long id", "id with 0x", "e-mail address", "name and address"])
def test_a_key_may_be_named_as_gpg_allows(store: Store, colleague: GpgHome, kind: str) -> None:
    names = {
        "long id": colleague.fingerprint[-16:],
        "id with 0x": "0x" + colleague.fingerprint[-16:],
        "e-mail address": "tests@credhelpers.example",
        "name and address": "credhelpers tests <tests@credhelpers.example>",
    }
    with_colleague_only = store.with_env(**colleague.env)
    (store.directory / ".gpg-id").write_text(names[kind] + "\n")
    assert recipients(colleague, put(with_colleague_only)) == keys(colleague, colleague.fingerprint)


@pytest.mark.parametrize("level", ["docker-credential-helpers", "the server", "the username's folder"])
def test_the_nearest_list_of_keys_counts(
    store: Store, own_home: GpgHome, second_key: str, level: str
) -> None:
    server = store.folder_of(SERVER)
    folder = {"docker-credential-helpers": store.folder, "the server": server}.get(level, server / "team")
    folder.mkdir(parents=True)
    (folder / ".gpg-id").write_text(second_key + "\n")
    assert store.helper.store(SERVER, "team/robot", "secret").code == 0
    assert recipients(own_home, server / "team" / "robot.gpg") == keys(own_home, second_key)
    assert store.helper.store("other.example", "me", "secret").code == 0
    other = own_home.fingerprint if level != "docker-credential-helpers" else second_key
    assert recipients(own_home, store.folder_of("other.example") / "me.gpg") == keys(own_home, other)


def test_a_list_of_keys_in_a_folder_is_enough(store: Store, own_home: GpgHome, second_key: str) -> None:
    (store.directory / ".gpg-id").unlink()
    store.folder.mkdir()
    (store.folder / ".gpg-id").write_text(second_key + "\n")
    assert recipients(own_home, put(store)) == keys(own_home, second_key)


def test_a_list_above_the_store_does_not_count(store: Store) -> None:
    (store.directory / ".gpg-id").rename(store.directory.parent / ".gpg-id")
    assert store.refused(SERVER)[0] == f"there is no password store in {store.directory}"


def test_an_empty_list_of_keys_is_named(store: Store) -> None:
    (store.directory / ".gpg-id").write_text("# nobody yet\n")
    assert store.refused(SERVER) == (
        f"{store.directory}/.gpg-id does not name a key",
        "name one: credhelpers init pass --force --key <your GPG key>",
    )


def test_the_variable_overrides_every_list(
    store: Store, own_home: GpgHome, colleague: GpgHome, second_key: str
) -> None:
    named = store.with_env(PASSWORD_STORE_KEY=f" {second_key}  {colleague.fingerprint} ")
    assert recipients(own_home, put(named)) == keys(own_home, second_key, colleague.fingerprint)


def test_the_variable_needs_no_list(store: Store, own_home: GpgHome) -> None:
    (store.directory / ".gpg-id").unlink()
    store.directory.rmdir()
    put(store.with_env(PASSWORD_STORE_KEY=own_home.fingerprint))
    assert store.secret(SERVER) == "secret"


def test_the_variable_for_options_reaches_gpg(store: Store) -> None:
    entry = put(store.with_env(PASSWORD_STORE_GPG_OPTS="--armor  --comment=by-the-user"))
    assert entry.read_bytes().startswith(b"-----BEGIN PGP MESSAGE-----\nComment: by-the-user\n")
    assert store.secret(SERVER) == "secret"


def sign(store: Store, home: GpgHome, fingerprint: str) -> None:
    path = str(store.directory / ".gpg-id")
    home.run("--yes", "--local-user", fingerprint, "--output", path + ".sig", "--detach-sign", path)


def test_a_signed_list_of_keys_is_taken(store: Store, own_home: GpgHome, second_key: str) -> None:
    sign(store, own_home, second_key)
    for signing_keys in (second_key, f"{'A' * 40} {second_key}"):
        put(store.with_env(PASSWORD_STORE_SIGNING_KEY=signing_keys))
    assert store.secret(SERVER) == "secret"


@pytest.mark.parametrize(
    "fault", ["unsigned", "another key", "changed since", "a short id", "rubbish", "not trusted here"]
)
def test_an_unsigned_list_is_refused(store: Store, own_home: GpgHome, second_key: str, fault: str) -> None:
    signing_key = own_home.fingerprint
    path = store.directory / ".gpg-id"
    if fault != "unsigned":
        sign(store, own_home, second_key if fault == "another key" else signing_key)
    if fault == "changed since":
        path.write_text(path.read_text() + "tests@credhelpers.example\n")
    elif fault == "rubbish":
        path.with_name(".gpg-id.sig").write_bytes(b"rubbish")
    elif fault == "a short id":  # pass takes whole fingerprints only
        signing_key = signing_key[-16:]
    elif fault == "not trusted here":
        signing_key = "A" * 40
    cause, remedy = store.with_env(PASSWORD_STORE_SIGNING_KEY=signing_key).refused(SERVER)
    assert not store.folder.exists()
    if fault == "a short id":
        assert cause == "PASSWORD_STORE_SIGNING_KEY does not contain a fingerprint"
        return
    is_not = "is not signed, and" if fault == "unsigned" else "is not signed by a key of"
    assert cause.startswith(f"{path} {is_not} PASSWORD_STORE_SIGNING_KEY")
    if fault == "not trusted here":
        assert remedy == "check who changed it; then ask the owner of one of those keys to sign it"
    else:
        command = f"gpg --yes --local-user {signing_key} --detach-sign '{path}'"
        assert remedy == f"check who changed it; then sign it: {command}"


LONG_AGO = ("--faked-system-time", "20200101T000000")


@pytest.fixture
def spoilt_gpg_home() -> Iterator[GpgHome]:
    """A GnuPG home that the test may spoil."""
    with throwaway_gpg_home() as home:
        yield home


def make_signing_key(home: GpgHome, expires: str = "never") -> str:
    """Make a key that signs and nothing else, long ago, and return its fingerprint."""
    before = home.run("--list-keys", "--with-colons")
    home.run(*LONG_AGO, "--passphrase", "", "--quick-generate-key", "signer", "ed25519", "sign", expires)
    keys = home.run("--list-keys", "--with-colons").decode().splitlines()
    return next(line.split(":")[9] for line in keys if line.startswith("fpr") and line not in before.decode())


def revoke(home: GpgHome, fingerprint: str) -> None:
    certificate = (home.path / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
    home.run("--import", stdin=certificate.replace(":-----BEGIN", "-----BEGIN").encode())


@pytest.mark.parametrize("fault", ["revoked key", "expired key", "expired signature"])
def test_an_expired_signature_is_refused(store: Store, spoilt_gpg_home: GpgHome, fault: str) -> None:
    """VALIDSIG stands in gpg's status lines for each of them."""
    store = store.with_env(**spoilt_gpg_home.env, PASSWORD_STORE_KEY="")
    (store.directory / ".gpg-id").write_text(spoilt_gpg_home.fingerprint)
    signer = make_signing_key(spoilt_gpg_home, "seconds=86400" if fault == "expired key" else "never")
    path = str(store.directory / ".gpg-id")
    expires = ("--default-sig-expire", "seconds=60") if fault == "expired signature" else ()
    spoilt_gpg_home.run(*LONG_AGO, *expires, "--local-user", signer, "--detach-sign", path)
    if fault == "revoked key":
        revoke(spoilt_gpg_home, signer)
    cause, remedy = store.with_env(PASSWORD_STORE_SIGNING_KEY=signer).refused(SERVER)
    assert (
        cause
        == {
            "revoked key": f"{path} is signed by a key that has been revoked: {signer}",
            "expired key": f"{path} is signed by a key that has expired: {signer}",
            "expired signature": f"the signature of {path} has expired",
        }[fault]
    )
    assert remedy


def test_of_two_signatures_a_good_one_is_enough(store: Store, spoilt_gpg_home: GpgHome) -> None:
    store = store.with_env(**spoilt_gpg_home.env)
    path = store.directory / ".gpg-id"
    path.write_text(spoilt_gpg_home.fingerprint)
    revoked, good = (make_signing_key(spoilt_gpg_home), spoilt_gpg_home.fingerprint)
    spoilt_gpg_home.run("--local-user", revoked, "--local-user", good, "--detach-sign", str(path))
    revoke(spoilt_gpg_home, revoked)
    assert "been revoked" in store.with_env(PASSWORD_STORE_SIGNING_KEY=revoked).refused(SERVER)[0]
    put(store.with_env(PASSWORD_STORE_SIGNING_KEY=f"{revoked} {good}"))


def test_reading_needs_no_signature(store: Store) -> None:
    put(store)
    assert store.with_env(PASSWORD_STORE_SIGNING_KEY="A" * 40).secret(SERVER) == "secret"
