"""What a registry, or the way to it, does to a pull: real dockerd, docker-registry and nginx, with TLS."""

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from credhelpers.emulator import Emulator
from tests.conformance.canary import CANARY
from tests.e2e.aws import emulated_aws
from tests.e2e.conftest import ECR_HOST, fail_or_skip
from tests.e2e.docker import Docker, DockerDaemon
from tests.e2e.namespace import Namespace
from tests.e2e.registry import CertificateAuthority, Login
from tests.gallery.exhibit import Exhibit
from tests.gallery.registries import BEARER, CLOSED, IMAGE, OPEN, Rig, TokenSigner, backend, expired
from tests.integration.doctor import Patient
from tests.support.registries import Asked, Reply, Stub
from tests.support.tools import require

HUB = "https://index.docker.io/v1/"
HUB_API = "registry-1.docker.io"
LOGIN = Login("ada", f"pw-{CANARY}")
OLD = Login("ada", f"old-{CANARY}")
NAMES = [f"r{number}.example.test" for number in range(1, 25)]


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    """A network with a name for each test."""
    if os.geteuid() != 0:
        fail_or_skip("a private mount and network namespace and dockerd need root")
    with tempfile.TemporaryDirectory(prefix="gallery-", dir="/tmp") as directory:
        hosts = [*NAMES, "auth.example.test", HUB_API, ECR_HOST]
        with Namespace(Path(directory) / "namespace", hosts) as namespace:
            yield namespace


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    require("openssl", "openssl")
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> TokenSigner:
    return TokenSigner(tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="module")
def rig(
    namespace: Namespace,
    authority: CertificateAuthority,
    signer: TokenSigner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Rig]:
    """A dockerd, and a registry with one image."""
    require("dockerd", "docker.io")
    require("docker-registry", "docker-registry")
    require("htpasswd", "apache2-utils")
    files = tmp_path_factory.mktemp("rig")
    (files / "htpasswd").write_text(LOGIN.htpasswd())
    # dockerd asks Docker Hub with the system's authorities alone.
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    (files / "bundle.crt").write_text(bundle.read_text() + authority.certificate.read_text())
    mounted = namespace.run("mount", "--bind", str(files / "bundle.crt"), str(bundle), environment={})
    assert mounted.returncode == 0, mounted.stderr
    tokens = {
        "realm": "https://auth.example.test/token",
        "service": "tests",
        "issuer": "tests",
        "rootcertbundle": str(signer.certificate),
    }
    htpasswd = {"realm": "tests", "path": str(files / "htpasswd")}
    with ExitStack() as stack:
        short = stack.enter_context(tempfile.TemporaryDirectory(prefix="g-", dir="/tmp"))
        daemon = stack.enter_context(DockerDaemon(namespace, Path(short)))
        stack.enter_context(backend(namespace, files, OPEN, {}))
        stack.enter_context(backend(namespace, files, CLOSED, {"htpasswd": htpasswd}))
        stack.enter_context(backend(namespace, files, BEARER, {"token": tokens}))
        yield Rig(namespace, daemon, authority, LOGIN, files)


@pytest.fixture
def publish(rig: Rig, tmp_path: Path) -> Callable[[str], None]:
    """What puts an image into the registry."""
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "DOCKER_HOST": rig.daemon.host}
    docker = Docker(rig.namespace, require("docker", "docker.io"), environment)

    def publish(image: str) -> None:
        docker.import_image(f"{OPEN}/{image}")
        docker.succeed("push", f"{OPEN}/{image}")
        docker.forget(f"{OPEN}/{image}")

    return publish


@pytest.fixture
def patient(rig: Rig, keeper: Patient, publish: Callable[[str], None], tmp_path: Path) -> Patient:
    """A user of that dockerd, with an empty password store."""
    publish(IMAGE)
    return rig.user(keeper, tmp_path / "inside")


@pytest.fixture(scope="module")
def names() -> Iterator[str]:
    return iter(NAMES)


@pytest.fixture
def host(names: Iterator[str]) -> str:
    """A name that no other test uses."""
    return next(names)


class Site:
    """The registry under one name, which its operator can change."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __call__(self, running: AbstractContextManager[None]) -> None:
        """Run something in place of what ran before."""
        self.stop()
        self._stack.enter_context(running)

    def stop(self) -> None:
        self._stack.close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


def keep(patient: Patient, server: str, login: Login = LOGIN) -> None:
    assert patient.helper("pass").store(server, login.username, login.password).code == 0


ANSWERS = [("Username", "ada\n"), ("assword", f"{LOGIN.password}\n")]


@pytest.mark.failure("registry.refused")
def test_a_rotated_password(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    rig.trust(host)
    site(rig.nginx(host))
    keep(patient, host, OLD)
    exhibit(patient, host, works=rig.pulls(host), types=ANSWERS, prefix=rig.namespace.join())


@pytest.mark.failure("registry.refused")
def test_a_rotated_password_in_plain_text(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site
) -> None:
    rig.trust(host)
    site(rig.nginx(host))
    patient.configure(auths={host: {"auth": OLD.encoded()}})
    exhibit(patient, host, works=rig.pulls(host), types=ANSWERS, prefix=rig.namespace.join())


@pytest.mark.failure("registry.no-credential")
def test_no_login_yet(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    rig.trust(host)
    site(rig.nginx(host))
    exhibit(patient, host, works=rig.pulls(host), types=ANSWERS, prefix=rig.namespace.join())


@pytest.mark.failure("registry.denied")
def test_an_address_that_is_denied(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site
) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host, first="deny all;"))
    by = ("ask the registry's operator", lambda: site(rig.nginx(host)))
    exhibit(patient, host, works=rig.pulls(host), by=by)


@pytest.mark.failure("registry.repository-denied")
def test_a_repository_that_is_denied(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site
) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host, more="location /v2/team/app/ { return 403; }"))
    by = ("ask its owner", lambda: site(rig.nginx(host)))
    exhibit(patient, f"{host}/{IMAGE}", works=rig.pulls(host), by=by)


@pytest.mark.failure("registry.repository-unknown")
def test_an_unknown_repository(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site, publish: Callable[[str], None]
) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host))
    image = "team/late:1"
    by = ("check the name of the image", lambda: publish(image))
    exhibit(patient, f"{host}/{image}", works=rig.pulls(host, image), by=by)


@pytest.mark.failure("registry.tag-unknown")
def test_an_unknown_tag(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site, publish: Callable[[str], None]
) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host))
    by = ("check the tag", lambda: publish("team/app:2"))
    exhibit(patient, f"{host}/team/app:2", works=rig.pulls(host, "team/app:2"), by=by)


@pytest.mark.failure("registry.tls-untrusted")
def test_an_unknown_authority(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    keep(patient, host)
    (rig.directory / host).mkdir()
    other = CertificateAuthority(rig.directory / host)
    site(rig.nginx(host, tls=other.issue(host)))
    fill = {"FILE": str(other.certificate)}
    exhibit(patient, host, works=rig.pulls(host), fill=fill, prefix=rig.namespace.join())


@pytest.mark.failure("registry.tls-expired")
def test_an_expired_certificate(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host, tls=expired(rig.authority, host, rig.directory)))
    by = ("ask the registry's operator for a new one", lambda: site(rig.nginx(host)))
    exhibit(patient, host, works=rig.pulls(host), by=by)


@pytest.mark.failure("registry.tls-name")
def test_a_certificate_of_another_name(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site
) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host, tls=rig.authority.issue("else.example.test")))
    by = ("name images by a host that it names", lambda: site(rig.nginx(host)))
    exhibit(patient, host, works=rig.pulls(host), by=by)


@pytest.mark.failure("registry.authority")
def test_a_spoilt_authority(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host))
    spoil = ["sh", "-c", f"echo spoilt >/etc/docker/certs.d/{host}/ca.crt"]
    assert rig.namespace.run(*spoil, environment={}).returncode == 0

    def replace() -> None:
        copy = ["cp", str(rig.authority.certificate), f"/etc/docker/certs.d/{host}/ca.crt"]
        assert rig.namespace.run(*copy, environment={}).returncode == 0

    by = ("replace it by one in PEM form", replace)
    # dockerd passes over what is no certificate where the system's authorities are enough, as here.
    exhibit(patient, host, works=rig.pulls(host), by=by, breaks=False)


@pytest.mark.failure("registry.no-tls")
def test_plain_http(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site, tmp_path: Path
) -> None:
    name = f"{host}:5000"
    keep(patient, name)
    site(rig.nginx(host, plain=True, port=5000))
    # What systemd does, which is not there.
    programs = tmp_path / "systemd"
    programs.mkdir()
    (programs / "systemctl").write_text(f"#!/bin/sh\nexec kill -HUP {rig.daemon.pid}\n")
    (programs / "systemctl").chmod(0o755)
    user = patient.but(PATH=f"{programs}:{patient.env['PATH']}")
    try:
        exhibit(user, name, works=rig.pulls(name), prefix=rig.namespace.join())
    finally:
        rig.namespace.run("rm", "-f", "/etc/docker/daemon.json", environment={})


@pytest.mark.failure("registry.dns")
def test_an_unknown_name(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    name = f"new-{host}"
    rig.trust(name)
    keep(patient, name)
    site(rig.nginx(host, tls=rig.authority.issue(name)))
    works = rig.pulls(name)

    def name_it() -> None:
        line = f"echo {rig.namespace.addresses[host]} {name} >>/etc/hosts"
        assert rig.namespace.run("sh", "-c", line, environment={}).returncode == 0
        while not works(patient):  # Go keeps what it has read of that file for five seconds
            pass

    exhibit(patient, name, works=works, by=("this machine's DNS", name_it))


@pytest.mark.failure("registry.unreachable")
def test_a_registry_that_is_down(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    rig.trust(host)
    keep(patient, host)
    by = ("whether it runs", lambda: site(rig.nginx(host)))
    exhibit(patient, host, works=rig.pulls(host), by=by)


@pytest.mark.failure("registry.unreachable")
def test_a_firewall_that_drops(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    rig.trust(host)
    keep(patient, host)
    site(dropping(rig.namespace, host))
    by = ("firewalls on the way", lambda: site(rig.nginx(host)))
    exhibit(patient, host, works=rig.pulls(host), by=by)


@contextmanager
def dropping(namespace: Namespace, host: str) -> Iterator[None]:
    """Listen but take nothing, so that the kernel drops what comes when a few connections wait."""
    with ExitStack() as stack:
        with namespace.network():
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            address = (namespace.addresses[host], 443)
            listener.bind(address)
            listener.listen(0)
            for _ in range(3):
                waiting = stack.enter_context(contextlib.closing(socket.socket()))
                waiting.setblocking(False)
                waiting.connect_ex(address)
        yield


@pytest.mark.failure("registry.proxy")
def test_a_proxy_that_refuses(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    rig.trust(host)
    keep(patient, host)
    patient.configure(credHelpers={host: "pass"})
    site(rig.nginx(host))
    with rig.nginx(host, plain=True, port=3128):  # which knows no CONNECT
        user = patient.but(HTTPS_PROXY=f"http://{rig.namespace.addresses[host]}:3128")
        exhibit(user, host, works=rig.by_skopeo(host))


@pytest.mark.failure("registry.not-a-registry")
def test_a_web_site(exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host, first='default_type text/html; return 200 "<html>";'))
    by = ("check the name and port", lambda: site(rig.nginx(host)))
    exhibit(patient, host, works=rig.pulls(host), by=by)


@pytest.mark.failure("registry.redirect")
def test_a_registry_that_has_moved(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site
) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host, first="return 301 https://new.example.test$request_uri;"))
    by = ("name images by the host", lambda: site(rig.nginx(host)))
    exhibit(patient, host, works=rig.pulls(host), by=by)


@pytest.mark.failure("registry.server-error")
def test_nginx_without_its_registry(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site
) -> None:
    rig.trust(host)
    keep(patient, host)
    site(rig.nginx(host, backend="127.0.0.1:9"))
    by = ("tell the registry's operator", lambda: site(rig.nginx(host)))
    exhibit(patient, host, works=rig.pulls(host), by=by)


@contextmanager
def token_service(rig: Rig, signer: TokenSigner) -> Iterator[None]:
    """Run a token service, which is an imitation; nginx has its TLS."""

    def answer(asked: Asked) -> Reply:
        if asked.basic != f"{LOGIN.username}:{LOGIN.password}":
            return Reply(401)
        token = signer.token("tests", asked.query.get("scope", []))
        return Reply(200, {"Content-Type": "application/json"}, json.dumps({"token": token}).encode())

    with rig.namespace.network():
        stub = Stub(answer)
    with stub, rig.nginx("auth.example.test", backend=stub.host.replace("localhost", "127.0.0.1")):
        yield


@pytest.mark.failure("registry.token-service")
def test_a_token_service_that_is_down(
    exhibit: Exhibit, rig: Rig, patient: Patient, host: str, site: Site, signer: TokenSigner
) -> None:
    for name in (host, "auth.example.test"):
        rig.trust(name)
    keep(patient, host)
    with rig.nginx(host, backend=BEARER):
        by = ("tell the registry's operator", lambda: site(token_service(rig, signer)))
        exhibit(patient, host, works=rig.pulls(host), by=by)


def hub(rig: Rig, left: int) -> AbstractContextManager[None]:
    """Return Docker Hub with its limit, by the headers and the status that it documents."""
    headers = "".join(
        f'add_header ratelimit-{name} "{count};w=21600" always; '
        for name, count in (("limit", 100), ("remaining", left))
    )
    preview = f"location /v2/ratelimitpreview/ {{ {headers} return {200 if left else 429}; }}"
    pulls = "" if left else "location /v2/team/ { return 429; }"
    return rig.nginx(HUB_API, more=preview + pulls)


@pytest.mark.failure("registry.rate-limit")
def test_the_limit_of_docker_hub(exhibit: Exhibit, rig: Rig, patient: Patient, site: Site) -> None:
    trust_hub(rig)
    keep(patient, HUB)
    site(hub(rig, 0))
    by = ("wait", lambda: site(hub(rig, 100)))
    exhibit(patient, "docker.io", works=rig.pulls("docker.io"), by=by)


@pytest.mark.failure("registry.rate-limit-near")
def test_little_is_left_of_docker_hub(exhibit: Exhibit, rig: Rig, patient: Patient, site: Site) -> None:
    trust_hub(rig)
    keep(patient, HUB)
    site(hub(rig, 5))
    by = ("wait", lambda: site(hub(rig, 100)))
    exhibit(patient, "docker.io", works=rig.pulls("docker.io"), by=by, breaks=False)


def trust_hub(rig: Rig) -> None:
    """Let doctor trust the authority, as dockerd does by the system's."""
    directory = f"/etc/docker/certs.d/{HUB_API}"
    command = f"mkdir -p {directory} && cp {rig.authority.certificate} {directory}/ca.crt"
    assert rig.namespace.run("sh", "-c", command, environment={}).returncode == 0


@pytest.fixture
def ecr(rig: Rig, site: Site) -> Iterator[Emulator]:
    """An AWS whose registry takes the tokens that it gives now."""
    if not (rig.directory / "ecr.htpasswd").exists():
        rig.trust(ECR_HOST)
        (rig.directory / "ecr.htpasswd").write_text(Login("AWS", CANARY).htpasswd())
    guard = f"auth_basic ecr; auth_basic_user_file {rig.directory}/ecr.htpasswd; "
    site(rig.nginx(ECR_HOST, backend=OPEN, first=guard + 'proxy_set_header Authorization "";'))
    with emulated_aws(rig.namespace, CANARY) as aws:
        yield aws


@pytest.mark.failure("registry.refused")
def test_a_revoked_ecr_token(exhibit: Exhibit, rig: Rig, patient: Patient, ecr: Emulator) -> None:
    user = patient.but(**ecr.environment())
    user.configure(credHelpers={ECR_HOST: "ecr-login"})
    ecr.password = "of-yesterday"
    assert user.helper("ecr-login").get(ECR_HOST).found
    ecr.password = CANARY
    exhibit(user, ECR_HOST, works=rig.pulls(ECR_HOST), prefix=rig.namespace.join())


@pytest.mark.failure("registry.refused")
def test_an_ecr_password_from_yesterday(exhibit: Exhibit, rig: Rig, patient: Patient, ecr: Emulator) -> None:
    keep(patient, ECR_HOST, Login("AWS", f"old-{CANARY}"))
    user = patient.but(**ecr.environment())
    exhibit(user, ECR_HOST, works=rig.pulls(ECR_HOST), prefix=rig.namespace.join())
