"""The password store: its list of keys, the keys, gpg and its agent, and the entries, with real gpg."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit, docker_is_let_in, gets, keeps
from tests.integration.doctor import Patient
from tests.remedies.conftest import SERVER, in_mounts, needs_root, wrapped
from tests.remedies.mending import POWERLESS
from tests.support.gpg import (
    LONG_AGO,
    PASSPHRASE,
    SOON_AFTER,
    GpgHome,
    add_key,
    configure_agent,
    end_agent,
    make_key,
    revoke,
    throwaway_gpg_home,
)
from tests.support.tools import require

KEY = "<your GPG key>"
UNLOCK = [("<Cancel>", PASSPHRASE + "\r")]
STRANGER = 12345
KEEPS, GETS = keeps("pass", SERVER), gets("pass", SERVER)


@pytest.fixture
def owner(keeper: Patient, own_home: GpgHome) -> Patient:
    """A user whose keys the test may spoil, and whose store has one credential."""
    owner = keeper.but(**own_home.env)
    encrypt_for(owner, own_home.fingerprint)
    assert KEEPS(owner)
    return owner


@pytest.fixture
def weak(owner: Patient, powerless: Patient) -> Patient:
    """The same user, without root's right to read and write everything."""
    return Patient(powerless.bin, {**owner.env, "PATH": f"{powerless.bin}:{owner.env['PATH']}"}, owner.seen)


def store_of(user: Patient) -> Path:
    return user.home / ".password-store"


def key_list(user: Patient) -> Path:
    return store_of(user) / ".gpg-id"


def encrypt_for(user: Patient, *keys: str) -> None:
    key_list(user).write_text("".join(f"{key}\n" for key in keys))


def give_away(path: Path) -> None:
    for each in [path, *path.rglob("*")]:
        os.chown(each, STRANGER, STRANGER)


@pytest.mark.failure("gpg.missing")
def test_gpg_is_not_installed(exhibit: Exhibit, keeper: Patient, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    assert KEEPS(keeper)

    def install() -> None:
        (programs / "gpg").symlink_to(require("gpg", "gnupg"))

    bare = keeper.but(PATH=f"{keeper.bin}:{programs}")
    exhibit(bare, SERVER, works=GETS, by=("apt install gnupg", install))


@pytest.mark.failure("password-store.not-initialised")
def test_no_password_store(exhibit: Exhibit, keeper: Patient) -> None:
    key_list(keeper).unlink()
    store_of(keeper).rmdir()
    exhibit(keeper, works=KEEPS, types=[("Encrypt for", "\n")])


@pytest.mark.failure("password-store.gpg-id-empty")
def test_list_without_a_key(exhibit: Exhibit, keeper: Patient, gpg_home: GpgHome) -> None:
    encrypt_for(keeper, "# to be done")
    exhibit(keeper, works=KEEPS, fill={KEY: gpg_home.fingerprint})


@needs_root
@pytest.mark.failure("password-store.gpg-id-foreign")
def test_list_of_another_user(exhibit: Exhibit, keeper: Patient) -> None:
    os.chown(key_list(keeper), STRANGER, STRANGER)
    exhibit(keeper, works=KEEPS)


@pytest.mark.failure("password-store.gpg-id-writable-by-others")
def test_others_can_write_the_list(exhibit: Exhibit, keeper: Patient) -> None:
    key_list(keeper).chmod(0o666)
    exhibit(keeper, works=KEEPS)


@pytest.mark.failure("password-store.gpg-id-invalid")
def test_list_is_a_directory(exhibit: Exhibit, keeper: Patient, gpg_home: GpgHome) -> None:
    key_list(keeper).unlink()
    key_list(keeper).mkdir()
    exhibit(keeper, works=KEEPS, fill={KEY: gpg_home.fingerprint})


@pytest.mark.failure("password-store.invalid-umask")
def test_umask_that_is_not_a_number(exhibit: Exhibit, keeper: Patient) -> None:
    exhibit(keeper.but(PASSWORD_STORE_UMASK="u=rwx"), works=KEEPS)


@pytest.mark.failure("password-store.not-a-directory")
def test_file_in_place_of_the_entries(exhibit: Exhibit, keeper: Patient) -> None:
    (store_of(keeper) / "docker-credential-helpers").touch()
    exhibit(keeper, works=KEEPS)


@pytest.mark.failure("password-store.broken-link")
def test_disk_that_is_not_mounted(exhibit: Exhibit, keeper: Patient) -> None:
    disk = keeper.home / "disk"
    store_of(keeper).rename(keeper.home / "unmounted")
    store_of(keeper).symlink_to(disk)
    mount = ("mount the disk", lambda: (keeper.home / "unmounted").rename(disk))
    exhibit(keeper, works=KEEPS, by=mount)


@pytest.mark.failure("password-store.unreadable")
def test_store_closed_to_its_owner(exhibit: Exhibit, weak: Patient) -> None:
    store_of(weak).chmod(0)
    exhibit(weak, works=KEEPS, prefix=POWERLESS)


@pytest.mark.failure("store-mode.readable-by-others")
def test_others_can_list_the_store(exhibit: Exhibit, keeper: Patient) -> None:
    store_of(keeper).chmod(0o755)
    exhibit(keeper, works=KEEPS, breaks=False)


@pytest.mark.failure("store-mode.writable-by-others")
def test_others_can_write_to_the_store(exhibit: Exhibit, keeper: Patient) -> None:
    store_of(keeper).chmod(0o777)
    exhibit(keeper, works=KEEPS)


@needs_root
@pytest.mark.failure("store-mode.foreign")
def test_store_of_another_user(exhibit: Exhibit, keeper: Patient) -> None:
    give_away(store_of(keeper))
    exhibit(keeper, works=KEEPS)


def sign(home: GpgHome, user: Patient, key: str, *options: str) -> None:
    path = str(key_list(user))
    home.run("--yes", *options, "--local-user", key, "--output", f"{path}.sig", "--detach-sign", path)


@pytest.mark.failure("password-store.signature-missing")
def test_list_without_a_signature(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    exhibit(owner.but(PASSWORD_STORE_SIGNING_KEY=own_home.fingerprint), works=KEEPS)


@pytest.mark.failure("password-store.signature-invalid")
def test_list_changed_since_it_was_signed(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    sign(own_home, owner, own_home.fingerprint)
    with key_list(owner).open("a") as file:
        file.write("# one more\n")
    exhibit(owner.but(PASSWORD_STORE_SIGNING_KEY=own_home.fingerprint), works=KEEPS)


@pytest.mark.failure("password-store.signature-expired")
def test_signature_that_has_expired(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    signer = make_key(own_home, usage="sign")
    sign(own_home, owner, signer, *LONG_AGO, "--default-sig-expire", "seconds=60")
    exhibit(owner.but(PASSWORD_STORE_SIGNING_KEY=signer), works=KEEPS)


@pytest.mark.failure("password-store.signature-not-a-file")
def test_signature_is_a_directory(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    key_list(owner).with_name(".gpg-id.sig").mkdir()
    owner = owner.but(PASSWORD_STORE_SIGNING_KEY=own_home.fingerprint)
    exhibit(owner, works=KEEPS, then={})


@pytest.mark.failure("password-store.signer-expired")
def test_signer_that_has_expired(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    signer = make_key(own_home, usage="sign", expires="seconds=86400")
    sign(own_home, owner, signer, *LONG_AGO)
    exhibit(owner.but(PASSWORD_STORE_SIGNING_KEY=signer), works=KEEPS)


@pytest.mark.failure("password-store.signer-revoked")
def test_signer_that_is_revoked(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    signer = make_key(own_home, usage="sign")
    sign(own_home, owner, signer)
    revoke(own_home, signer)
    owner = owner.but(PASSWORD_STORE_SIGNING_KEY=signer)
    exhibit(owner, works=KEEPS, fill={"<fingerprint>": own_home.fingerprint})


@pytest.mark.failure("password-store.invalid-signing-key")
def test_signer_named_by_its_short_id(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    sign(own_home, owner, own_home.fingerprint)
    short = owner.but(PASSWORD_STORE_SIGNING_KEY=own_home.fingerprint[-16:])
    named = owner.but(PASSWORD_STORE_SIGNING_KEY=own_home.fingerprint)
    exhibit(short, works=KEEPS, by=("gpg --fingerprint", lambda: named))


@pytest.mark.failure("encryption.key-missing")
def test_key_that_gpg_does_not_have(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    encrypt_for(owner, "absent@credhelpers.example")
    exhibit(owner, works=KEEPS, way=1, fill={KEY: own_home.fingerprint})


@pytest.mark.failure("encryption.key-revoked")
def test_key_that_is_revoked(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    other = add_key(own_home)
    revoke(own_home, own_home.fingerprint)
    exhibit(owner, works=KEEPS, fill={KEY: other})


@pytest.mark.failure("encryption.key-expired")
def test_key_that_has_expired(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    encrypt_for(owner, make_key(own_home, expires="seconds=60"))
    exhibit(owner, works=KEEPS)


@pytest.mark.failure("encryption.key-expired")
def test_subkey_that_has_expired(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    key = make_key(own_home)
    own_home.run(*SOON_AFTER, "--passphrase", "", "--quick-set-expire", key, "seconds=60", "*")
    encrypt_for(owner, key)
    exhibit(owner, works=KEEPS)


@pytest.mark.failure("encryption.key-untrusted")
def test_key_brought_from_another_machine(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    with throwaway_gpg_home() as other:
        own_home.run("--import", stdin=other.run("--export-secret-keys"))
        encrypt_for(owner, other.fingerprint)
    exhibit(owner, works=KEEPS)


@pytest.mark.failure("encryption.key-untrusted")
def test_key_of_a_colleague(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    with throwaway_gpg_home() as other:
        own_home.run("--import", stdin=other.run("--export"))
        encrypt_for(owner, own_home.fingerprint, other.fingerprint)
    exhibit(owner, works=KEEPS)


@pytest.mark.failure("encryption.key-disabled")
def test_key_that_is_disabled(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    own_home.run("--edit-key", own_home.fingerprint, "disable", "quit")
    exhibit(owner, works=KEEPS)


@pytest.mark.failure("encryption.no-encryption-key")
def test_key_that_only_signs(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    encrypt_for(owner, make_key(own_home, usage="sign"))
    exhibit(owner, works=KEEPS, way=1, fill={KEY: own_home.fingerprint})


@pytest.mark.failure("encryption.unknown-option")
def test_option_that_gpg_does_not_know(exhibit: Exhibit, owner: Patient) -> None:
    wrong = owner.but(PASSWORD_STORE_GPG_OPTS="--no-such-option")
    mended = ("remove it from PASSWORD_STORE_GPG_OPTS", lambda: owner)
    exhibit(wrong, works=KEEPS, by=mended)


@pytest.mark.failure("encryption.no-keys")
def test_keys_that_are_elsewhere(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    lost = owner.but(GNUPGHOME=str(owner.home / "none"))
    exhibit(lost, works=KEEPS, fill={"DIR": str(own_home.path)})


@needs_root
@pytest.mark.failure("encryption.keys-unreadable")
def test_keys_of_another_user(exhibit: Exhibit, weak: Patient, own_home: GpgHome) -> None:
    end_agent(own_home)
    give_away(own_home.path)
    exhibit(weak, works=KEEPS)


@needs_root
@pytest.mark.failure("decryption.keys-unreadable")
def test_secret_keys_left_by_sudo(exhibit: Exhibit, weak: Patient, own_home: GpgHome) -> None:
    end_agent(own_home)
    give_away(own_home.path / "private-keys-v1.d")
    exhibit(weak, SERVER, works=GETS)


@pytest.mark.failure("decryption.secret-key-missing")
def test_secret_key_that_is_gone(exhibit: Exhibit, owner: Patient, own_home: GpgHome, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(own_home.run("--export-secret-keys"))
    own_home.run("--yes", "--delete-secret-keys", own_home.fingerprint)
    exhibit(owner, SERVER, works=GETS, fill={"<file>": str(tmp_path / "key")})


@pytest.mark.failure("decryption.wrong-agent")
def test_agent_that_does_not_exist(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    end_agent(own_home)
    (own_home.path / "gpg.conf").write_text("agent-program /nonexistent\n")
    exhibit(owner, SERVER, works=GETS)


@pytest.mark.failure("encryption.home-unwritable")
def test_gpg_home_closed_to_its_owner(exhibit: Exhibit, weak: Patient, own_home: GpgHome) -> None:
    end_agent(own_home)
    own_home.path.chmod(0o500)
    exhibit(weak, SERVER, works=KEEPS, prefix=POWERLESS)


@needs_root
@pytest.mark.failure("decryption.agent-unreachable")
def test_agent_is_not_installed(exhibit: Exhibit, owner: Patient, own_home: GpgHome, tmp_path: Path) -> None:
    end_agent(own_home)
    missing = tmp_path / "missing"
    missing.touch()
    hide = f"test ! -e {missing} || mount --bind /dev/null {require('gpg-agent', 'gpg-agent')}"
    bare = wrapped(owner, tmp_path / "bin", in_mounts(hide))
    bare = bare.but(PATH=f"{bare.bin}:{owner.env['PATH']}")
    exhibit(bare, SERVER, works=GETS, by=("apt install gpg-agent", missing.unlink))


@pytest.mark.failure("decryption.home-path-too-long")
def test_agent_with_a_long_path(exhibit: Exhibit, owner: Patient, own_home: GpgHome) -> None:
    end_agent(own_home)
    far = owner.home / ("far" * 30) / "gnupg"
    far.parent.mkdir()
    shutil.copytree(own_home.path, far)
    shorter = own_home.path / "moved"
    exhibit(owner.but(GNUPGHOME=str(far)), SERVER, works=GETS, fill={"DIR": str(shorter)})
    end_agent(GpgHome(shorter, own_home.fingerprint))


@pytest.fixture
def locked(owner: Patient, own_home: GpgHome) -> Patient:
    """The same user, whose key has a passphrase that no agent knows."""
    return lock(owner, own_home)


def lock(owner: Patient, own_home: GpgHome) -> Patient:
    configure_agent(own_home, require("pinentry-curses", "pinentry-curses"))
    encrypt_for(owner, make_key(own_home, passphrase=PASSPHRASE))
    assert owner.helper("pass").store(SERVER, "ada", CANARY).code == 0
    end_agent(own_home)
    return owner


@pytest.mark.failure("decryption.locked")
def test_key_that_is_locked(exhibit: Exhibit, locked: Patient) -> None:
    exhibit(locked, SERVER, works=GETS, types=UNLOCK)


def _absent(path: Path) -> None:
    del path


def _closed(path: Path) -> None:
    path.touch(0o644)


def _broken(path: Path) -> None:
    path.write_text("#!/nonexistent/interpreter\n")
    path.chmod(0o755)


@pytest.mark.failure("decryption.no-pinentry")
@pytest.mark.parametrize("spoil", [_absent, _closed, _broken])
def test_no_pinentry(
    exhibit: Exhibit, locked: Patient, own_home: GpgHome, spoil: Callable[[Path], None]
) -> None:
    spoil(own_home.path / "pinentry")
    configure_agent(own_home, own_home.path / "pinentry")
    exhibit(locked, SERVER, works=GETS, then={"types": UNLOCK})


@pytest.fixture
def member(keeper: Patient, registry: str) -> Patient:
    """A user whose store has the credential for a real registry."""
    docker = Path(require("docker", "docker.io"))
    assert keeper.helper("pass").store(registry, "ada", CANARY).code == 0
    return keeper.but(PATH=f"{keeper.env['PATH']}:{docker.parent}")


def entry_of(user: Patient) -> Path:
    (path,) = store_of(user).rglob("ada.gpg")
    return path


LOGIN = f"ada\n{CANARY}\n"


@pytest.mark.failure("entry.damaged")
def test_entry_that_is_empty(exhibit: Exhibit, member: Patient, registry: str) -> None:
    entry_of(member).write_bytes(b"")
    exhibit(member, registry, works=docker_is_let_in(registry), types=LOGIN)


@pytest.mark.failure("entry.not-a-file")
def test_entry_that_is_a_directory(exhibit: Exhibit, member: Patient, registry: str) -> None:
    entry_of(member).unlink()
    (store_of(member) / "docker-credential-helpers").iterdir().__next__().joinpath("ada.gpg").mkdir()
    exhibit(member, registry, works=docker_is_let_in(registry), then={"types": LOGIN})
