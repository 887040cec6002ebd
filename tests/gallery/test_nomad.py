"""Nomad's docker and podman drivers: each look-up at the end is made as the driver makes it."""

import json

import pytest

from tests.gallery.exhibit import Exhibit, Works
from tests.gallery.host import UNIT_PATH, Host
from tests.gallery.nomad_worker import (
    CLIENT,
    CONFIG,
    EMPTY,
    FILE,
    ON_HOST,
    UNIT,
    agent,
    host,
    install_ours,
    pulls_public,
    root,
    variables,
)
from tests.integration.doctor import Patient, install
from tests.remedies.conftest import needs_root
from tests.support.aws import HOST, PASSWORD, Aws
from tests.support.client import NOT_FOUND

__all__ = ["host", "root"]

pytestmark = needs_root


def pulls_private(host: Host, name: str = "ecr-login", **environ: str) -> Works:
    """Return what the docker driver does for an image of an ECR registry."""

    def works(_: Patient) -> bool:
        own = {"PATH": UNIT_PATH, **variables(host), **environ}
        done = host.run([f"docker-credential-{name}", "get"], HOST.encode(), own)
        return done.returncode == 0 and json.loads(done.stdout)["Secret"] == PASSWORD

    return works


@pytest.mark.failure("nomad-helper.not-on-path")
def test_a_helper_beside_the_path(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    agent(host, 'helper = "auto"')
    install_ours(host, user, "auto", "/opt/credhelpers/bin")
    exhibit(root, *ON_HOST, works=pulls_public(host, "auto"), prefix=host.inside)


@pytest.mark.failure("nomad-helper.not-on-path")
def test_a_helper_in_the_home(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    agent(host, 'helper = "pass"')
    root = root.but(PATH="/root/.local/bin:/usr/bin:/bin")
    install_script = "#!/bin/sh\nexec " + str(user.bin / "docker-credential-pass") + ' "$@"\n'
    host.write("/root/.local/bin/docker-credential-pass", install_script, 0o755)
    host.path("/usr/local/bin").mkdir(exist_ok=True)
    hidden = "Environment=PATH=/usr/local/bin:/bin-that-is-missing"
    host.unit("nomad.service", *UNIT, hidden)
    works = pulls_public(host, "pass", environ={"PATH": "/usr/local/bin:/bin-that-is-missing"})  # type: ignore[arg-type]
    exhibit(root, *ON_HOST, works=works, prefix=host.inside)


@pytest.mark.failure("nomad-helper.not-executable")
def test_a_helper_without_its_mode(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    agent(host, 'helper = "auto"')
    host.write(
        "/usr/local/bin/docker-credential-auto",
        f'#!/bin/sh\nexec {user.bin}/docker-credential-auto "$@"\n',
    )
    exhibit(root, *ON_HOST, works=pulls_public(host, "auto"), prefix=host.inside)


@pytest.mark.failure("executable.writable-by-others")
def test_a_helper_that_all_can_change(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    agent(host, 'helper = "auto"')
    path = "/usr/local/bin/docker-credential-auto"
    host.write(path, f'#!/bin/sh\nexec {user.bin}/docker-credential-auto "$@"\n', 0o757)
    exhibit(root, *ON_HOST, works=pulls_public(host, "auto"), breaks=False, prefix=host.inside)


@pytest.mark.failure("nomad-public-images.refused")
def test_public_images_without_a_setting(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    host.path(CONFIG).unlink()
    agent(host, 'helper = "ecr-login"')
    install_ours(host, user, "ecr-login")
    exhibit(root, *ON_HOST, works=pulls_public(host, "ecr-login"), prefix=host.inside)


@pytest.mark.failure("nomad-public-images.refused")
def test_public_images_with_other_settings(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient
) -> None:
    host.write(CONFIG, 'not_found = "error"\n\n[ecr]\nattempts = 2\n')
    agent(host, 'helper = "ecr-login"')
    install_ours(host, user, "ecr-login")
    exhibit(root, *ON_HOST, works=pulls_public(host, "ecr-login"), prefix=host.inside)
    assert host.path(CONFIG).read_text() == EMPTY + "\n[ecr]\nattempts = 2\n"


@pytest.mark.failure("nomad-public-images.refused")
def test_a_store_in_the_auth_file(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    host.path(CONFIG).unlink()
    agent(host, 'config = "/etc/docker/config.json"')
    host.write("/etc/docker/config.json", {"credsStore": "ecr-login"})
    install_ours(host, user, "ecr-login")
    exhibit(root, *ON_HOST, works=pulls_public(host, "ecr-login"), prefix=host.inside)


@pytest.mark.failure("nomad-config.no-auth")
def test_a_client_without_an_auth_block(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    host.path(CONFIG).unlink()
    host.write(FILE, CLIENT)
    install_ours(host, user, "ecr-login")

    def works(patient: Patient) -> bool:
        stanza = host.path("/etc/nomad.d/credhelpers.hcl")
        named = stanza.exists() and 'helper = "ecr-login"' in stanza.read_text()
        return named and pulls_public(host, "ecr-login")(patient)

    exhibit(root, *ON_HOST, works=works, prefix=host.inside)


@pytest.mark.failure("nomad-config.replaced")
def test_a_stanza_that_replaces_another(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    agent(host, 'helper = "ecr-login"')
    install_ours(host, user, "ecr-login")
    volumes = 'plugin "docker" { config { volumes { enabled = true } } }\n'
    host.write("/etc/nomad.d/volumes.hcl", volumes)

    def put_together() -> None:
        both = volumes.replace("config {", 'config { auth { helper = "ecr-login" }')
        host.write(FILE, CLIENT)
        host.write("/etc/nomad.d/volumes.hcl", both)

    exhibit(
        root,
        *ON_HOST,
        works=pulls_public(host, "ecr-login"),
        breaks=False,
        by=("put both config blocks into /etc/nomad.d/volumes.hcl", put_together),
    )


@pytest.mark.failure("nomad-config.invalid")
def test_a_file_with_an_open_brace(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    agent(host, 'helper = "ecr-login"')
    install_ours(host, user, "ecr-login")
    host.write("/etc/nomad.d/extra.hcl", 'plugin "raw_exec" {\n  config {\n')
    exhibit(
        root,
        *ON_HOST,
        works=pulls_public(host, "ecr-login"),
        breaks=False,
        by=("correct the file", lambda: host.write("/etc/nomad.d/extra.hcl", 'plugin "raw_exec" {}\n')),
    )


@pytest.mark.failure("nomad-auth-file.missing")
def test_an_auth_file_that_is_missing(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    path = "/etc/nomad-docker/config.json"
    agent(host, f'config = "{path}"\n      helper = "ecr-login"')
    install_ours(host, user, "ecr-login")

    def works(patient: Patient) -> bool:
        read = host.run(["cat", path])
        return read.returncode == 0 and isinstance(json.loads(read.stdout), dict) and public(patient)

    public = pulls_public(host, "ecr-login")
    exhibit(root, *ON_HOST, works=works, prefix=host.inside)


@pytest.mark.failure("nomad-auth-file.empty")
def test_an_auth_file_with_nothing_in_it(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient, aws: Aws
) -> None:
    path = "/etc/nomad-docker/config.json"
    agent(host, f'config = "{path}"')
    host.write(path, {}, 0o600)
    install_ours(host, user, "ecr-login")
    variables = {**aws.environment(), "AWS_ECR_CACHE_DIR": "/var/lib/credhelpers"}
    words = " ".join(f"{name}={value}" for name, value in variables.items())
    host.unit("nomad.service", *UNIT, f"Environment={words}")

    def works(patient: Patient) -> bool:
        named = json.loads(host.path(path).read_text()).get("credHelpers", {}).get(HOST)
        return named == "ecr-login" and pulls_private(host, **variables)(patient)

    exhibit(root, *ON_HOST, works=works, prefix=host.inside, fill={"HOST": HOST})


@pytest.mark.failure("nomad-auth-file.invalid")
def test_an_auth_file_that_is_not_json(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    path = "/etc/nomad-docker/config.json"
    agent(host, f'config = "{path}"\n      helper = "ecr-login"')
    host.write(path, '{"auths": ', 0o600)
    install_ours(host, user, "ecr-login")

    def works(patient: Patient) -> bool:
        try:
            json.loads(host.path(path).read_text())
        except ValueError:
            return False
        return pulls_public(host, "ecr-login")(patient)

    exhibit(root, *ON_HOST, works=works, by=("correct the file", lambda: host.write(path, {}, 0o600)))


@pytest.mark.failure("nomad-auth-file.forbidden")
def test_an_auth_file_of_another_user(exhibit: Exhibit, host: Host, root: Patient) -> None:
    path = "/etc/nomad-docker/config.json"
    agent(host, f'config = "{path}"')
    host.unit("nomad.service", *UNIT, "User=nobody")
    host.write(path, {"auths": {"registry.example": {"auth": "YWRhOmNhbmFyeTdkMWZlMDJh"}}}, 0o600)

    def works(_: Patient) -> bool:
        return host.run(["/usr/bin/cat", path], user="65534").returncode == 0

    exhibit(root, *ON_HOST, works=works, prefix=host.inside)


@pytest.mark.failure("nomad-auth-file.hidden")
def test_an_auth_file_in_a_hidden_home(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    path = "/root/.docker/config.json"
    agent(host, f'config = "{path}"')
    host.unit("nomad.service", *UNIT, "ProtectHome=yes")
    host.write(
        path, {"credHelpers": {}, "auths": {"registry.example": {"auth": "YWRhOmNhbmFyeTdkMWZlMDJh"}}}, 0o600
    )

    def works(_: Patient) -> bool:
        conf = host.path("/etc/systemd/system/nomad.service.d/credhelpers.conf")
        return conf.exists() and "ProtectHome=read-only" in conf.read_text()

    exhibit(root, *ON_HOST, works=works, prefix=host.inside)


@pytest.mark.failure("nomad-auth-file.helpers-ignored")
def test_helpers_that_the_podman_driver_ignores(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient
) -> None:
    agent(host, 'config = "/etc/auth.json"', "nomad-driver-podman")
    host.write("/etc/auth.json", {"credHelpers": {HOST: "ecr-login"}})
    wrapper = f"#!/bin/sh\nexec {user.bin}/docker-credential-ecr-login get 2>/dev/null\n"

    def name_one() -> None:
        host.write("/usr/local/bin/docker-credential-ecr-login-get", wrapper, 0o755)
        agent(host, 'helper = "ecr-login-get"', "nomad-driver-podman")

    exhibit(root, *ON_HOST, works=podman_pulls(host), by=("name one helper for all registries in", name_one))


@pytest.mark.failure("nomad-helper.no-verb")
def test_a_helper_without_its_verb(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    agent(host, 'helper = "ecr-login"', "nomad-driver-podman")
    install_ours(host, user, "ecr-login")
    exhibit(root, *ON_HOST, works=podman_pulls(host), prefix=host.inside)


def podman_pulls(host: Host) -> Works:
    """Return what the podman driver does for a public image.

    It starts the helper of its file with nothing but "get" as the name of the program, writes the repository,
    and reads stdout and stderr together as one object (nomad-driver-podman registry/credshelper.go).
    """

    def works(_: Patient) -> bool:
        text = host.path(FILE).read_text()
        name = text.partition('helper = "')[2].partition('"')[0]
        if not name:
            return False
        started = f'exec -a get "$(command -v docker-credential-{name})" 2>&1'
        done = host.run(["/bin/bash", "-c", started], b"docker.io/library/hello-world")
        try:
            return done.returncode == 0 and not json.loads(done.stdout)["Secret"]
        except ValueError:
            return False

    return works


@pytest.mark.failure("unit-environment.missing")
def test_a_unit_without_the_shells_variables(
    exhibit: Exhibit, host: Host, root: Patient, user: Patient, aws: Aws
) -> None:
    agent(host, 'helper = "ecr-login"')
    install_ours(host, user, "ecr-login")
    shell = {**aws.environment(), "AWS_ECR_CACHE_DIR": "/var/lib/credhelpers"}
    exhibit(root.but(**shell), HOST, *ON_HOST, works=pulls_private(host), prefix=host.inside)


@pytest.mark.failure("nomad-public-images.refused-by-other")
def test_a_helper_of_another_project(exhibit: Exhibit, host: Host, root: Patient, user: Patient) -> None:
    host.path(CONFIG).unlink()
    host.write(FILE, CLIENT)
    install(host.path("/usr/local/bin"), "theirs", f"echo '{NOT_FOUND.decode()}'; exit 1")
    host.write(
        "/etc/nomad.d/credhelpers.hcl",
        '# Written by credhelpers configure.\nplugin "docker" {\n  config {\n    auth {\n'
        '      helper = "theirs"\n    }\n  }\n}\n',
    )
    install_ours(host, user, "ecr-login")

    def works(patient: Patient) -> bool:
        text = host.path("/etc/nomad.d/credhelpers.hcl").read_text()
        return pulls_public(host, text.partition('helper = "')[2].partition('"')[0])(patient)

    exhibit(root, *ON_HOST, works=works, prefix=host.inside)
