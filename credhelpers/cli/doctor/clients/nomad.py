"""Nomad's docker and podman drivers: what they read, which helpers they ask, and what those answer them."""

import os
from collections.abc import Iterator

from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.clients.nomad_driver import Driver
from credhelpers.cli.doctor.clients.service import check_unit, find_service, has_unit
from credhelpers.clients.nomad import DIRECTORY
from credhelpers.clients.nomad_agent import DOCKER, Agent, Auth, config_arguments, read_agent
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding, fail, failed, ok, warn

_UNIT = "nomad.service"
_CONFIG = "nomad config"
_TOKEN_HELPERS = ("ecr-login", "auto")


def examine(machine: Machine) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found about Nomad and its unit; nothing where this machine is not a Nomad client."""
    service = find_service(machine, _UNIT)
    named = config_arguments(service.unit.command) or [DIRECTORY]
    paths = [service.unit.below_root(path) for path in named]
    if not has_unit(machine, _UNIT) and not any(map(os.path.lexists, paths)):
        return
    try:
        agent = read_agent(paths)
    except CredentialError as error:
        yield "Nomad", [_not_read(error)]
        return
    if not agent.is_client and not agent.drivers:
        return
    drivers = [Driver(auth, service, machine) for auth in agent.drivers if auth.helper or auth.config]
    yield "Nomad", [*_check_config(agent), *(found for driver in drivers for found in driver.findings())]
    if service.known:
        asked = {name for driver in drivers for name in driver.helpers}
        yield _UNIT, check_unit(service, machine, gets_tokens=bool(asked & set(_TOKEN_HELPERS)))


def _not_read(error: CredentialError) -> Finding:
    if error.fault == "unreadable":
        return warn(_CONFIG, "unreadable", error.cause, "as root: credhelpers doctor --client nomad")
    return failed(_CONFIG, error)


def _check_config(agent: Agent) -> Iterator[Finding]:
    """Return what each driver is told, and which blocks are never used."""
    for auth in agent.drivers:
        for path in auth.hidden:
            text = (
                f"{auth.path} replaces the whole config block of plugin {auth.driver} in {path},"
                " so that the auth block there is not used"
            )
            yield fail(_CONFIG, "replaced", text, f"put both config blocks into {auth.path}")
        if auth.helper or auth.config:
            yield ok(_CONFIG, f"{auth.path}: {_in_words(auth)}")
    if not any(auth.helper or auth.config or auth.hidden for auth in agent.drivers):
        text = "no driver has an auth block, so Nomad pulls every image without credentials"
        yield warn(_CONFIG, "no-auth", text, "as root: credhelpers configure --nomad")


def _in_words(auth: Auth) -> str:
    driver = "the docker driver" if auth.driver == DOCKER else "the podman driver"
    parts = [f"looks into {auth.config}"] if auth.config else []
    parts += [f"asks {auth.helper} about every image"] if auth.helper else []
    return f"{driver} {', then '.join(parts)}"
