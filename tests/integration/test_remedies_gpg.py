"""Each remedy for a fault of GnuPG or of the password store is run as printed; then the fault is gone."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.pass_store import Store
from tests.support.ahead import Ahead
from tests.support.client import Helper
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
from tests.support.operator import Operator
from tests.support.terminal import Terminal
from tests.support.tools import require

SERVER = "https://registry.example/v1/"
PLACEHOLDER = "<your GPG key>"


@pytest.fixture
def store(private_env: dict[str, str], own_home: GpgHome, installed: Path) -> Store:
    """A store with one entry, of a user who finds `credhelpers` on PATH."""
    return store_at(private_env, own_home, installed)


def store_at(private_env: dict[str, str], own_home: GpgHome, installed: Path) -> Store:
    directory = Path(private_env["HOME"], "my store's", ".password-store")
    directory.mkdir(mode=0o700, parents=True)
    (directory / ".gpg-id").write_text(own_home.fingerprint)
    env = {**private_env, **own_home.env, "PASSWORD_STORE_DIR": str(directory)}
    env["PATH"] = f"{installed}:{env['PATH']}"
    store = Store(Helper(installed / "docker-credential-pass", env), directory)
    assert store.helper.store(SERVER, "me", "secret").code == 0
    return store


def command_in(remedy: str, *, before: str = "; ") -> str:
    """Return the command of a remedy: what stands behind its first colon, up to the next alternative."""
    return remedy.partition(": ")[2].partition(before)[0]


def run(store: Store, command: str, key: str = "") -> None:
    """Run a command in a shell, as a person would who has filled in the key."""
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace(PLACEHOLDER, key)],
        env=dict(store.helper.env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, (command, done)


def run_at_terminal(store: Store, command: str, *typed: tuple[str, str]) -> None:
    """Run a command at a terminal and type an answer to each prompt."""
    with Terminal(["/bin/sh", "-c", command], store.helper.env) as terminal:
        for prompt, answer in typed:
            terminal.expect(prompt)
            terminal.type(answer)
        assert terminal.finish() == 0, terminal.shown


def entry(store: Store) -> Path:
    return store.folder_of(SERVER) / "me.gpg"


def works(store: Store) -> bool:
    """Return whether a secret can be stored and read back."""
    answer = store.helper.store(SERVER, "me", "new")
    assert answer.code == 0, answer
    return store.secret(SERVER) == "new"


def expire_subkeys(own_home: GpgHome, fingerprint: str) -> None:
    own_home.run(*SOON_AFTER, "--passphrase", "", "--quick-set-expire", fingerprint, "seconds=60", "*")


def encrypt_for(store: Store, fingerprint: str) -> None:
    (store.directory / ".gpg-id").write_text(fingerprint + "\n")


EXPIRIES = ["primary key", "subkey", "both", "one subkey of two"]


def make_expired_key(own_home: GpgHome, what: str) -> str:
    if what == "primary key":
        return make_key(own_home, expires="seconds=60")
    fingerprint = make_key(own_home, expires="seconds=120" if what == "both" else "never")
    if what == "one subkey of two":
        own_home.run(
            *LONG_AGO, "--passphrase", "", "--quick-add-key", fingerprint, "cv25519", "encr", "seconds=60"
        )
    expire_subkeys(own_home, fingerprint)
    return fingerprint


@pytest.mark.parametrize("what", EXPIRIES)
def test_remedy_for_an_expired_key(store: Store, own_home: GpgHome, what: str) -> None:
    encrypt_for(store, make_expired_key(own_home, what))
    cause, remedy = store.refused(SERVER)
    assert cause.endswith(" has expired")
    run(store, command_in(remedy))
    assert works(store)


@pytest.mark.parametrize("what", EXPIRIES)
def test_remedy_of_init_for_an_expired_key(
    store: Store, own_home: GpgHome, installed: Path, what: str
) -> None:
    fingerprint = make_expired_key(own_home, what)
    operator = Operator(installed, dict(store.helper.env))
    _, remedy = operator.run("init", "pass", "--force", "--key", fingerprint).complaint
    run(store, command_in(remedy))
    operator.succeed("init", "pass", "--force", "--key", fingerprint)
    assert works(store)


def test_remedy_for_a_revoked_key(store: Store, own_home: GpgHome) -> None:
    fingerprint = make_key(own_home)
    encrypt_for(store, fingerprint)
    revoke(own_home, fingerprint)
    _, remedy = store.refused(SERVER)
    run(store, command_in(remedy), own_home.fingerprint)
    assert works(store)


def test_remedy_for_a_revoked_key_of_a_folder(store: Store, own_home: GpgHome) -> None:
    fingerprint = make_key(own_home)
    (store.folder / ".gpg-id").write_text(fingerprint)
    revoke(own_home, fingerprint)
    _, remedy = store.refused(SERVER)
    run(store, command_in(remedy), own_home.fingerprint)
    assert works(store)


def test_remedy_for_a_revoked_key_of_the_variable(store: Store, own_home: GpgHome) -> None:
    fingerprint = make_key(own_home)
    revoke(own_home, fingerprint)
    _, remedy = store.with_env(PASSWORD_STORE_KEY=fingerprint).refused(SERVER)
    assert remedy == "choose another key: set PASSWORD_STORE_KEY to <your GPG key>"
    assert works(store.with_env(PASSWORD_STORE_KEY=own_home.fingerprint))


def test_remedy_for_a_missing_public_key(store: Store, own_home: GpgHome, tmp_path: Path) -> None:
    with throwaway_gpg_home() as other:
        (tmp_path / "key").write_bytes(other.run("--export-secret-keys"))
        encrypt_for(store, other.fingerprint)
        cause, remedy = store.refused(SERVER)
        assert cause == f"there is no public key for {other.fingerprint}"
        run(store, command_in(remedy).replace("<file>", str(tmp_path / "key")))
    cause, remedy = store.refused(SERVER)  # it is not trusted yet
    run(store, command_in(remedy))
    assert works(store)


@pytest.mark.parametrize("whose", ["one's own", "a colleague's", "a colleague's without one's own"])
def test_remedy_for_a_key_that_is_not_trusted(store: Store, own_home: GpgHome, whose: str) -> None:
    with throwaway_gpg_home() as other:
        if whose == "one's own":
            own_home.run("--import", stdin=other.run("--export-secret-keys"))
        else:
            own_home.run("--import", stdin=other.run("--export"))
        fingerprint = other.fingerprint
    if whose.endswith("without one's own"):
        own_home.run("--yes", "--delete-secret-keys", own_home.fingerprint)
    encrypt_for(store, fingerprint)
    cause, remedy = store.refused(SERVER)
    assert cause == f"the GPG key {fingerprint} is not trusted"
    run(store, command_in(remedy))
    assert store.helper.store(SERVER, "me", "new").code == 0


def test_remedy_for_a_disabled_key(store: Store, own_home: GpgHome, installed: Path) -> None:
    for _ in range(2):
        own_home.run("--edit-key", own_home.fingerprint, "disable", "quit")
        cause, remedy = store.refused(SERVER)
        assert cause == f"the GPG key {own_home.fingerprint} is disabled"
        run(store, command_in(remedy))
        assert works(store)
    own_home.run("--edit-key", own_home.fingerprint, "disable", "quit")
    operator = Operator(installed, dict(store.helper.env))
    _, remedy = operator.run("init", "pass", "--key", own_home.fingerprint).complaint
    run(store, command_in(remedy))
    operator.succeed("init", "pass", "--key", own_home.fingerprint)


def test_remedy_for_a_missing_secret_key(store: Store, own_home: GpgHome, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(own_home.run("--export-secret-keys"))
    own_home.run("--yes", "--delete-secret-keys", own_home.fingerprint)
    cause, remedy = store.unreadable(SERVER)
    assert cause.startswith("there is no secret key to decrypt ")
    run(store, command_in(remedy).replace("<file>", str(tmp_path / "key")))
    assert store.secret(SERVER) == "secret"


@pytest.mark.parametrize("content", [b"", b"rubbish"])
def test_remedy_for_a_damaged_entry(store: Store, content: bytes) -> None:
    entry(store).write_bytes(content)
    _, remedy = store.unreadable(SERVER)
    assert remedy == f"store the credentials again: docker login '{SERVER}'"
    assert works(store)


@pytest.fixture
def locked(store: Store, own_home: GpgHome) -> Store:
    """A store for a key with a passphrase that no agent knows, and that is asked for on a terminal."""
    return lock(store, own_home)


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Store, GpgHome]]:
    """A store as it is for the other tests, and its keys."""
    with throwaway_gpg_home() as home:
        yield store_at(private_env, home, installed), home


def lock(store: Store, own_home: GpgHome) -> Store:
    configure_agent(own_home, require("pinentry-curses", "pinentry-curses"))
    encrypt_for(store, make_key(own_home, passphrase=PASSPHRASE))
    assert store.helper.store(SERVER, "me", "locked").code == 0
    end_agent(own_home)
    return store


UNLOCK = ("<Cancel>", PASSPHRASE + "\r")


def unprivileged(store: Store) -> Helper:
    """Return the helper as a process to which the modes of files apply, even if root's."""
    wrapper = store.directory.parent / "docker-credential-pass"
    caps = "-dac_override,-dac_read_search"
    setpriv = require("setpriv", "util-linux") + f" --bounding-set {caps}" if os.geteuid() == 0 else ""
    wrapper.write_text(f'#!/bin/sh\nexec {setpriv} "{store.helper.executable}" "$@"\n')
    wrapper.chmod(0o755)
    return Helper(wrapper, store.helper.env)


def test_remedy_for_a_wrong_agent(store: Store, own_home: GpgHome) -> None:
    end_agent(own_home)
    (own_home.path / "gpg.conf").write_text("agent-program /nonexistent\n")
    cause, remedy = store.unreadable(SERVER)
    assert cause.startswith("gpg cannot reach its agent: ")
    run(store, command_in(remedy))
    assert store.secret(SERVER) == "secret"


def test_remedy_for_an_unknown_option(store: Store) -> None:
    wrong = store.with_env(PASSWORD_STORE_GPG_OPTS="--no-such-option")
    for cause, remedy in (wrong.unreadable(SERVER), wrong.refused(SERVER)):
        assert cause == 'gpg does not know one of its options: invalid option "--no-such-option"'
        assert remedy == "remove it from PASSWORD_STORE_GPG_OPTS"
    assert works(store)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_remedy_for_keys_of_another_user(store: Store, own_home: GpgHome) -> None:
    end_agent(own_home)
    for path in [own_home.path, *own_home.path.rglob("*")]:
        os.chown(path, 65534, 65534)
    denied = Store(unprivileged(store), store.directory)
    cause, remedy = denied.unreadable(SERVER)
    assert cause.startswith("gpg cannot read its keys: ")
    run(store, command_in(remedy))
    assert denied.secret(SERVER) == "secret"


def test_remedy_for_keys_that_are_elsewhere(store: Store, own_home: GpgHome, tmp_path: Path) -> None:
    _, remedy = store.with_env(GNUPGHOME=str(tmp_path / "none")).unreadable(SERVER)
    assert remedy == "name the directory with your keys: export GNUPGHOME=DIR"
    assert store.with_env(GNUPGHOME=str(own_home.path)).secret(SERVER) == "secret"


@pytest.mark.parametrize("fault", ["fifo", "directory", "dangling link"])
def test_remedy_for_a_special_file_as_entry(store: Store, fault: str) -> None:
    entry(store).unlink()
    make_special(entry(store), fault)
    _, remedy = store.unreadable(SERVER)
    assert remedy.endswith(f"; then: docker login '{SERVER}'")
    run(store, command_in(remedy))
    assert store.helper.get(SERVER).code == 1
    assert works(store)


def make_special(path: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/nonexistent")


@pytest.mark.parametrize("place", ["store", "folder", "server", "entry", "key list"])
def test_remedy_for_a_store_without_access(store: Store, place: str) -> None:
    path = {
        "store": store.directory,
        "folder": store.folder,
        "server": store.folder_of(SERVER),
        "entry": entry(store),
        "key list": store.directory / ".gpg-id",
    }[place]
    denied = Store(unprivileged(store), store.directory)
    path.chmod(0)
    _, remedy = denied.refused(SERVER) if place == "key list" else denied.unreadable(SERVER)
    run(store, command_in(remedy))
    assert works(denied)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_remedy_for_a_store_of_another_user(store: Store) -> None:
    for path in [store.directory, *store.directory.rglob("*")]:
        os.chown(path, 65534, 65534)
    denied = Store(unprivileged(store), store.directory)
    _, remedy = denied.unreadable(SERVER)
    run(store, command_in(remedy))
    assert works(denied)


def test_remedy_for_a_file_as_store(store: Store, own_home: GpgHome) -> None:
    store.directory.rename(store.directory.with_name("kept"))
    store.directory.write_text("")
    cause, remedy = store.unreadable(SERVER)
    assert cause.endswith("Not a directory")
    assert store.refused(SERVER)[1] == remedy
    run(store, command_in(remedy))
    cause, remedy = store.refused(SERVER)
    assert cause == f"there is no password store in {store.directory}"
    run(store, command_in(remedy) + f" --key {own_home.fingerprint}")  # there is no terminal to choose it on
    assert works(store)


def test_remedy_for_a_missing_store(store: Store) -> None:
    store.directory.rename(store.directory.with_name("kept"))
    _, remedy = store.refused(SERVER)
    run_at_terminal(store, command_in(remedy), ("Encrypt for", "\n"))
    assert works(store)


@pytest.mark.parametrize("fault", ["fifo", "directory", "dangling link", "NUL", "large"])
def test_remedy_for_a_special_file_as_key_list(store: Store, own_home: GpgHome, fault: str) -> None:
    path = store.directory / ".gpg-id"
    path.unlink()
    if fault in ("NUL", "large"):
        path.write_bytes(b"\0" if fault == "NUL" else b"#" * (1 << 20))
    else:
        make_special(path, fault)
    _, remedy = store.refused(SERVER)
    run(store, command_in(remedy), own_home.fingerprint)
    assert works(store)


def test_remedy_for_an_empty_key_list(store: Store, own_home: GpgHome) -> None:
    (store.directory / ".gpg-id").write_text("# nobody\n")
    _, remedy = store.refused(SERVER)
    run(store, command_in(remedy), own_home.fingerprint)
    assert works(store)


@pytest.mark.parametrize("fault", ["group", "world", "directory"])
def test_remedy_for_a_key_list_others_may_write(store: Store, fault: str) -> None:
    path = store.directory / ".gpg-id"
    (path.parent if fault == "directory" else path).chmod({"group": 0o664, "world": 0o646}.get(fault, 0o777))
    _, remedy = store.refused(SERVER)
    run(store, remedy.rpartition(": ")[2])
    assert works(store)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_remedy_for_a_key_list_of_another_user(store: Store) -> None:
    path = store.directory / ".gpg-id"
    path.chmod(0o644)
    os.chown(path, 65534, 65534)
    _, remedy = store.refused(SERVER)
    run(store, command_in(remedy))
    assert works(store)


def sign(home: GpgHome, path: Path, key: str, *options: str) -> None:
    home.run("--yes", *options, "--local-user", key, "--output", f"{path}.sig", "--detach-sign", str(path))


@pytest.mark.parametrize(
    "fault",
    ["unsigned", "by another key", "changed since", "rubbish", "fifo", "expired signature", "expired key"],
)
def test_remedy_for_a_key_list_that_is_not_signed(store: Store, own_home: GpgHome, fault: str) -> None:
    path = store.directory / ".gpg-id"
    signer = make_key(own_home, usage="sign", expires="seconds=86400" if fault == "expired key" else "never")
    if fault in ("expired signature", "expired key"):
        sign(
            own_home,
            path,
            signer,
            *LONG_AGO,
            *(["--default-sig-expire", "seconds=60"] if "sig" in fault else []),
        )
    elif fault != "unsigned":
        sign(own_home, path, own_home.fingerprint if fault == "by another key" else signer)
    if fault == "changed since":
        path.write_text(path.read_text() + "\n")
    elif fault in ("rubbish", "fifo"):
        path.with_name(".gpg-id.sig").unlink()
        if fault == "fifo":
            os.mkfifo(path.with_name(".gpg-id.sig"))
        else:
            path.with_name(".gpg-id.sig").write_bytes(b"rubbish")
    signed = store.with_env(PASSWORD_STORE_SIGNING_KEY=signer)
    _, remedy = signed.refused(SERVER)
    if fault == "fifo":
        run(store, command_in(remedy))
        _, remedy = signed.refused(SERVER)
    run(store, command_in(remedy) if fault == "expired key" else remedy.rpartition(": ")[2])
    assert works(signed)


def test_remedy_for_a_list_of_a_revoked_signer(store: Store, own_home: GpgHome) -> None:
    path = store.directory / ".gpg-id"
    signer = make_key(own_home, usage="sign")
    sign(own_home, path, signer)
    revoke(own_home, signer)
    _, remedy = store.with_env(PASSWORD_STORE_SIGNING_KEY=signer).refused(SERVER)
    run(store, command_in(remedy).replace("<fingerprint>", own_home.fingerprint))
    assert works(store.with_env(PASSWORD_STORE_SIGNING_KEY=own_home.fingerprint))


def test_remedy_for_a_wrong_signing_key(store: Store, own_home: GpgHome) -> None:
    sign(own_home, store.directory / ".gpg-id", own_home.fingerprint)
    _, remedy = store.with_env(PASSWORD_STORE_SIGNING_KEY=own_home.fingerprint[-16:]).refused(SERVER)
    printed = subprocess.run(
        ["/bin/sh", "-c", command_in(remedy).replace(PLACEHOLDER, own_home.fingerprint[-16:])],
        env=dict(store.helper.env),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    fingerprint = re.search(r"(?:[0-9A-F]{4} +){9}[0-9A-F]{4}", printed)
    assert fingerprint
    assert works(store.with_env(PASSWORD_STORE_SIGNING_KEY=fingerprint[0].replace(" ", "")))


@pytest.mark.parametrize("level", ["all servers", "one server"])
def test_remedy_for_a_link_out_of_the_store(store: Store, tmp_path: Path, level: str) -> None:
    link = store.folder if level == "all servers" else store.folder_of(SERVER)
    link.rename(tmp_path / "outside")
    link.symlink_to(tmp_path / "outside")
    _, remedy = store.refused(SERVER)
    run(store, command_in(remedy))
    assert works(store)


def test_remedy_of_init_for_another_key(store: Store, own_home: GpgHome, installed: Path) -> None:
    other = add_key(own_home)
    operator = Operator(installed, dict(store.helper.env))
    _, remedy = operator.run("init", "pass", "--key", other).complaint
    assert "--force" in remedy
    require("pass", "pass")
    run(store, command_in(remedy))
    assert (store.directory / ".gpg-id").read_text() == other + "\n"
    operator.succeed("init", "pass", "--key", other)


def test_remedy_of_init_for_two_keys(store: Store, own_home: GpgHome, installed: Path) -> None:
    add_key(own_home)
    operator = Operator(installed, dict(store.helper.env))
    _, remedy = operator.run("init", "pass", "--key", "tests@credhelpers.example").complaint
    named = command_in(remedy).split(" or ")
    assert own_home.fingerprint in named
    operator.succeed("init", "pass", "--force", "--key", named[-1])


@ahead
def test_remedy_for_an_unanswered_prompt(store: Store, own_home: GpgHome) -> None:
    locked = lock(store, own_home)
    silent = own_home.path / "pinentry"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    configure_agent(own_home, str(silent))
    cause, remedy = locked.unreadable(SERVER)
    assert cause.startswith("gpg did not answer within 4.5 s: most likely the key is locked")
    configure_agent(own_home, require("pinentry-curses", "pinentry-curses"))  # the person is there now
    run_at_terminal(locked, command_in(remedy), UNLOCK)
    assert locked.secret(SERVER) == "locked"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give terminals away")
@ahead
def test_remedy_for_a_terminal_of_another_user(store: Store, own_home: GpgHome) -> None:
    """What su leaves behind: GPG_TTY, or the terminal itself, is another user's."""
    locked = lock(store, own_home)
    ours, theirs = os.openpty()
    try:
        name = os.ttyname(theirs)
        os.fchown(theirs, 65534, -1)
        os.fchmod(theirs, 0o600)
        after_su = Store(unprivileged(locked), locked.directory).with_env(GPG_TTY=name)
        cause, remedy = after_su.unreadable(SERVER)
        assert f"ask for its passphrase on the terminal {name}: it belongs to another user" in cause
        inherited = subprocess.run(
            [str(after_su.helper.executable), "get"],
            input=SERVER.encode(),
            env=dict(locked.helper.env),
            stderr=theirs,
            stdout=subprocess.PIPE,
            timeout=30,
            check=False,
        )
        assert inherited.stdout.decode().rstrip("\n") == cause
    finally:
        os.close(ours)
        os.close(theirs)
    run_at_terminal(locked, command_in(remedy), UNLOCK)
    assert locked.secret(SERVER) == "locked"


@ahead
def test_remedy_for_a_locked_key(store: Store, own_home: GpgHome) -> None:
    locked = lock(store, own_home)
    cause, remedy = locked.unreadable(SERVER)
    assert cause.startswith("the GPG key is locked")
    run_at_terminal(locked, command_in(remedy), UNLOCK)
    assert locked.secret(SERVER) == "locked"


@ahead
def test_remedy_for_a_key_that_cannot_encrypt(store: Store, own_home: GpgHome) -> None:
    fingerprint = make_key(own_home, usage="sign")
    operator = Operator(store.helper.executable.parent, dict(store.helper.env))
    _, of_init = operator.run("init", "pass", "--force", "--key", fingerprint).complaint
    encrypt_for(store, fingerprint)
    cause, remedy = store.refused(SERVER)
    assert cause == f"the GPG key {fingerprint} cannot encrypt"
    assert command_in(of_init) == command_in(remedy)
    configure_agent(own_home, require("pinentry-curses", "pinentry-curses"))
    twice = ("<Cancel>", PASSPHRASE + "\r")
    run_at_terminal(store, command_in(remedy), twice, twice)
    assert store.helper.store(SERVER, "me", "new").code == 0


@ahead
def test_remedy_for_a_prompt_that_times_out(store: Store, own_home: GpgHome) -> None:
    locked = lock(store, own_home)
    with (own_home.path / "gpg-agent.conf").open("a") as configuration:
        configuration.write("pinentry-timeout 1\n")
    end_agent(own_home)
    ask = f"printf %s {SERVER} | {locked.helper.executable} get"
    with Terminal(["/bin/sh", "-c", ask], locked.helper.env) as terminal:
        assert terminal.finish() == 1
    assert "the GPG key's passphrase was missing or wrong" in terminal.shown
    remedy = terminal.shown.rpartition("docker-credential-pass: try again, or ")[2].splitlines()[0]
    configure_agent(own_home, require("pinentry-curses", "pinentry-curses"))
    run_at_terminal(locked, command_in(remedy), UNLOCK)
    assert locked.secret(SERVER) == "locked"


@pytest.mark.parametrize("fault", ["does not exist", "may not be executed", "does not work"])
@ahead
def test_remedy_for_a_wrong_pinentry(store: Store, own_home: GpgHome, *, fault: str) -> None:
    locked = lock(store, own_home)
    named = own_home.path / "no pinentry"
    if fault != "does not exist":
        named.write_text("#!/nonexistent/interpreter\n")
        named.chmod(0o755 if fault == "does not work" else 0o644)
    configure_agent(own_home, str(named))
    cause, remedy = locked.unreadable(SERVER)
    assert cause.endswith(f"{named}, which {own_home.path}/gpg-agent.conf names, {fault}")
    assert "apt install" not in remedy
    run(locked, command_in(remedy))
    run_at_terminal(locked, remedy.partition("; then ")[2].partition(": ")[2], UNLOCK)
    assert locked.secret(SERVER) == "locked"
