"""docker-credential-auto: a route or a default that leads to no store."""

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit, docker_is_let_in, keeps
from tests.integration.doctor import Patient
from tests.remedies.conftest import SERVER
from tests.support.gpg import throwaway_gpg_home


@pytest.fixture
def member(keeper: Patient, registry: str) -> Patient:
    """A user of auto whose password store has the credential for a real registry."""
    keeper.configure(credsStore="auto")
    assert keeper.helper("auto").store(registry, "ada", CANARY).code == 0
    return keeper


@pytest.mark.failure("on-path.missing")
def test_route_to_a_missing_helper(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.set(f"[[auto.route]]\nmatch = '{registry}'\nhelper = 'vault'\n")
    mended = ("correct auto.default or auto.route in config.toml", lambda: member.set(""))
    exhibit(member, registry, works=docker_is_let_in(registry), by=mended)


@pytest.mark.failure("on-path.missing")
def test_default_that_is_not_installed(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.set("[auto]\ndefault = 'vault'\n")
    mended = ("correct auto.default or auto.route in config.toml", lambda: member.set(""))
    exhibit(member, registry, works=docker_is_let_in(registry), by=mended)


@pytest.mark.failure("session-bus.missing")
def test_machine_without_a_store(exhibit: Exhibit, user: Patient) -> None:
    """The remedy initialises a password store; Docker then asks for it directly."""
    user.configure(credsStore="auto")
    with throwaway_gpg_home() as home:
        user = user.but(**home.env, XDG_RUNTIME_DIR=str(user.home))
        exhibit(user, SERVER, works=keeps("auto", SERVER), types=[("Encrypt for", "\n")])


@pytest.mark.failure("config-toml.invalid-value")
def test_route_to_auto_itself(exhibit: Exhibit, member: Patient, registry: str) -> None:
    member.set(f"[[auto.route]]\nmatch = '{registry}'\nhelper = 'auto'\n")
    mended = ("correct the file", lambda: member.set(""))
    exhibit(member, registry, works=docker_is_let_in(registry), by=mended)
