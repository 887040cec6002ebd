"""dockerd: a daemon.json with which it does not start, mirrors, and the certificates of registries."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from credhelpers.cli.doctor.clients.program_version import program_version
from tests.conformance.canary import CANARY
from tests.e2e.namespace import Namespace
from tests.e2e.registry import CertificateAuthority, Login, Registry
from tests.e2e.service import Service
from tests.gallery.exhibit import Exhibit
from tests.integration.doctor import Patient
from tests.remedies.conftest import needs_root, wrapped
from tests.support.images import publish
from tests.support.tools import require

ADA = Login("ada", CANARY)
PRIVATE, MIRROR, HUB = "registry.example.test", "mirror.example.test", "registry-1.docker.io"
APP = "app:1"
IMAGE = f"{PRIVATE}/team/app:1"

pytestmark = needs_root


@dataclass(frozen=True)
class Rig:
    """A machine within the machine, with a Docker Hub, a mirror and a registry that knows ada.

    Attributes:
        namespace: The machine.
        directory: Its /etc/docker.
        authority: Signs the certificates of all three.
    """

    namespace: Namespace
    directory: Path
    authority: CertificateAuthority

    def configure(self, content: object) -> Path:
        """Write daemon.json."""
        path = self.directory / "daemon.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    @property
    def trusted(self) -> Path:
        """The folder of the certificates for the private registry."""
        return self.directory / "certs.d" / PRIVATE

    def pulls(self, user: Patient, image: str) -> bool:
        """Start a dockerd, and let the user pull an image."""
        with tempfile.TemporaryDirectory(prefix="ch-", dir="/tmp") as directory:
            options = [f"--data-root={directory}/data", f"--exec-root={directory}/exec", "--bridge=none"]
            options += [f"--pidfile={directory}/pid", "--iptables=false", "--ip6tables=false"]
            host = f"unix://{directory}/docker.sock"
            trust = f"SSL_CERT_FILE={self.authority.certificate if image == APP else ''}"
            program = [require("dockerd", "docker.io"), f"--host={host}", "--storage-driver=vfs", *options]
            daemon = Service(self.namespace.join("env", trust, *program), ready="API listen on")
            try:
                with daemon:
                    environment = {**user.env, "DOCKER_HOST": host}
                    docker = require("docker", "docker.io")
                    return self.namespace.run(docker, "pull", image, environment=environment).returncode == 0
            except RuntimeError:
                return False  # it has not started


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The rig, for all tests."""
    directory = tmp_path_factory.mktemp("dockerd")
    require("ip", "iproute2")
    require("docker-registry", "docker-registry")
    (directory / "ca").mkdir()
    with ExitStack() as stack:
        namespace = stack.enter_context(Namespace(directory / "namespace", [PRIVATE, MIRROR, HUB]))
        authority = CertificateAuthority(directory / "ca")
        rig = Rig(namespace, directory / "namespace" / "docker", authority)
        trust = {"SSL_CERT_FILE": str(authority.certificate)}
        for image, login in ((IMAGE, ADA), (f"{MIRROR}/x:1", ADA), (f"{HUB}/library/app:1", None)):
            host = image.partition("/")[0]
            registry = Registry(namespace, authority, directory / host, host=host, login=login)
            stack.enter_context(registry)
            publish(directory / f"image-{host}", image, login, trust, namespace.join())
        yield rig


@pytest.fixture
def rig(machine: Rig, tmp_path: Path) -> Iterator[Rig]:
    """The rig, whose /etc/docker is afterwards as it was."""
    shutil.copytree(machine.directory, tmp_path / "before")
    yield machine
    for name in os.listdir(machine.directory):
        path = machine.directory / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(tmp_path / "before", machine.directory, dirs_exist_ok=True)


@pytest.fixture
def user(keeper: Patient, rig: Rig, tmp_path: Path) -> Patient:
    """A user of that machine, whose store has the password of the private registry."""
    assert keeper.helper("pass").store(PRIVATE, "ada", CANARY).code == 0
    keeper = keeper.but(SSL_CERT_FILE=str(rig.authority.certificate))
    return wrapped(keeper, tmp_path / "inside", " ".join(rig.namespace.join()))


def go(exhibit: Exhibit, user: Patient, rig: Rig, image: str = IMAGE, *, breaks: bool = True) -> None:
    """Go through a failure of a pull."""
    server = () if image == APP else (image.partition("/")[0],)
    exhibit(
        user,
        "--client",
        "dockerd",
        *server,
        works=lambda user: rig.pulls(user, image),
        breaks=breaks,
        prefix=rig.namespace.join(),
    )


@pytest.mark.failure("dockerd-config.invalid")
def test_a_comma_too_many(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    rig.configure('{"debug": false,}')
    go(exhibit, user, rig)


@pytest.mark.failure("dockerd-config.client-key")
@pytest.mark.parametrize(
    "content",
    [
        {"credsStore": "pass"},
        {"auths": {PRIVATE: {"auth": "x"}}, "debug": False},
    ],
    ids=["credsStore", "auths"],
)
def test_a_key_of_the_client(exhibit: Exhibit, user: Patient, rig: Rig, content: object) -> None:
    rig.configure(content)
    go(exhibit, user, rig)


@pytest.mark.failure("dockerd-config.refused")
def test_proxies_of_a_newer_version(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    if program_version(require("dockerd", "docker.io"), {}) >= (23,):
        pytest.skip("this dockerd takes proxies")
    rig.configure({"proxies": {"http-proxy": "http://proxy.example.test:3128"}})
    go(exhibit, user, rig)


@pytest.mark.failure("dockerd-config.not-a-list")
def test_a_mirror_that_is_not_in_a_list(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    rig.configure({"registry-mirrors": f"https://{MIRROR}"})
    go(exhibit, user, rig)


@pytest.mark.failure("dockerd-config.insecure-registry")
@pytest.mark.parametrize("entry", [f"{PRIVATE}/team", "*.example.test"])
def test_an_insecure_registry_with_a_path(exhibit: Exhibit, user: Patient, rig: Rig, entry: str) -> None:
    rig.configure({"insecure-registries": [entry, "10.0.0.0/8"]})
    go(exhibit, user, rig)


@pytest.mark.failure("dockerd-mirror.invalid")
@pytest.mark.parametrize("mirror", [MIRROR, f"https://ada:{CANARY}@{MIRROR}"])
def test_a_mirror_that_dockerd_refuses(exhibit: Exhibit, user: Patient, rig: Rig, mirror: str) -> None:
    rig.configure({"registry-mirrors": [mirror]})
    go(exhibit, user, rig)


@pytest.mark.failure("dockerd-mirror.unreachable")
def test_a_mirror_that_is_not_there(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    rig.configure({"registry-mirrors": [f"https://{MIRROR}:5000", f"https://{HUB}"]})
    go(exhibit, user.online, rig, APP, breaks=False)


@pytest.mark.failure("dockerd-mirror.wants-credential")
def test_a_mirror_that_wants_a_credential(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    rig.configure({"registry-mirrors": [f"https://{MIRROR}"]})
    go(exhibit, user.online, rig, APP, breaks=False)


@pytest.mark.failure("dockerd-mirror.plain-http")
def test_a_mirror_without_tls(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    rig.configure({"registry-mirrors": [f"http://{HUB}"]})
    go(exhibit, user, rig, APP, breaks=False)


@pytest.mark.failure("certs-d.suffix")
def test_a_certificate_named_pem(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    (rig.trusted / "ca.crt").rename(rig.trusted / "ca.pem")
    go(exhibit, user, rig)


@pytest.mark.failure("certs-d.half-a-pair")
def test_a_certificate_named_cert(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    (rig.trusted / "ca.crt").rename(rig.trusted / "ca.cert")
    go(exhibit, user, rig)


@pytest.mark.failure("certs-d.other-port")
def test_a_folder_without_the_port(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    assert user.helper("pass").store(f"{PRIVATE}:443", "ada", CANARY).code == 0
    go(exhibit, user, rig, f"{PRIVATE}:443/team/app:1")


@pytest.mark.failure("certs-d.not-pem")
def test_a_certificate_in_der(exhibit: Exhibit, user: Patient, rig: Rig) -> None:
    path = rig.trusted / "ca.crt"
    to_der = ["openssl", "x509", "-in", str(path), "-outform", "der", "-out", str(path)]
    subprocess.run(to_der, check=True, capture_output=True)
    go(exhibit, user, rig)
