"""A throwaway GnuPG home with one key, and password stores encrypted to it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.support.tools import SYSTEM_PATH, require

_ONE_KEY = """\
%no-protection
Key-Type: EDDSA
Key-Curve: ed25519
Subkey-Type: ECDH
Subkey-Curve: cv25519
Name-Real: credhelpers tests
Name-Email: tests@credhelpers.example
Expire-Date: 0
%commit
"""


LONG_AGO = ("--faked-system-time", "20200101T000000")
SOON_AFTER = ("--faked-system-time", "20200101T000010")
"""For a change of a key that was made then: gpg waits a second for a signature later than the last one."""
PASSPHRASE = "correct horse 1"


@dataclass(frozen=True)
class GpgHome:
    """A GNUPGHOME and the fingerprint of the one key in it, which has no passphrase."""

    path: Path
    fingerprint: str

    @property
    def env(self) -> dict[str, str]:
        """What a process needs in its environment to use this home."""
        return {"GNUPGHOME": str(self.path)}

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run gpg in this home and return its standard output."""
        command = [require("gpg", "gnupg"), "--batch", "--quiet", *arguments]
        environment = {**self.env, "PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "HOME": str(self.path)}
        done = subprocess.run(
            command, input=stdin, env=environment, capture_output=True, timeout=60, check=True
        )
        return done.stdout


@contextmanager
def throwaway_gpg_home() -> Iterator[GpgHome]:
    """Make a GnuPG home with a fresh key; end its agent and remove it afterwards."""
    # Sockets live inside it, and their paths may have 107 bytes: pytest's own directories are too deep.
    path = Path(tempfile.mkdtemp(prefix="ch-gpg-", dir="/tmp"))
    gpgconf = require("gpgconf", "gpgconf")
    try:
        home = GpgHome(path, "")
        home.run("--gen-key", stdin=_ONE_KEY.encode())
        yield GpgHome(path, _fingerprints(home)[0])
    finally:
        subprocess.run([gpgconf, "--homedir", str(path), "--kill", "all"], check=False, timeout=30)
        shutil.rmtree(path, ignore_errors=True)


def initialise_password_store(directory: Path, home: GpgHome) -> Path:
    """Make `directory` a password store for the key of `home`, as `pass init` does, and return it."""
    directory.mkdir(mode=0o700, parents=True)
    (directory / ".gpg-id").write_text(home.fingerprint + "\n")
    return directory


def password_store_of(env: dict[str, str], home: GpgHome) -> dict[str, str]:
    """Return the environment of a user who has a key and an empty password store in ~/.password-store."""
    initialise_password_store(Path(env["HOME"], ".password-store"), home)
    return {**env, **home.env}


def add_key(home: GpgHome) -> str:
    """Make one more key in `home` and return its fingerprint."""
    before = set(_fingerprints(home))
    home.run("--gen-key", stdin=_ONE_KEY.encode())
    return next(fingerprint for fingerprint in _fingerprints(home) if fingerprint not in before)


def make_key(
    home: GpgHome,
    email: str = "someone@credhelpers.example",
    *,
    usage: str = "default",
    expires: str = "never",
    passphrase: str = "",
) -> str:
    """Make a key as of long ago, in the form of --quick-generate-key, and return its fingerprint."""
    before = home.run("--list-keys", "--with-colons").decode()
    home.run(
        *("--pinentry-mode", "loopback", "--passphrase", passphrase, *LONG_AGO),
        *("--quick-generate-key", email, "future-default", usage, expires),
    )
    keys = home.run("--list-keys", "--with-colons").decode().splitlines()
    return next(line.split(":")[9] for line in keys if line.startswith("fpr") and line not in before)


def revoke(home: GpgHome, fingerprint: str) -> None:
    """Revoke a key by the certificate that gpg made with it."""
    certificate = (home.path / "openpgp-revocs.d" / f"{fingerprint}.rev").read_text()
    home.run("--import", stdin=certificate.replace(":-----BEGIN", "-----BEGIN").encode())


def configure_agent(home: GpgHome, pinentry: str | Path) -> None:
    """Let the agent ask by a pinentry, with keys of passphrases that are quick to make."""
    # Without it each new agent takes seconds to measure how slow a passphrase's key can be made.
    (home.path / "gpg-agent.conf").write_text(f"s2k-count 65536\npinentry-program {pinentry}\n")
    end_agent(home)


def end_agent(home: GpgHome) -> None:
    """End the agent, which forgets all passphrases."""
    subprocess.run([require("gpgconf", "gpgconf"), "--homedir", str(home.path), "--kill", "all"], check=True)


def recipients(home: GpgHome, encrypted: Path) -> set[str]:
    """Return the ids of the keys to which a file is encrypted."""
    packets = home.run("--list-only", "--list-packets", str(encrypted)).decode()
    return {line.split("keyid ")[1] for line in packets.splitlines() if line.startswith(":pubkey enc packet")}


def encryption_key_id(home: GpgHome, fingerprint: str) -> str:
    """Return the id of the subkey that encrypts to a key."""
    keys = home.run("--list-keys", "--with-colons", fingerprint).decode()
    return next(line for line in keys.splitlines() if line.startswith("sub:")).split(":")[4]


def _fingerprints(home: GpgHome) -> list[str]:
    """Return the fingerprints of the keys, without those of their subkeys."""
    lines = [
        line.split(":") for line in home.run("--list-secret-keys", "--with-colons").decode().splitlines()
    ]
    return [next_line[9] for line, next_line in pairwise(lines) if line[0] == "sec" and next_line[0] == "fpr"]
