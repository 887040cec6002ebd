"""A key that is locked, and keys of another user, by what doctor and init say of them."""

import os

from tests.integration.doctor import Patient
from tests.remedies.conftest import needs_root
from tests.remedies.mending import Mending
from tests.support.gpg import GpgHome, end_agent


@needs_root
def test_keys_of_another_user_are_taken_over(keeper: Patient, own_home: GpgHome, mend: Mending) -> None:
    end_agent(own_home)
    os.chown(own_home.path, 12345, 12345)
    keeper = keeper.but(**own_home.env)
    init = ("init", "pass", "--force", "--key", own_home.fingerprint)
    answer = keeper.run(*init)
    mend(answer.err.decode().splitlines()[-1].removeprefix("credhelpers: "), keeper.env)
    assert keeper.run(*init).code == 0
