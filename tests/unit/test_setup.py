"""What setup sees of a machine: the cloud by files and variables, and a session bus that hangs."""

import socket
import time
from pathlib import Path

import pytest

from credhelpers.cli.setup.survey import find_cloud, survey


@pytest.mark.parametrize(
    ("name", "content", "cloud"),
    [
        ("sys/class/dmi/id/sys_vendor", "Amazon EC2\n", "EC2"),
        ("sys/class/dmi/id/board_vendor", "Amazon EC2\n", "EC2"),
        ("sys/hypervisor/uuid", "ec2f1234-0000-0000-0000-000000000000\n", "EC2"),
        ("sys/class/dmi/id/sys_vendor", "QEMU\n", ""),
    ],
)
def test_ec2_is_seen_by_its_files(tmp_path: Path, name: str, content: str, cloud: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(content)

    assert find_cloud(str(tmp_path), {}) == cloud


@pytest.mark.parametrize(
    ("variable", "cloud"),
    [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "ECS"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "EKS")],
)
def test_containers_are_seen_by_variables(tmp_path: Path, variable: str, cloud: str) -> None:
    assert find_cloud(str(tmp_path), {variable: "/x"}) == cloud


def test_a_bus_that_hangs_is_no_keyring(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "bus"))
        silent.listen()
        environ = {"HOME": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path / 'bus'}"}
        began = time.monotonic()

        found = survey(str(tmp_path / "config.json"), environ)

        assert time.monotonic() - began < 3
    assert (found.keyring, found.password_store, found.has_podman) == ("", False, False)
    assert found.report()["plaintext"] == []
