"""`credhelpers doctor` on services, as root and as another user, and its remedies that only show more."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gallery.host import Host
from tests.gallery.nomad_worker import CONFIG, FILE, ON_HOST, UNIT, agent, host, install_ours, root
from tests.integration.doctor import Finding, Patient, install
from tests.remedies.conftest import needs_root
from tests.remedies.mending import Shell

__all__ = ["host", "root"]

pytestmark = needs_root

NOBODY = "65534"


@pytest.fixture
def user(installed: Path, private_env: dict[str, str]) -> Patient:
    """Whoever asks."""
    return Patient(installed, {**private_env, "PATH": f"{installed}:/usr/bin:/bin"})


@pytest.fixture(autouse=True)
def ready(host: Host, user: Patient) -> Iterator[None]:
    """Let Nomad ask a helper that answers."""
    agent(host, 'helper = "ecr-login"')
    install_ours(host, user, "ecr-login")
    yield


AS_NOBODY = ("--docker-config", "/etc/docker")


def other_user(root: Patient) -> Patient:
    """Return a user who is not root, on the same machine."""
    wrapper = root.bin / "credhelpers"
    as_user = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --"
    wrapper.write_text(wrapper.read_text().replace(" -- ", f" -- {as_user} ", 1))
    for directory in (root.bin, *root.bin.parents):
        if directory.stat().st_uid == 0 and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o055)
    return root.but(HOME="/nonexistent")


def mend(tmp_path: Path, host: Host, user: Patient, finding: Finding) -> str:
    """Carry out a remedy as root of that machine, and return what it shows."""
    shell = Shell(tmp_path)
    done = shell.carry_out(finding.remedy, user.env, prefix=host.inside, directory=tmp_path, ends_well=False)
    return done.shown


def test_root_reads_what_others_cannot(tmp_path: Path, host: Host, root: Patient) -> None:
    host.path(FILE).chmod(0o600)
    report = other_user(root).doctor(*ON_HOST, *AS_NOBODY)
    finding = report.of("nomad config")
    assert finding.id == "nomad-config.unreadable"
    assert "asks ecr-login about every image" in mend(tmp_path, host, root, finding)


def test_root_asks_as_another_user(tmp_path: Path, host: Host, root: Patient) -> None:
    finding = other_user(root).doctor(*ON_HOST, *AS_NOBODY).of("nomad public images")
    assert finding.id == "nomad-public-images.not-asked"
    assert "Nomad pulls them without credentials" in mend(tmp_path, host, root, finding)


def test_root_reads_an_auth_file(tmp_path: Path, host: Host, root: Patient) -> None:
    agent(host, 'config = "/etc/nomad-docker/config.json"')
    host.write("/etc/nomad-docker/config.json", {"auths": {"registry.example": {}}}, 0o600)
    finding = other_user(root).doctor(*ON_HOST, *AS_NOBODY).of("nomad auth file")
    assert finding.id == "nomad-auth-file.unreadable"
    assert "Nomad can read /etc/nomad-docker/config.json" in mend(tmp_path, host, root, finding)


def test_root_reads_a_private_drop_in(tmp_path: Path, host: Host, root: Patient) -> None:
    path = "/etc/systemd/system/nomad.service.d/proxy.conf"
    host.write(path, "[Service]\nEnvironment=HTTPS_PROXY=http://proxy.example\n", 0o600)
    finding = other_user(root).doctor(*ON_HOST, *AS_NOBODY).of("unit")
    assert finding.id == "unit.unreadable"
    assert f"{path}: runs as root" in mend(tmp_path, host, root, finding)


def test_a_helper_that_does_not_answer_nomad(tmp_path: Path, host: Host, root: Patient) -> None:
    install(host.path("/usr/local/bin"), "slow", "exec sleep 60")
    agent(host, 'helper = "slow"')
    finding = root.doctor(*ON_HOST).of("nomad public images")
    assert finding.id == "nomad-public-images.late"
    assert "it did not answer within 5 s" in finding.text
    answer = root.doctor("registry.example", *ON_HOST).of("nomad answer")
    assert "registry.example: it did not answer within 5 s" in answer.text
    mend(tmp_path, host, root, finding)


def test_all_is_well(host: Host, root: Patient) -> None:
    report = root.doctor(*ON_HOST)
    assert {finding.state for finding in report.findings} == {"ok"}
    assert [finding.check for finding in report.findings] == [
        "nomad config",
        "nomad helper",
        "nomad public images",
        "unit",
    ]


def test_a_machine_without_nomad(host: Host, root: Patient) -> None:
    host.path(FILE).unlink()
    host.path("/etc/nomad.d").rmdir()
    host.path("/etc/systemd/system/nomad.service").unlink()
    assert root.doctor(*ON_HOST).findings == []


def test_a_server_pulls_nothing(host: Host, root: Patient) -> None:
    host.write(FILE, "server {\n  enabled = true\n}\n")
    assert root.doctor(*ON_HOST).findings == []


def test_files_that_the_unit_names(host: Host, root: Patient, user: Patient) -> None:
    host.unit("nomad.service", "ExecStart=/usr/bin/nomad agent -config=/opt/nomad/etc")
    host.write("/opt/nomad/etc/a.hcl", host.path(FILE).read_text().replace("ecr-login", "auto"))
    install_ours(host, user, "auto")
    assert "/opt/nomad/etc/a.hcl" in root.doctor(*ON_HOST).of("nomad config").text


def test_keys_of_the_shell_are_not_shown(host: Host, root: Patient) -> None:
    script = 'test "$AWS_SECRET_ACCESS_KEY" || exit 1; echo \'{"Username":"a","Secret":"b"}\''
    install(host.path("/usr/local/bin"), "keys", script)
    agent(host, 'helper = "keys"')
    root = root.but(AWS_SECRET_ACCESS_KEY="the-secret-key")
    report = root.doctor("registry.example", *ON_HOST)
    report.assert_broken("unit environment", "lacks AWS_SECRET_ACCESS_KEY", "EnvironmentFile")
    assert "the-secret-key" not in str(report)


def test_a_public_image_with_a_credential(host: Host, root: Patient) -> None:
    install(host.path("/usr/local/bin"), "hub", 'echo \'{"Username":"ada","Secret":"s"}\'')
    agent(host, 'helper = "hub"')
    assert "that of ada" in root.doctor(*ON_HOST).of("nomad public images").text


def test_a_helper_that_is_nowhere(host: Host, root: Patient) -> None:
    agent(host, 'helper = "absent"')
    report = root.doctor(*ON_HOST)
    report.assert_broken("nomad helper", "docker-credential-absent is not on the PATH", "install")
    assert report.of("nomad helper").id == "nomad-helper.not-installed"


def test_a_helper_that_fails(host: Host, root: Patient) -> None:
    install(host.path("/usr/local/bin"), "sealed", 'echo "the vault is sealed" >&2; exit 1')
    agent(host, 'helper = "sealed"')
    root.doctor(*ON_HOST).assert_broken("nomad answer", "the vault is sealed", "docker-credential-sealed get")


def test_the_settings_of_the_machine_count(host: Host, root: Patient) -> None:
    host.path(CONFIG).unlink()
    host.unit("nomad.service", *UNIT, "Environment=CREDHELPERS_CONFIG=/etc/nomad.d/credhelpers.toml")
    host.write("/etc/nomad.d/credhelpers.toml", 'not_found = "empty"\n')
    assert root.doctor(*ON_HOST).state("nomad public images") == "ok"


def test_root_reads_the_runners_file(tmp_path: Path, host: Host, root: Patient) -> None:
    host.write(
        "/etc/gitlab-runner/config.toml", 'concurrent = 1\n\n[[runners]]\nexecutor = "docker"\n', 0o600
    )
    finding = other_user(root).doctor("--client", "gitlab-runner", *AS_NOBODY).of("gitlab-runner config")
    assert finding.id == "gitlab-runner-config.unreadable"
    assert "config.toml can be read: 1 runners" in mend(tmp_path, host, root, finding)


def test_root_reads_kubelets_file(tmp_path: Path, host: Host, root: Patient) -> None:
    options = (
        "--image-credential-provider-config=/etc/eks/config.json --image-credential-provider-bin-dir=/etc/eks"
    )
    host.unit("kubelet.service", f"ExecStart=/usr/bin/kubelet {options}")
    versions = ("kubelet.config.k8s.io/v1", "credentialprovider.kubelet.k8s.io/v1")
    provider = {"name": "ecr", "apiVersion": versions[1], "matchImages": ["*.dkr.ecr.*.amazonaws.com"]}
    host.write("/etc/eks/config.json", {"apiVersion": versions[0], "providers": [provider]}, 0o600)
    host.write("/etc/eks/ecr", "#!/bin/sh\n", 0o755)
    finding = other_user(root).doctor("--client", "kubelet", *AS_NOBODY).of("kubelet config")
    assert finding.id == "kubelet-config.unreadable"
    assert "kubelet starts /etc/eks/ecr" in mend(tmp_path, host, root, finding)


def test_faults_of_dockerds_unit(host: Host, root: Patient) -> None:
    assert root.doctor("--client", "systemd").findings == []
    host.unit("docker.service", "ExecStart=/usr/bin/dockerd", "EnvironmentFile=/etc/default/absent")
    report = root.but(HTTPS_PROXY="http://proxy.example").doctor("--client", "systemd")
    assert {finding.id for finding in report.findings if finding.state != "ok"} == {
        "unit-environment.file-missing",
        "unit-environment.no-proxy",
    }


def test_a_proxy_in_daemon_json(host: Host, root: Patient) -> None:
    host.unit("docker.service", "ExecStart=/usr/bin/dockerd")
    host.write("/etc/docker/daemon.json", {"proxies": {"https-proxy": "http://proxy.example"}})
    assert root.but(HTTPS_PROXY="http://proxy.example").doctor("--client", "systemd").findings == []


def test_a_runner_that_is_well(host: Host, root: Patient) -> None:
    auth = json.dumps({"credHelpers": {"public.ecr.aws": "ecr-login"}})
    variable = json.dumps(f"DOCKER_AUTH_CONFIG={auth}")
    host.write("/etc/gitlab-runner/config.toml", f"[[runners]]\nenvironment = [{variable}]\n")
    host.unit("gitlab-runner.service", "Environment=AWS_EC2_METADATA_DISABLED=true")
    report = root.doctor("--client", "gitlab-runner")
    assert {finding.state for finding in report.findings} == {"ok"}
    assert "for public.ecr.aws" in report.of("gitlab-runner answer").text


def test_many_slow_registries_are_in_time(host: Host, root: Patient) -> None:
    install(host.path("/usr/local/bin"), "slow", "exec sleep 60")
    agent(host, 'config = "/etc/auth.json"')
    host.write("/etc/auth.json", {"credHelpers": {f"r{number}.example": "slow" for number in range(40)}})
    assert root.doctor(*ON_HOST).code == 1
