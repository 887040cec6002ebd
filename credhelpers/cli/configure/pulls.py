"""Whether pulls would still work with what `credhelpers configure` is about to write."""

import os
from dataclasses import replace
from shlex import quote

from credhelpers import config
from credhelpers.cli.configure.undo import stranded
from credhelpers.cli.shared.helper_programs import open_installed
from credhelpers.cli.shared.plan import ANY_SERVER, routed
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.credential import CredentialError
from credhelpers.finding import FAIL
from credhelpers.stores.auto.external import PREFIX
from credhelpers.suite import AUTO, HELPERS


def check_store(name: str) -> None:
    """Check that a store of the suite can keep credentials: that it is there, and open.

    Raises:
        CredentialError: It cannot; the cause is what ``doctor`` would find.
    """
    behind = routed(ANY_SERVER, os.environ, config.load(os.environ)) if name == AUTO.name else name
    helper = HELPERS.get(behind)
    found = helper.place.check(os.environ) if helper and helper.place else []
    fault = next((finding for finding in found if finding.state == FAIL), None)
    if fault:
        raise CredentialError(
            f"{PREFIX}{name} has no store that works: {fault.text}",
            f"set one up: credhelpers setup --store {quote(name)}; or name it anyway: --force",
        )


def check_credentials(before: DockerConfig, after: DockerConfig) -> None:
    """Check that Docker finds every credential with a new configuration that it finds now.

    Raises:
        CredentialError: It would not.
    """
    lost: dict[str, list[str]] = {}
    for server in before.plaintext_by_server():
        helper = after.helper_for(server)
        if (
            helper == after.creds_store
            and helper
            and not before.helper_for(server)
            and not _has(helper, server)
        ):
            lost.setdefault(helper, []).append(server)
    for helper, servers in lost.items():
        raise CredentialError(
            f"{before.path} has the secrets of {', '.join(servers)} in plain text, and Docker would ask "
            f"{helper}, which does not have them; nothing was changed",
            f"move them in the same step: credhelpers setup --store {quote(helper)}; "
            f"or credhelpers migrate --to {quote(helper)}; or name it anyway: --force",
        )
    for credentials in stranded(before, after):
        servers = [server for server in credentials.servers if _keeps(credentials.former, server)]
        if not servers:
            continue
        cause = f"{replace(credentials, servers=servers).cause('would no longer ask')}; nothing was changed"
        if after.creds_store:
            copy = f"credhelpers setup --store {quote(after.creds_store)}"
            raise CredentialError(cause, f"copy them in the same step: {copy}; or name it anyway: --force")
        raise CredentialError(cause, f"keep {credentials.helper}; or remove it anyway: --force")


def _keeps(helper: str, server: str) -> bool:
    """Return whether a helper keeps a server's credential, rather than getting it from a cloud."""
    if helper == AUTO.name:
        helper = routed(server, os.environ, config.load(os.environ))
        return helper in HELPERS and HELPERS[helper].serves is None
    return helper not in HELPERS or HELPERS[helper].serves is None


def _has(helper: str, server: str) -> bool:
    try:
        open_installed(helper, lambda _: None).get(server)
    except CredentialError:
        return False
    return True
