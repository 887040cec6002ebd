"""kubelet's credential providers. The provider is a stand-in: what AWS ships cannot be had here."""

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.gallery.exhibit import Exhibit, Works
from tests.gallery.host import Host
from tests.integration.doctor import Patient
from tests.remedies.conftest import needs_root
from tests.support.aws import HOST

pytestmark = needs_root

CONFIG = "/etc/kubernetes/credential-provider.yaml"
BIN = "/opt/kubelet/bin"
PROGRAM = f"{BIN}/ecr-credential-provider"
ON_HOST = ("--client", "kubelet")
PROVIDER = """#!/bin/sh
read -r request
case $request in *CredentialProviderRequest*) ;; *) exit 1 ;; esac
echo '{"kind": "CredentialProviderResponse", "auth": {"host": {"username": "AWS", "password": "token"}}}'
"""
YAML = """\
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider  # of cloud-provider-aws
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    defaultCacheDuration: "12h"
    matchImages:
      - "*.dkr.ecr.*.amazonaws.com"
      - '*.dkr.ecr.*.amazonaws.com.cn'
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A node of a cluster, whose kubelet has a provider for ECR."""
    with Host(tmp_path / "host") as machine:
        options = f"--image-credential-provider-config={CONFIG} --image-credential-provider-bin-dir {BIN}"
        machine.write("/etc/default/kubelet", f'KUBELET_EXTRA_ARGS="{options}"\n')
        machine.unit(
            "kubelet.service",
            "EnvironmentFile=-/etc/default/kubelet",
            "ExecStart=/usr/bin/kubelet --config=/etc/kubernetes/kubelet.yaml $KUBELET_EXTRA_ARGS",
        )
        machine.write(CONFIG, YAML)
        machine.write(PROGRAM, PROVIDER, 0o755)
        yield machine


@pytest.fixture
def root(host: Host, user: Patient, tmp_path: Path) -> Patient:
    """The person on call, who is root on that node."""
    return host.operator(user, tmp_path / "operator")


def pulls(host: Host) -> Works:
    """Return what kubelet does for an image of ECR: it matches the image, and starts the provider."""

    def works(_: Patient) -> bool:
        content = yaml.safe_load(host.path(CONFIG).read_text())
        assert isinstance(content, dict)
        if content["apiVersion"] != "kubelet.config.k8s.io/v1":
            return False
        (provider,) = content["providers"]
        patterns = [pattern.split(".") for pattern in provider["matchImages"]]
        parts = HOST.split(".")
        if not any(
            len(pattern) == len(parts) and all(map(fnmatch.fnmatchcase, parts, pattern))
            for pattern in patterns
        ):
            return False
        request = {
            "apiVersion": provider["apiVersion"],
            "kind": "CredentialProviderRequest",
            "image": f"{HOST}/a:1",
        }
        done = host.run([f"{BIN}/{provider['name']}"], json.dumps(request).encode() + b"\n")
        return done.returncode == 0 and json.loads(done.stdout)["auth"]["host"]["password"] == "token"

    return works


@pytest.mark.failure("kubelet-provider.not-executable")
def test_a_provider_without_its_mode(exhibit: Exhibit, host: Host, root: Patient) -> None:
    host.path(PROGRAM).chmod(0o644)
    exhibit(root, *ON_HOST, works=pulls(host), prefix=host.inside)


@pytest.mark.failure("kubelet-provider.not-installed")
def test_a_provider_of_another_name(exhibit: Exhibit, host: Host, root: Patient) -> None:
    host.path(PROGRAM).rename(host.path(f"{BIN}/ecr-credential-provider-linux-amd64"))

    def put() -> None:
        host.write(PROGRAM, PROVIDER, 0o755)

    told = f"install ecr-credential-provider into {BIN}"
    exhibit(root, *ON_HOST, works=pulls(host), by=(told, put))


@pytest.mark.failure("kubelet-provider.no-match")
def test_images_of_a_level_too_few(exhibit: Exhibit, host: Host, root: Patient) -> None:
    host.write(
        CONFIG, YAML.replace('"*.dkr.ecr.*.amazonaws.com"', '"*.amazonaws.com"').replace(".com.cn", ".org")
    )
    exhibit(root, *ON_HOST, works=pulls(host), prefix=host.inside)


@pytest.mark.failure("kubelet-provider.api-version")
def test_a_version_that_kubelet_does_not_know(exhibit: Exhibit, host: Host, root: Patient) -> None:
    host.write(CONFIG, YAML.replace("kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v2"))
    exhibit(root, *ON_HOST, works=pulls(host), prefix=host.inside)


@pytest.mark.failure("kubelet-config.missing")
def test_a_configuration_that_is_missing(exhibit: Exhibit, host: Host, root: Patient) -> None:
    host.path(CONFIG).rename(host.path(CONFIG + ".bak"))

    def works(patient: Patient) -> bool:
        return host.path(CONFIG).exists() and pulls(host)(patient)

    exhibit(root, *ON_HOST, works=works, by=("write it", lambda: host.write(CONFIG, YAML)))


@pytest.mark.failure("kubelet-config.incomplete")
def test_a_directory_that_kubelet_is_not_given(exhibit: Exhibit, host: Host, root: Patient) -> None:
    option = f"--image-credential-provider-config={CONFIG}"
    host.write("/etc/default/kubelet", f"KUBELET_EXTRA_ARGS={option}\n")

    def works(patient: Patient) -> bool:
        return "bin-dir" in host.path("/etc/default/kubelet").read_text() and pulls(host)(patient)

    both = f'KUBELET_EXTRA_ARGS="{option} --image-credential-provider-bin-dir={BIN}"\n'
    exhibit(
        root, *ON_HOST, works=works, by=("give it both", lambda: host.write("/etc/default/kubelet", both))
    )
