"""Docker's config.json: unreadable, open to others, or without what a pull needs."""

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit, gets
from tests.integration.doctor import Patient
from tests.remedies.conftest import SERVER

PLAIN = {SERVER: {"auth": "YWRhOmNhbmFyeTdkMWZlMDJh"}}  # ada, and the canary


@pytest.mark.failure("config-mode.writable-by-others")
def test_others_can_write_the_config(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.config.chmod(0o666)
    assert keeper.helper("pass").store(SERVER, "ada", CANARY).code == 0
    exhibit(keeper, SERVER, works=gets("pass", SERVER), breaks=False)


@pytest.mark.failure("plaintext.present")
def test_plaintext_that_no_helper_has(exhibit: Exhibit, keeper: Patient) -> None:
    keeper.configure(credsStore="pass", auths=PLAIN)
    exhibit(keeper, SERVER, works=gets("pass", SERVER))
