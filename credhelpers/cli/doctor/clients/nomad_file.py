"""The file with credentials that a driver of Nomad reads: whether Nomad can read it, and what is in it."""

import os
from shlex import quote

from credhelpers.cli.doctor.clients.service import Service, drop_in
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.clients.nomad_agent import DOCKER, Auth
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding, fail, ok, warn

_FILE = "nomad auth file"
_FAILS = "so every task fails"


def check_file(auth: Auth, service: Service) -> tuple[DockerConfig | None, list[Finding]]:
    """Return the file that an auth block names, None when Nomad cannot read it; and what is found."""
    path, unit = auth.config, service.unit
    here = unit.below_root(path)
    if hidden := unit.hides(path):
        text = f"{hidden} of {unit.name} hides {path} from Nomad, {_FAILS}"
        return None, [fail(_FILE, "hidden", text, drop_in(unit.name, "ProtectHome=read-only"))]
    try:
        os.stat(here)
        config = DockerConfig.read(here)
    except FileNotFoundError:
        return None, [_missing(auth)]
    except (CredentialError, OSError) as error:
        return None, [_unreadable(path, here, error)]
    if service.can_be_asked and not service.can_read(here):
        user = unit.account.pw_name if unit.account else ""
        text = f"{user}, as whom Nomad runs, cannot read {path}, {_FAILS}"
        return None, [fail(_FILE, "forbidden", text, f"as root: chown {quote(user)} {quote(path)}")]
    return config, [_check_content(auth, config)]


def _unreadable(path: str, here: str, error: Exception) -> Finding:
    if isinstance(error, CredentialError) and os.access(here, os.R_OK):
        return fail(_FILE, "invalid", f"{error.cause}, {_FAILS}", "correct the file")
    return warn(_FILE, "unreadable", f"cannot read {path}", "as root: credhelpers doctor --client nomad")


def _missing(auth: Auth) -> Finding:
    text = f"{auth.path} names {auth.config}, which does not exist, {_FAILS}"
    path = quote(auth.config)
    remedy = f"as root: install -D -m 600 /dev/null {path} && echo '{{}}' > {path}"
    return fail(_FILE, "missing", text, remedy)


def _check_content(auth: Auth, config: DockerConfig) -> Finding:
    names = [*config.cred_helpers.values(), config.creds_store]
    if auth.driver != DOCKER and any(names):
        text = f"the podman driver ignores credHelpers and credsStore of {auth.config}"
        return warn(_FILE, "helpers-ignored", text, f"name one helper for all registries in {auth.path}")
    if not (config.auths or any(names) or auth.helper):
        text = f"{auth.config} has no credentials and names no helper"
        directory = quote(os.path.dirname(auth.config))
        command = f"credhelpers configure --docker-config {directory} --ecr HOST"
        return warn(_FILE, "empty", text, f"as root, with an ECR registry as HOST: {command}")
    return ok(_FILE, f"Nomad can read {auth.config}")
