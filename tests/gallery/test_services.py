"""Services as systemd starts them: what their units lack, and what they keep from their helpers."""

import json
import shutil

import pytest

from tests.conformance.canary import CANARY
from tests.gallery.exhibit import Exhibit
from tests.gallery.host import UNIT_PATH, Host
from tests.gallery.nomad_worker import ON_HOST, UNIT, agent, host, install_ours, root, variables
from tests.integration.doctor import Patient
from tests.remedies.conftest import SERVER, needs_root
from tests.support.client import Helper
from tests.support.tools import require

__all__ = ["host", "root"]

pytestmark = needs_root


@pytest.fixture(autouse=True)
def ready(host: Host, user: Patient) -> None:
    """Let Nomad ask a helper that answers."""
    agent(host, 'helper = "ecr-login"')
    install_ours(host, user, "ecr-login")


@pytest.mark.failure("unit-environment.file-missing")
def test_an_environment_file_that_is_missing(exhibit: Exhibit, host: Host, root: Patient) -> None:
    path = "/etc/nomad.d/keys/nomad.env"
    host.unit("nomad.service", *UNIT, f"EnvironmentFile={path}")
    exhibit(root, *ON_HOST, works=lambda _: host.run(["cat", path]).returncode == 0, prefix=host.inside)


@pytest.mark.failure("unit-credential.missing")
def test_a_credential_that_is_missing(exhibit: Exhibit, host: Host, root: Patient) -> None:
    path = "/etc/credentials/registry"
    host.unit("nomad.service", *UNIT, f"LoadCredential=registry:{path}")
    host.write("/root/secret", "s3cret", 0o600)
    exhibit(
        root,
        *ON_HOST,
        works=lambda _: host.run(["cat", path]).stdout == b"s3cret",
        prefix=host.inside,
        fill={"FILE": "/root/secret"},
    )
    assert host.path(path).stat().st_mode & 0o777 == 0o600


@pytest.mark.failure("unit-user.missing")
def test_a_user_that_does_not_exist(exhibit: Exhibit, host: Host, root: Patient) -> None:
    host.unit("nomad.service", *UNIT, "User=nomad-worker")
    exhibit(
        root.but(PATH=f"{root.env['PATH']}:/usr/sbin"),
        *ON_HOST,
        works=lambda _: host.run(["id", "nomad-worker"]).returncode == 0,
        prefix=host.inside,
    )


@pytest.mark.failure("unit-file-system.no-cache")
def test_a_cache_that_the_unit_forbids(exhibit: Exhibit, host: Host, root: Patient) -> None:
    host.unit("nomad.service", *UNIT, "ProtectSystem=strict", "ProtectHome=read-only")

    def works(_: Patient) -> bool:
        path = host.path("/etc/systemd/system/nomad.service.d/credhelpers.conf")
        directory = variables(host).get("AWS_ECR_CACHE_DIR", "")
        return bool(directory) and f"CacheDirectory={directory.rpartition('/')[2]}\n" in path.read_text()

    exhibit(root, *ON_HOST, works=works, prefix=host.inside)


@pytest.mark.failure("unit-environment.no-proxy")
def test_a_proxy_that_only_the_shell_has(exhibit: Exhibit, host: Host, root: Patient) -> None:
    proxy = f"http://ada:{CANARY}%40@proxy.example:3128"
    root = root.but(HTTPS_PROXY=proxy, NO_PROXY="10.0.0.0/8,.internal")
    path = host.path("/etc/systemd/system/nomad.service.d/proxy.conf")

    def works(_: Patient) -> bool:
        if not path.exists():
            return False
        text = path.read_text().replace("%%", "%")
        return f'"HTTPS_PROXY={proxy}" "NO_PROXY=10.0.0.0/8,.internal"' in text

    exhibit(root, *ON_HOST, works=works, prefix=host.inside)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.failure("unit-environment.no-home")
def test_a_helper_that_needs_a_home(exhibit: Exhibit, host: Host, root: Patient, keeper: Patient) -> None:
    """Debian's docker-credential-pass looks into $HOME, which a service of root does not have."""
    theirs = require("docker-credential-pass", "golang-docker-credential-helpers")
    assert Helper(keeper.bin / "docker-credential-pass", keeper.env).store(SERVER, "ada", CANARY).code == 0
    shutil.copytree(keeper.home / ".password-store", host.path("/root/.password-store"))
    agent(host, 'helper = "theirs"')
    host.path("/usr/local/bin/docker-credential-theirs").symlink_to(theirs)
    gnupg = {"GNUPGHOME": keeper.env["GNUPGHOME"]}
    host.unit("nomad.service", *UNIT, f"Environment=GNUPGHOME={gnupg['GNUPGHOME']}")

    def works(_: Patient) -> bool:
        own = {"PATH": UNIT_PATH, **gnupg, **variables(host)}
        done = host.run(["docker-credential-theirs", "get"], SERVER.encode(), own)
        return done.returncode == 0 and json.loads(done.stdout)["Secret"] == CANARY

    exhibit(root, SERVER, *ON_HOST, works=works, prefix=host.inside)
