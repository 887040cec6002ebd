"""A key that is locked, and keys of another user, by what doctor and init say of them."""

import os
from collections.abc import Iterator

import pytest

from tests.integration.doctor import Patient
from tests.integration.test_remedies_gpg import PASSPHRASE, UNLOCK, configure_agent, end_agent, make_key
from tests.remedies.conftest import needs_root
from tests.remedies.mending import Mending
from tests.support.gpg import GpgHome, throwaway_gpg_home
from tests.support.tools import require


@pytest.fixture
def home() -> Iterator[GpgHome]:
    """A GnuPG home that a test may spoil."""
    with throwaway_gpg_home() as home:
        yield home


def test_a_locked_key_is_unlocked(keeper: Patient, home: GpgHome, mend: Mending) -> None:
    configure_agent(home, require("pinentry-curses", "pinentry-curses"))
    key = make_key(home, passphrase=PASSPHRASE)
    (keeper.home / ".password-store" / ".gpg-id").write_text(key + "\n")
    end_agent(home)
    keeper = keeper.but(**home.env)
    mend(keeper.doctor().of("decryption").remedy, keeper.env, types=[UNLOCK])
    assert keeper.doctor().state("decryption") == "ok"


@needs_root
def test_keys_of_another_user_are_taken_over(keeper: Patient, home: GpgHome, mend: Mending) -> None:
    end_agent(home)
    os.chown(home.path, 12345, 12345)
    keeper = keeper.but(**home.env)
    init = ("init", "pass", "--force", "--key", home.fingerprint)
    answer = keeper.run(*init)
    mend(answer.err.decode().splitlines()[-1].removeprefix("credhelpers: "), keeper.env)
    assert keeper.run(*init).code == 0
