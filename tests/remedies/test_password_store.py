"""A key that is locked, and keys of another user, by what doctor and init say of them."""

import os

from tests.integration.doctor import Patient
from tests.integration.test_remedies_gpg import UNLOCK
from tests.remedies.conftest import needs_root
from tests.remedies.mending import Mending
from tests.support.gpg import PASSPHRASE, GpgHome, configure_agent, end_agent, make_key
from tests.support.tools import require


def test_a_locked_key_is_unlocked(keeper: Patient, own_home: GpgHome, mend: Mending) -> None:
    configure_agent(own_home, require("pinentry-curses", "pinentry-curses"))
    key = make_key(own_home, passphrase=PASSPHRASE)
    (keeper.home / ".password-store" / ".gpg-id").write_text(key + "\n")
    end_agent(own_home)
    keeper = keeper.but(**own_home.env)
    mend(keeper.doctor().of("decryption").remedy, keeper.env, types=[UNLOCK])
    assert keeper.doctor().state("decryption") == "ok"


@needs_root
def test_keys_of_another_user_are_taken_over(keeper: Patient, own_home: GpgHome, mend: Mending) -> None:
    end_agent(own_home)
    os.chown(own_home.path, 12345, 12345)
    keeper = keeper.but(**own_home.env)
    init = ("init", "pass", "--force", "--key", own_home.fingerprint)
    answer = keeper.run(*init)
    mend(answer.err.decode().splitlines()[-1].removeprefix("credhelpers: "), keeper.env)
    assert keeper.run(*init).code == 0
