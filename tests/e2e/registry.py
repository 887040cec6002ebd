"""A registry of the rig: Debian's docker-registry behind TLS, for one user with a password or for anybody."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.e2e.service import Service

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.namespace import Namespace

BCRYPT_LIMIT = 72  # bytes: bcrypt, and so htpasswd, ignores what follows


@dataclass(frozen=True)
class Login:
    """The one user whom a registry lets in."""

    username: str
    password: str

    def encoded(self) -> str:
        """What `docker login` writes to config.json when there is no credential helper."""
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def htpasswd(self) -> str:
        assert len(self.password.encode()) <= BCRYPT_LIMIT, "htpasswd would accept other passwords too"
        # The lowest cost that bcrypt allows: the registry checks the password once for each request.
        return run("htpasswd", "-niB", "-C", "4", self.username, stdin=self.password)


class CertificateAuthority:
    """Signs the certificates of the rig's registries."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.certificate = directory / "ca.crt"
        self._key = directory / "ca.key"
        self._certify("ca", "/CN=Registries of a test run", "basicConstraints=critical,CA:TRUE")

    def issue(self, host: str) -> tuple[Path, Path]:
        """A new certificate for ``host`` and its key."""
        # The common name stays short: X.509 allows 64 characters there, and an ECR host may have more.
        signer = ["-CA", str(self.certificate), "-CAkey", str(self._key)]
        return self._certify(host, "/CN=registry", f"subjectAltName=DNS:{host}", *signer)

    def _certify(self, name: str, subject: str, extension: str, *signer: str) -> tuple[Path, Path]:
        certificate, key = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", str(key)]
        subject_and_names = ["-subj", subject, "-addext", extension, "-days", "2"]
        run("openssl", "req", "-x509", *new_key, *subject_and_names, "-out", str(certificate), *signer)
        return certificate, key


class Registry:
    """Serves ``host``, one of the names in ``namespace``; without a ``login`` to anybody."""

    def __init__(
        self,
        namespace: Namespace,
        authority: CertificateAuthority,
        directory: Path,
        *,
        host: str,
        login: Login | None,
    ) -> None:
        self.host = host
        self.login = login
        namespace.trust(host, authority.certificate)
        certificate, key = authority.issue(host)
        settings: dict[str, object] = {
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
            "http": {
                "addr": f"{namespace.addresses[host]}:443",
                "secret": "shared by the upload requests of one registry",
                "tls": {"certificate": str(certificate), "key": str(key)},
            },
        }
        directory.mkdir(parents=True)
        if login is not None:
            passwords = directory / "htpasswd"
            passwords.write_text(login.htpasswd())
            settings["auth"] = {"htpasswd": {"realm": host, "path": str(passwords)}}
        configuration = directory / "config.json"
        configuration.write_text(json.dumps(settings))  # the registry reads YAML, and JSON is YAML
        serve = namespace.join("docker-registry", "serve", str(configuration))
        self._service = Service(serve, ready="listening on")

    def __enter__(self) -> Self:
        self._service.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._service.__exit__()


def run(*argv: str, stdin: str = "") -> str:
    """What ``argv`` prints."""
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=True).stdout
