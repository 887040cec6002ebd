"""podman, skopeo and buildah: their auth files, registries.conf, and the helpers that these name."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from credhelpers.servers import HUB_KEY
from tests.conformance.canary import CANARY
from tests.e2e.registry import CertificateAuthority, Login
from tests.e2e.service import Service
from tests.gallery.exhibit import Exhibit, Works
from tests.integration.doctor import Patient
from tests.remedies.conftest import needs_root, wrapped
from tests.remedies.mending import POWERLESS
from tests.support.images import publish
from tests.support.registries import real_registry
from tests.support.tools import require

ADA = Login("ada", CANARY)
PLAIN = {"auth": ADA.encoded()}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry without TLS that knows ada, with one image."""
    directory = tmp_path_factory.mktemp("podman")
    with real_registry(directory / "registry", ADA, None) as name:
        publish(directory / "image", f"{name}/team/app:1", ADA)
        yield name


@pytest.fixture
def storage() -> Iterator[Path]:
    """A directory with a path of less than 50 characters, as podman wants it."""
    with tempfile.TemporaryDirectory(prefix="ch-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture
def user(keeper: Patient, registry: str) -> Patient:
    """A user whose store has the password of the registry, and who has told podman nothing of it."""
    require("skopeo", "skopeo")
    assert keeper.helper("pass").store(registry, "ada", CANARY).code == 0
    keeper.configure()
    drop_in(keeper, "00-insecure", f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    runtime = keeper.home / "runtime"
    runtime.mkdir()
    return keeper.but(XDG_RUNTIME_DIR=str(runtime))


def containers(user: Patient) -> Path:
    """Return the directory of the user's files."""
    path = user.home / ".config" / "containers"
    (path / "registries.conf.d").mkdir(parents=True, exist_ok=True)
    return path


def drop_in(user: Patient, name: str, text: str) -> Path:
    """Write a drop-in of registries.conf."""
    path = containers(user) / "registries.conf.d" / f"{name}.conf"
    path.write_text(text)
    return path


def asks(user: Patient, *helpers: str, name: str = "50-helpers") -> Path:
    """Name the helpers that podman asks."""
    return drop_in(user, name, f"credential-helpers = {json.dumps(helpers)}\n")


def auth(user: Patient, **content: object) -> Path:
    """Write the user's auth.json."""
    path = containers(user) / "auth.json"
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path


def inspects(image: str, *prefix: str) -> Works:
    """Return a look at an image by skopeo, which gets its manifest and its configuration."""

    def works(user: Patient) -> bool:
        command = [*prefix, require("skopeo", "skopeo"), "inspect", f"docker://{image}"]
        return subprocess.run(command, env=user.env, capture_output=True, check=False).returncode == 0

    return works


def pulls(program: str, image: str, directory: Path) -> Works:
    """Return a pull by podman or buildah, into a storage of its own."""

    def works(user: Patient) -> bool:
        storage = [f"--root={directory}/root", f"--runroot={directory}/run", "--storage-driver=vfs"]
        command = [require(program, program), *storage, "pull", "--quiet", image]
        return subprocess.run(command, env=user.env, capture_output=True, check=False).returncode == 0

    return works


def pulls_remotely(image: str, directory: Path) -> Works:
    """Return a pull by podman's remote client, which sends its service all credentials that it lists."""

    def works(user: Patient) -> bool:
        url = f"unix://{directory}/podman.sock"
        storage = [f"--root={directory}/root", f"--runroot={directory}/run", "--storage-driver=vfs"]
        environ = [f"{name}={user.env[name]}" for name in ("HOME", "XDG_RUNTIME_DIR")]
        podman = require("podman", "podman")
        serve = [podman, *storage, "--log-level=info", "system", "service", "--time=0", url]
        with Service(["env", *environ, *serve], ready="API service listening"):
            pull = [podman, "--remote", f"--url={url}", "pull", "--quiet", image]
            return subprocess.run(pull, env=user.env, capture_output=True, check=False).returncode == 0

    return works


@pytest.mark.failure("podman-auth-json.unreadable")
def test_an_empty_auth_file(exhibit: Exhibit, user: Patient, registry: str) -> None:
    user.configure(credHelpers={registry: "pass"})
    auth(user).write_text("")
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@needs_root
@pytest.mark.failure("podman-auth-json.closed")
def test_an_auth_file_behind_a_closed_door(
    exhibit: Exhibit, user: Patient, registry: str, tmp_path: Path
) -> None:
    """As root's podman leaves /run/containers, where the podman of others looks without XDG_RUNTIME_DIR."""
    directory = Path(user.env["XDG_RUNTIME_DIR"]) / "containers"
    directory.mkdir(mode=0o700)
    os.chown(directory, 12345, 12345)
    auth(user, auths={registry: PLAIN})
    user.configure()
    user = wrapped(user, tmp_path / "wrapped", " ".join(POWERLESS))
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1", *POWERLESS))


@needs_root
@pytest.mark.failure("podman-auth-json.missing")
@pytest.mark.parametrize("program", ["podman", "buildah"])
def test_a_named_auth_file_that_is_gone(
    program: str, exhibit: Exhibit, user: Patient, registry: str, tmp_path: Path, storage: Path
) -> None:
    asks(user, "pass", "containers-auth.json")
    user = user.but(REGISTRY_AUTH_FILE=str(tmp_path / "auth.json"))
    exhibit(user, registry, works=pulls(program, f"{registry}/team/app:1", storage))


@pytest.mark.failure("podman-auth-json.readable-by-others")
def test_others_can_read_the_auth_file(exhibit: Exhibit, user: Patient, registry: str) -> None:
    auth(user, auths={registry: PLAIN}).chmod(0o644)
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"), breaks=False)


@pytest.mark.failure("podman-auth-json.creds-store")
def test_a_creds_store_in_the_auth_file(exhibit: Exhibit, user: Patient, registry: str) -> None:
    auth(user, credsStore="pass")
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.failure("podman-auth-json.never-asked")
def test_a_key_with_a_scheme(exhibit: Exhibit, user: Patient, registry: str) -> None:
    auth(user, credHelpers={f"https://{registry}": "pass"})
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.failure("podman-auth-json.plaintext")
def test_plaintext_in_the_auth_file(exhibit: Exhibit, user: Patient, registry: str) -> None:
    path = auth(user, auths={registry: PLAIN})
    works = inspects(f"{registry}/team/app:1")
    exhibit(user, registry, works=works, breaks=False, types=f"ada\n{CANARY}\n")
    assert ADA.encoded() not in path.read_text()


@pytest.mark.failure("podman-auth-json.bad-auth")
def test_an_auth_that_is_not_base64(exhibit: Exhibit, user: Patient, registry: str) -> None:
    user.configure(credHelpers={registry: "pass"})
    auth(user, auths={registry: {"auth": "!"}})
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.skipif(
    os.path.isdir("/run/containers") and not os.access("/run/containers", os.X_OK),
    reason="root's podman has closed /run/containers, where podman then looks",
)
@pytest.mark.failure("podman-auth-json.no-runtime-directory")
def test_a_runtime_directory_that_is_gone(exhibit: Exhibit, user: Patient, registry: str) -> None:
    asks(user, "pass", "containers-auth.json")
    works = inspects(f"{registry}/team/app:1")
    exhibit(user.but(XDG_RUNTIME_DIR="/nonexistent"), registry, works=works, breaks=False)


@pytest.mark.failure("podman-helpers.missing")
def test_a_helper_that_is_not_on_path(exhibit: Exhibit, user: Patient, registry: str) -> None:
    asks(user, "auto", "containers-auth.json")
    path = user.env["PATH"].removeprefix(f"{user.bin}:")
    exhibit(user.but(PATH=path), registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.failure("podman-helpers.full-name")
def test_a_helper_by_its_whole_name(exhibit: Exhibit, user: Patient, registry: str) -> None:
    auth(user, credHelpers={registry: "docker-credential-pass"})
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.failure("podman-helpers.overridden")
def test_a_later_drop_in_takes_the_helper_away(exhibit: Exhibit, user: Patient, registry: str) -> None:
    asks(user, "pass", "containers-auth.json")
    asks(user, "containers-auth.json", name="90-site")
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.failure("podman-helpers.no-auth-files")
def test_helpers_without_the_auth_files(exhibit: Exhibit, user: Patient, registry: str) -> None:
    assert user.helper("pass").erase(registry).code == 0
    asks(user, "pass")
    auth(user, auths={registry: PLAIN})
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.failure("podman-helpers.docker-only")
def test_a_store_that_only_docker_knows(exhibit: Exhibit, user: Patient, registry: str) -> None:
    user.configure(credsStore="pass")
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@needs_root
@pytest.mark.failure("podman-helpers.list-keys")
def test_a_key_that_podman_remote_refuses(
    exhibit: Exhibit, user: Patient, registry: str, storage: Path
) -> None:
    asks(user, "pass", "containers-auth.json")
    assert user.helper("pass").store(HUB_KEY, "ada", CANARY).code == 0
    image = f"{registry}/team/app:1"
    assert pulls("podman", image, storage)(user), "without --remote it works all the same"
    exhibit(user, registry, works=pulls_remotely(image, storage))


@needs_root
@pytest.mark.failure("podman-helpers.list-keys")
def test_a_refused_key_beside_an_auth_file(
    exhibit: Exhibit, user: Patient, registry: str, storage: Path
) -> None:
    conf = asks(user, "pass", "containers-auth.json")
    auth(user, credHelpers={"else.example": "pass"})
    assert user.helper("pass").store(HUB_KEY, "ada", CANARY).code == 0

    def name_each() -> None:
        auth(user, credHelpers=dict.fromkeys(("else.example", "docker.io", registry), "pass"))
        conf.unlink()

    works = pulls_remotely(f"{registry}/team/app:1", storage)
    exhibit(user, registry, works=works, by=("name pass for each registry in credHelpers", name_each))


@pytest.mark.failure("podman-answer.none")
@pytest.mark.parametrize("program", ["skopeo", pytest.param("podman", marks=needs_root)])
def test_nothing_is_stored_for_it(
    program: str, exhibit: Exhibit, user: Patient, registry: str, storage: Path
) -> None:
    assert user.helper("pass").erase(registry).code == 0
    asks(user, "pass", "containers-auth.json")
    image = f"{registry}/team/app:1"
    works = inspects(image) if program == "skopeo" else pulls(program, image, storage)
    exhibit(user, registry, works=works, types=f"ada\n{CANARY}\n")


@pytest.mark.failure("registries-conf.blocked")
def test_a_registry_that_is_blocked(exhibit: Exhibit, user: Patient, registry: str) -> None:
    asks(user, "pass", "containers-auth.json")
    table = f'[[registry]]\nlocation = "{registry}"\ninsecure = true\nblocked = true\n'
    drop_in(user, "10-blocked", table)
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.failure("registries-conf.insecure")
def test_a_registry_with_any_certificate(exhibit: Exhibit, user: Patient, tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    authority = CertificateAuthority(tmp_path / "ca")
    trust = {"SSL_CERT_FILE": str(authority.certificate)}
    with real_registry(tmp_path / "tls", ADA, authority) as name:
        image = publish(tmp_path / "image", f"{name}/team/app:1", ADA, trust)
        assert user.helper("pass").store(name, "ada", CANARY).code == 0
        asks(user, "pass", "containers-auth.json")
        drop_in(user, "10-tls", f'[[registry]]\nlocation = "{name}"\ninsecure = true\n')
        exhibit(user.but(**trust), name, works=inspects(image), breaks=False)


@pytest.mark.failure("registries-conf.invalid")
def test_a_drop_in_that_is_not_toml(exhibit: Exhibit, user: Patient, registry: str) -> None:
    asks(user, "pass", "containers-auth.json")
    drop_in(user, "90-site", 'unqualified-search-registries = ["docker.io"\n')
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@pytest.mark.failure("registries-conf.scheme")
def test_a_location_with_a_scheme(exhibit: Exhibit, user: Patient, registry: str) -> None:
    asks(user, "pass", "containers-auth.json")
    drop_in(user, "90-site", f'[[registry]]\nlocation = "http://{registry}"\ninsecure = true\n')
    exhibit(user, registry, works=inspects(f"{registry}/team/app:1"))


@needs_root
@pytest.mark.failure("registries-conf.mirror-credential")
def test_a_mirror_without_a_credential(exhibit: Exhibit, user: Patient, registry: str, storage: Path) -> None:
    assert user.helper("pass").erase(registry).code == 0
    asks(user, "pass", "containers-auth.json")
    drop_in(
        user, "90-mirror", f'[[registry]]\nprefix = "x.example"\nlocation = "{registry}"\ninsecure = true\n'
    )
    exhibit(
        user, "x.example", works=pulls("podman", "x.example/team/app:1", storage), types=f"ada\n{CANARY}\n"
    )


@needs_root
@pytest.mark.failure("registries-conf.no-search")
def test_a_short_name(exhibit: Exhibit, user: Patient, registry: str, storage: Path) -> None:
    asks(user, "pass", "containers-auth.json")
    drop_in(user, "90-hub", f'[[registry]]\nprefix = "docker.io"\nlocation = "{registry}"\ninsecure = true\n')
    exhibit(user, "docker.io", works=pulls("podman", "team/app:1", storage))
