"""Registries for the gallery: one docker-registry with images, behind an nginx for each name."""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tests.e2e.docker import DockerDaemon
from tests.e2e.namespace import Namespace
from tests.e2e.registry import CertificateAuthority, Login
from tests.e2e.service import Service
from tests.integration.doctor import Patient
from tests.remedies.conftest import wrapped
from tests.support.tools import require

IMAGE = "team/app:1"
CLOSED, OPEN, BEARER = "127.0.0.1:5000", "127.0.0.1:5001", "127.0.0.1:5002"
"""Where docker-registry listens: for one user, for every user to publish, and for who has a token."""

_NGINX = """
daemon off;
user root;
pid {directory}/pid;
error_log stderr notice;
events {{}}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen {address}{tls};
    location / {{ {first} proxy_pass http://{backend}; proxy_set_header Host $http_host; }}
    {more}
  }}
}}
"""


@dataclass(frozen=True)
class Rig:
    """The machine of the gallery's registries.

    Attributes:
        namespace: Its network and names.
        daemon: Its dockerd.
        authority: Signs the certificates.
        login: The user of the registry.
        directory: For files.
    """

    namespace: Namespace
    daemon: DockerDaemon
    authority: CertificateAuthority
    login: Login
    directory: Path

    def trust(self, host: str) -> None:
        """Let Docker trust the authority for a host."""
        self.namespace.trust(host, self.authority.certificate)

    @contextmanager
    def nginx(
        self,
        host: str,
        *,
        tls: tuple[Path, Path] | None = None,
        plain: bool = False,
        port: int = 443,
        backend: str = CLOSED,
        first: str = "",
        more: str = "",
    ) -> Iterator[None]:
        """Run nginx in front of the registry.

        Args:
            host: Under which name.
            tls: A certificate and its key, if not a new one of the authority.
            plain: Whether it speaks HTTP.
            port: Its port.
            backend: Which registry.
            first: Directives before those that forward a request.
            more: Further locations.
        """
        require("nginx", "nginx-light")
        directory = self.directory / f"nginx-{time.monotonic_ns()}"
        directory.mkdir()
        certificate, key = (None, None) if plain else tls or self.authority.issue(host)
        address = f"{self.namespace.addresses[host]}:{port}"
        files = f" ssl; ssl_certificate {certificate}; ssl_certificate_key {key}"
        text = _NGINX.format(
            directory=directory,
            address=address,
            tls="" if plain else files,
            backend=backend,
            first=first,
            more=more,
        )
        (directory / "nginx.conf").write_text(text)
        argv = self.namespace.join("/usr/sbin/nginx", "-e", "stderr", "-c", str(directory / "nginx.conf"))
        with Service(argv, ready="start worker process "):
            yield

    def user(self, patient: Patient, directory: Path) -> Patient:
        """Return a user of this machine, whose Docker pulls by its dockerd."""
        inside = wrapped(
            patient.but(DOCKER_HOST=self.daemon.host), directory, " ".join(self.namespace.join())
        )
        return inside.online

    def pulls(self, host: str, image: str = IMAGE) -> "Pulls":
        """Return the pull of an image."""
        return Pulls(self, f"{host}/{image}")

    def by_skopeo(self, host: str) -> "Inspects":
        """Return the look at an image by skopeo, which uses the proxy of its environment."""
        return Inspects(self, f"{host}/{IMAGE}")


@dataclass(frozen=True)
class Pulls:
    """A pull as one user makes it, and whether it worked."""

    rig: Rig
    image: str

    def __call__(self, user: Patient) -> bool:
        docker = ["/usr/bin/docker", "--config", str(user.config.parent)]
        run = self.rig.namespace.run
        done = run(*docker, "pull", self.image, environment=user.env)
        user.seen.extend((done.stdout.encode(), done.stderr.encode()))
        if done.returncode == 0:
            assert run(*docker, "rmi", self.image, environment=user.env).returncode == 0
        return done.returncode == 0


@dataclass(frozen=True)
class Inspects:
    """A look at an image in a registry as one user takes it, and whether it worked."""

    rig: Rig
    image: str

    def __call__(self, user: Patient) -> bool:
        skopeo = [require("skopeo", "skopeo"), "inspect", "--authfile", str(user.config)]
        done = self.rig.namespace.run(*skopeo, f"docker://{self.image}", environment=user.env)
        user.seen.extend((done.stdout.encode(), done.stderr.encode()))
        return done.returncode == 0


@contextmanager
def backend(namespace: Namespace, directory: Path, address: str, auth: dict[str, object]) -> Iterator[None]:
    """Run docker-registry on loopback; all have the same images."""
    settings: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "info"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
        "http": {"addr": address, "secret": "of all of them", "relativeurls": True},
    }
    file = directory / f"registry-{address}.json"
    file.write_text(json.dumps({**settings, "auth": auth} if auth else settings))
    with Service(namespace.join("docker-registry", "serve", str(file)), ready="listening on"):
        yield


def expired(authority: CertificateAuthority, host: str, directory: Path) -> tuple[Path, Path]:
    """Return a certificate that was valid until yesterday, and its key; openssl makes none."""
    signer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    signing = serialization.load_pem_private_key(authority.certificate.with_suffix(".key").read_bytes(), None)
    assert isinstance(signing, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry")]))
        .issuer_name(signer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now - timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    files = directory / f"{host}-expired.crt", directory / f"{host}-expired.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(_pem(key))
    return files


class TokenSigner:
    """The tokens of a token service, as docker-registry takes them.

    (distribution's docs/spec/auth/jwt.md)

    Args:
        directory: For the certificate.

    Attributes:
        certificate: With which the registry checks tokens.
    """

    def __init__(self, directory: Path) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "token service")])
        now = datetime.now(UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = directory / "token-service.crt"
        self.certificate.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def token(self, service: str, scopes: list[str]) -> str:
        """Return a token for what is asked."""
        access = [
            {"type": kind, "name": name, "actions": actions.split(",")}
            for kind, name, actions in (scope.split(":") for scope in scopes)
        ]
        now = int(time.time())
        der = self._certificate.public_bytes(serialization.Encoding.DER)
        header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        claims = {
            "iss": "tests",
            "aud": service,
            "sub": "ada",
            "jti": str(time.monotonic_ns()),
            "access": access,
        }
        times = {"iat": now, "nbf": now - 60, "exp": now + 600}
        signed = f"{_encoded(header)}.{_encoded({**claims, **times})}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"


def _encoded(value: Mapping[str, object]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
