"""`credhelpers init pass`: from nothing to a store that works, and never to another key by chance."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ahead import Ahead
from tests.support.gpg import GpgHome, add_key, initialise_password_store, recipients
from tests.support.operator import Operator
from tests.support.tools import require

SERVER = "registry.example:5000"
PASSPHRASE = "canary7d1fe02a correct horse"


@pytest.fixture
def keyless(installed: Path, private_env: dict[str, str]) -> Iterator[Operator]:
    """A user without any key."""
    with user_without_key(installed, private_env) as user:
        yield user


@Ahead
@contextmanager
def ahead(installed: Path, private_env: dict[str, str]) -> Iterator[tuple[Operator]]:
    with user_without_key(installed, private_env) as user:
        yield (user,)


@contextmanager
def user_without_key(installed: Path, private_env: dict[str, str]) -> Iterator[Operator]:
    # Sockets live inside it, and their paths may have 107 bytes.
    path = Path(tempfile.mkdtemp(prefix="ch-init-", dir="/tmp"))
    try:
        yield Operator.at(installed, {**private_env, "GNUPGHOME": str(path / "gnupg")})
    finally:
        for home in path.iterdir():
            subprocess.run(
                [require("gpgconf", "gpgconf"), "--homedir", str(home), "--kill", "all"],
                check=False,
                timeout=30,
            )
        shutil.rmtree(path)


@pytest.fixture
def own_home(keyless: Operator) -> GpgHome:
    """The user's keys, which the test may add to."""
    return home_of(keyless)


def home_of(keyless: Operator) -> GpgHome:
    path = Path(keyless.env["GNUPGHOME"])
    path.mkdir(mode=0o700)
    return GpgHome(path, "")


def key_list(operator: Operator) -> str:
    return (operator.home / ".password-store" / ".gpg-id").read_text()


def can_store(operator: Operator) -> bool:
    helper = operator.helper("pass")
    assert helper.store(SERVER, "ada", "s3cret").code == 0
    return helper.get(SERVER).credentials().secret == "s3cret"


def mode(path: Path | str) -> int:
    return os.stat(path).st_mode & 0o777


def cancel_every_prompt(home: Path) -> None:
    """Put a stand-in for pinentry in place whose user always cancels."""
    program = home / "pinentry"
    program.write_text(
        "#!/bin/sh\necho OK\nwhile read -r verb rest; do\n"
        "case $verb in GETPIN) echo ERR 83886179 Operation cancelled ;;\n"
        "BYE) echo OK; exit ;; *) echo OK ;; esac\ndone\n"
    )
    program.chmod(0o755)
    (home / "gpg-agent.conf").write_text(f"pinentry-program {program}\n")


def test_no_passphrase_makes_a_key_and_warns(
    keyless: Operator,
) -> None:
    result = keyless.succeed("init", "pass", "--no-passphrase")

    assert "no passphrase: a user who can read" in result.err
    assert "is ready" in result.out
    assert can_store(keyless)
    assert mode(keyless.home / ".password-store") == mode(keyless.env["GNUPGHOME"]) == 0o700


def test_the_test_secret_is_erased(keyless: Operator) -> None:
    keyless.succeed("init", "pass", "--no-passphrase")

    assert keyless.helper("pass").stored() == {}
    assert [path for path in (keyless.home / ".password-store").rglob("*") if path.is_file()] == [
        keyless.home / ".password-store" / ".gpg-id"
    ]


def test_a_second_run_changes_nothing(keyless: Operator) -> None:
    first = keyless.succeed("init", "pass", "--no-passphrase", "--json").json()
    before = key_list(keyless)

    second = keyless.succeed("init", "pass", "--no-passphrase", "--json").json()

    store = str(keyless.home / ".password-store")
    assert first == {"store": store, "made_key": True, "initialised": True, "keys": [before.strip()]}
    assert second == {"store": store, "made_key": False, "initialised": False, "keys": [before.strip()]}
    assert key_list(keyless) == before


@pytest.mark.parametrize("name", ["tests@credhelpers.example", "fingerprint", "key id"])
def test_a_key_by_fingerprint_id_or_address(
    installed: Path, private_env: dict[str, str], gpg_home: GpgHome, name: str
) -> None:
    operator = Operator.at(installed, {**private_env, **gpg_home.env})
    names = {"fingerprint": gpg_home.fingerprint, "key id": gpg_home.fingerprint[-16:]}

    operator.succeed("init", "pass", "--key", names.get(name, name))

    assert key_list(operator) == gpg_home.fingerprint + "\n"
    assert can_store(operator)


def test_the_store_is_where_the_variable_says(
    installed: Path, private_env: dict[str, str], gpg_home: GpgHome, tmp_path: Path
) -> None:
    directory = tmp_path / "deep" / "store"
    env = {**private_env, **gpg_home.env, "PASSWORD_STORE_DIR": str(directory)}

    Operator.at(installed, env).succeed("init", "pass", "--key", gpg_home.fingerprint)

    assert (directory / ".gpg-id").read_text() == gpg_home.fingerprint + "\n"
    assert mode(directory) == 0o700
    assert not (Path(env["HOME"]) / ".password-store").exists()


def test_without_a_terminal_an_option_is_needed(keyless: Operator) -> None:
    cause, remedy = keyless.run("init", "pass").complaint

    assert "no terminal" in cause
    assert "--key" in remedy
    assert "--no-passphrase" in remedy
    assert not (keyless.home / ".password-store").exists()


def test_a_key_that_is_not_there_is_named(keyless: Operator) -> None:
    for name in ("nobody@example.com", "--version"):
        cause, remedy = keyless.run("init", "pass", f"--key={name}").complaint
        assert cause.endswith(f" has no secret key of {name}")
        assert "gpg --import" in remedy


def test_an_address_of_two_keys_is_refused(keyless: Operator, own_home: GpgHome) -> None:
    fingerprints = [add_key(own_home), add_key(own_home)]

    cause, remedy = keyless.run("init", "pass", "--key", "tests@credhelpers.example").complaint

    assert cause == "tests@credhelpers.example matches 2 keys"
    assert all(fingerprint in remedy for fingerprint in fingerprints)


def test_an_untrusted_key_is_refused(keyless: Operator, own_home: GpgHome, gpg_home: GpgHome) -> None:
    own_home.run("--import", stdin=gpg_home.run("--export-secret-keys", gpg_home.fingerprint))

    cause, remedy = keyless.run("init", "pass", "--key", gpg_home.fingerprint).complaint

    assert cause == f"the GPG key {gpg_home.fingerprint} is not trusted"
    command = remedy.removeprefix("mark it as your own: ")
    subprocess.run(["/bin/sh", "-c", command], env=keyless.env, check=True, capture_output=True, timeout=60)
    keyless.succeed("init", "pass", "--key", gpg_home.fingerprint)
    assert can_store(keyless)


def test_a_revoked_key_is_refused(keyless: Operator, own_home: GpgHome) -> None:
    fingerprint = add_key(own_home)
    certificate = (own_home.path / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
    own_home.run("--import", stdin=certificate.replace(":-----BEGIN", "-----BEGIN").encode())

    cause, _ = keyless.run("init", "pass", "--key", fingerprint).complaint

    assert cause == f"the GPG key {fingerprint} has been revoked"
    assert not (keyless.home / ".password-store").exists()


def test_the_key_of_a_store_needs_force(keyless: Operator, own_home: GpgHome) -> None:
    former, other = add_key(own_home), add_key(own_home)
    keyless.succeed("init", "pass", "--key", former)
    assert can_store(keyless)

    cause, remedy = keyless.run("init", "pass", "--key", other).complaint

    assert former in cause
    assert f"pass init {other}" in remedy
    assert "--force" in remedy
    assert key_list(keyless) == former + "\n"


def test_force_changes_the_key_of_a_store(keyless: Operator, own_home: GpgHome) -> None:
    former, other = add_key(own_home), add_key(own_home)
    keyless.succeed("init", "pass", "--key", former)
    assert can_store(keyless)

    result = keyless.succeed("init", "pass", "--key", other, "--force")

    assert key_list(keyless) == other + "\n"
    assert former in result.err
    assert f"pass init {other}" in result.err
    helper = keyless.helper("pass")
    assert helper.get(SERVER).credentials().secret == "s3cret"
    helper.store("new.example", "ada", "s3cret")
    files = list((keyless.home / ".password-store").rglob("*.gpg"))
    assert len(set.union(*(recipients(own_home, file) for file in files))) == 2

    require("pass", "pass")
    remedy = result.err.splitlines()[-1].partition(": pass init")
    subprocess.run(["sh", "-c", "pass init" + remedy[2]], env=keyless.env, check=True, timeout=60)
    files = list((keyless.home / ".password-store").rglob("*.gpg"))
    assert len(set.union(*(recipients(own_home, file) for file in files))) == 1


def test_the_key_of_a_store_in_other_spelling(
    installed: Path, private_env: dict[str, str], gpg_home: GpgHome
) -> None:
    operator = Operator.at(installed, {**private_env, **gpg_home.env})
    initialise_password_store(operator.home / ".password-store", gpg_home)
    operator.write(".password-store/.gpg-id", "tests@credhelpers.example # mine\n")

    report = operator.succeed("init", "pass", "--key", gpg_home.fingerprint, "--json").json()

    assert not report["initialised"]
    assert key_list(operator) == "tests@credhelpers.example # mine\n"


def test_a_store_open_to_others_is_closed(
    installed: Path, password_store_env: dict[str, str], private_env: dict[str, str]
) -> None:
    store = Path(private_env["HOME"], ".password-store")
    store.chmod(0o755)

    Operator.at(installed, password_store_env).succeed("init", "pass")

    assert mode(store) == 0o700


def test_a_shared_store_stays_shared(installed: Path, password_store_env: dict[str, str]) -> None:
    operator = Operator.at(installed, {**password_store_env, "PASSWORD_STORE_UMASK": "027"})
    store = operator.home / ".password-store"
    store.chmod(0o750)

    operator.succeed("init", "pass")

    assert mode(store) == 0o750


def test_a_store_whose_key_is_lost_fails(keyless: Operator) -> None:
    (keyless.home / ".password-store").mkdir()
    keyless.write(".password-store/.gpg-id", "0123456789ABCDEF0123456789ABCDEF01234567\n")

    cause, remedy = keyless.run("init", "pass", "--no-passphrase").complaint

    assert "0123456789ABCDEF0123456789ABCDEF01234567" in cause
    assert remedy
    assert not GpgHome(Path(keyless.env["GNUPGHOME"]), "").run("--list-secret-keys")


def test_a_machine_without_gpg_is_an_error(keyless: Operator, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    cause, remedy = keyless.but(PATH=str(empty)).run("init", "pass", "--no-passphrase").complaint

    assert cause.startswith("GnuPG is not installed")
    assert "apt install gnupg" in remedy


def test_key_and_no_passphrase_exclude_each_other(keyless: Operator) -> None:
    result = keyless.run("init", "pass", "--key", "x", "--no-passphrase")

    assert result.code == 2
    assert "Usage: " in result.err


def test_the_key_list_is_committed_to_git(
    installed: Path, private_env: dict[str, str], gpg_home: GpgHome
) -> None:
    git = require("git", "git")
    operator = Operator.at(installed, {**private_env, **gpg_home.env})
    store = operator.home / ".password-store"
    who = ["-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    subprocess.run([git, *who, "init", "--quiet", str(store)], env=operator.env, check=True, timeout=60)
    operator.write(".gitconfig", "[user]\nname = ada\nemail = ada@example.com\n")

    operator.succeed("init", "pass", "--key", gpg_home.fingerprint)

    log = subprocess.run(
        [git, "-C", str(store), "log", "--format=%s", "--", ".gpg-id"],
        env=operator.env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert log.stdout == f"Set GPG id to {gpg_home.fingerprint}.\n"


def test_at_a_terminal_the_user_picks_a_key(keyless: Operator, own_home: GpgHome) -> None:
    fingerprints = [add_key(own_home), add_key(own_home)]

    with keyless.at_terminal("init", "pass") as terminal:
        terminal.expect("a new key")
        terminal.expect("Encrypt for")
        terminal.type("2\n")
        terminal.expect("is ready")
        assert terminal.finish() == 0

    assert all(fingerprint in terminal.shown for fingerprint in fingerprints)
    assert "Password store" not in terminal.shown
    assert key_list(keyless).strip() in fingerprints
    listed = sorted(fingerprints, key=terminal.shown.index)
    assert key_list(keyless) == listed[1] + "\n"


def test_no_key_without_its_passphrase(keyless: Operator, own_home: GpgHome) -> None:
    cancel_every_prompt(own_home.path)

    with keyless.at_terminal("init", "pass") as terminal:
        terminal.expect("Make one?")
        terminal.type("\n")
        terminal.expect("credhelpers: gpg made no key")
        terminal.expect("--no-passphrase")
        assert terminal.finish() == 1

    assert not (keyless.home / ".password-store").exists()


def test_the_user_can_refuse_a_new_key(keyless: Operator) -> None:
    with keyless.at_terminal("init", "pass") as terminal:
        terminal.expect("Make one?")
        terminal.type("n\n")
        assert terminal.finish() == 1

    assert not (keyless.home / ".password-store").exists()


@ahead
def test_pinentry_asks_for_a_new_passphrase(keyless: Operator) -> None:
    program = require("pinentry-curses", "pinentry-curses")
    (home_of(keyless).path / "gpg-agent.conf").write_text(f"s2k-count 65536\npinentry-program {program}\n")

    with keyless.at_terminal("init", "pass") as terminal:
        terminal.expect("Make one?")
        terminal.type("\n")
        for dialog in ("protect your new key", "re-enter", "unlock the OpenPGP secret key"):
            terminal.expect(dialog)
            terminal.expect("<Cancel>")
            terminal.type(PASSPHRASE + "\r")
        terminal.expect("It encrypts for")
        assert terminal.finish() == 0

    assert PASSPHRASE not in terminal.shown
    assert can_store(keyless)
