"""What is on this machine: clients, stores, secrets in plain text, and the cloud."""

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass

from credhelpers import config
from credhelpers.cli.shared.bounded import Tasks
from credhelpers.clients.containers_auth import PROGRAMS, own_auth_paths
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.credential import CredentialError
from credhelpers.stores.ecr.hosts import registry_for
from credhelpers.stores.password_store.store import PasswordStore, store_directory

UNLOCKED, LOCKED, NO_COLLECTION = "unlocked", "locked", "no default collection"
_SECONDS = 2.0
_VENDOR_FILES = ("sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/board_vendor")
_HYPERVISOR_FILE = "sys/hypervisor/uuid"
_CLOUD_VARIABLES = {
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "ECS",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "ECS or EKS",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "EKS",
}


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        config: Docker's configuration.
        helper: The helper that Docker asks for a server without one of its own; empty for its own file.
        ecr: The ECR registries that Docker's configuration names.
        cloud: Where in AWS this machine is; empty when that cannot be seen.
        has_podman: Whether podman, buildah or skopeo is installed, or has credentials.
        password_store: Whether a password store is initialised.
        keyring: The state of the default collection of the Secret Service; empty without a Secret Service.
        has_display: Whether the desktop can ask for a password.
    """

    config: DockerConfig
    helper: str
    ecr: list[str]
    cloud: str
    has_podman: bool
    password_store: bool
    keyring: str
    has_display: bool

    def report(self) -> dict[str, object]:
        """Return it for programs."""
        return {
            "docker_config": self.config.path,
            "helper": self.helper,
            "plaintext": list(self.config.plaintext()),
            "ecr": self.ecr,
            "cloud": self.cloud,
            "podman": self.has_podman,
            "password_store": self.password_store,
            "keyring": self.keyring,
            "display": self.has_display,
        }

    def sentences(self) -> list[str]:
        """Return it for people."""
        asks = f"Docker asks docker-credential-{self.helper}" if self.helper else "Docker asks no helper"
        asks += ", its default on this machine" if self.helper and not self.config.creds_store else ""
        secrets = list(self.config.plaintext())
        plaintext = f"; in plain text in its file: {', '.join(secrets)}" if secrets else ""
        stores = ["a password store"] if self.password_store else []
        stores += [f"a keyring ({self.keyring})"] if self.keyring else []
        found = [asks + plaintext, f"stores: {' and '.join(stores) or 'none'}"]
        found += [f"Amazon ECR: {', '.join(self.ecr)}"] if self.ecr else []
        found += [f"this machine is in AWS ({self.cloud})"] if self.cloud else []
        return found


def survey(config_path: str, environ: Mapping[str, str]) -> Survey:
    """Look at this machine; nothing is changed, and nothing is asked over the network.

    Args:
        config_path: Docker's config.json.
        environ: The environment, which clients are assumed to have too.

    Raises:
        CredentialError: A configuration cannot be read.
    """
    docker = DockerConfig.read(config_path)
    settings = config.load(environ)
    servers = dict.fromkeys(map(docker_key, [*docker.auths, *docker.cred_helpers]))
    return Survey(
        docker,
        docker.helper_for("", environ.get("PATH", "")),
        [server for server in servers if registry_for(server, settings)[0] is not None],
        find_cloud("/", environ),
        _has_podman(environ),
        _has_password_store(environ),
        _keyring_state(environ),
        bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")),
    )


def find_cloud(root: str, environ: Mapping[str, str]) -> str:
    """Return where in AWS this machine is, as far as files and the environment tell; empty when unknown.

    (docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html)
    """
    for name, place in _CLOUD_VARIABLES.items():
        if environ.get(name):
            return place
    vendors = (_first_line(os.path.join(root, name)) for name in _VENDOR_FILES)
    is_xen = _first_line(os.path.join(root, _HYPERVISOR_FILE)).startswith("ec2")
    return "EC2" if is_xen or "Amazon EC2" in vendors else ""


def _first_line(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.readline().strip()
    except OSError:
        return ""


def _has_podman(environ: Mapping[str, str]) -> bool:
    if any(shutil.which(name, path=environ.get("PATH", "")) for name in PROGRAMS):
        return True
    return any(os.path.exists(path) for path in own_auth_paths(environ))


def _has_password_store(environ: Mapping[str, str]) -> bool:
    """Return whether a password store is initialised, also one that cannot be read now."""
    try:
        store_directory(environ)
    except CredentialError:
        return False
    try:
        return PasswordStore(environ).is_initialised()
    except CredentialError:
        return True


def _keyring_state(environ: Mapping[str, str]) -> str:
    """Return the state of the Secret Service's default collection; a bus that hangs counts as none."""

    def ask() -> str:
        from credhelpers.stores.os_keyring.service import SecretService  # loads a library of D-Bus

        service = SecretService(environ)
        try:
            collection = service.default_collection()
            if collection is None:
                return NO_COLLECTION
            return LOCKED if service.is_locked(collection) else UNLOCKED
        finally:
            service.bus.close()

    tasks: Tasks[str] = Tasks(time.monotonic() + _SECONDS)
    tasks.start("keyring", ask)
    try:
        return tasks.result("keyring") or ""
    except CredentialError:
        return ""
