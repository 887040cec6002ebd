"""What of dockerd's configuration the gallery does not stage, without a dockerd."""

import json
import os
import socket
import tempfile
import time
from pathlib import Path

import pytest

from credhelpers.cli.doctor.clients import dockerd
from credhelpers.cli.doctor.clients.daemon_json import check
from credhelpers.cli.doctor.clients.daemon_proxy import check as check_proxy
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.clients.mirrors import check as check_mirrors
from credhelpers.config import Settings
from credhelpers.finding import Finding
from tests.conformance.canary import CANARY
from tests.integration.doctor import documented
from tests.remedies.conftest import needs_root
from tests.remedies.mending import Shell
from tests.support.registries import Reply, Stub

OLD, NEW = (20, 10), (28, 3)


def faults(path: Path, version: tuple[int, ...], seconds: float = 0.0) -> list[Finding]:
    """Return what is wrong with a daemon.json."""
    content, found = check(str(path), None, version, {})
    found += check_mirrors(str(path), content, version, seconds)
    assert {finding.id for finding in found if finding.state != "ok"} <= documented()
    return [finding for finding in found if finding.state != "ok"]


@pytest.mark.parametrize(
    ("text", "fault", "left"),
    [
        ("{", "dockerd-config.invalid", None),
        ("[]", "dockerd-config.invalid", None),
        ("", "dockerd-config.invalid", None),
        ('{"credsStore": "pass"}', "dockerd-config.client-key", {}),
        ('{"credHelpers": {"a": "b"}, "debug": true}', "dockerd-config.client-key", {"debug": True}),
        ('{"auths": {"a": {"auth": "x"}}}', "dockerd-config.client-key", {}),
        ('{"proxies": {"default": {"httpProxy": "x"}}}', "dockerd-config.client-key", {}),
        (
            '{"registry-mirrors": "https://m"}',
            "dockerd-config.not-a-list",
            {"registry-mirrors": ["https://m"]},
        ),
        (
            '{"insecure-registries": ["a:5000/x"]}',
            "dockerd-config.insecure-registry",
            {"insecure-registries": ["a:5000"]},
        ),
        (
            '{"insecure-registries": ["b", "*.a"]}',
            "dockerd-config.insecure-registry",
            {"insecure-registries": ["b"]},
        ),
        (
            '{"insecure-registries": ["https://ada:%s@a:5000"]}' % CANARY,  # noqa: UP031
            "dockerd-config.insecure-registry",
            {"insecure-registries": ["a:5000"]},
        ),
        (
            '{"registry-mirrors": ["m:5000"]}',
            "dockerd-mirror.invalid",
            {"registry-mirrors": ["https://m:5000"]},
        ),
        (
            '{"registry-mirrors": ["https://m/x"]}',
            "dockerd-mirror.invalid",
            {"registry-mirrors": ["https://m"]},
        ),
        (
            '{"registry-mirrors": ["https://m?a"]}',
            "dockerd-mirror.invalid",
            {"registry-mirrors": ["https://m?a"]},
        ),
        (
            '{"registry-mirrors": ["https://ada:%s@m/"]}' % CANARY,  # noqa: UP031
            "dockerd-mirror.invalid",
            {"registry-mirrors": ["https://m"]},
        ),
    ],
)
def test_a_file_is_corrected(tmp_path: Path, text: str, fault: str, left: object) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(text)
    (found,) = faults(path, OLD)
    assert found.id == fault
    assert CANARY not in found.text + found.remedy
    if "?a" not in text:
        Shell(tmp_path).carry_out(found.remedy, {**os.environ, "HOME": str(tmp_path)})
        assert (json.loads(path.read_text()) if path.exists() else None) == left


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("{}", OLD),
        ("", NEW),
        ('{"registry-mirrors": ["https://m/x"]}', NEW),
        ('{"registry-mirrors": null}', OLD),
        ('{"insecure-registries": ["http://a", "b:5000", "10.0.0.0/8", "[::1]:5000", "::1/128"]}', OLD),
        ('\ufeff{"proxies": {"http-proxy": "http://a:1"}}', NEW),
    ],
)
def test_what_dockerd_takes(tmp_path: Path, text: str, version: tuple[int, ...]) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(text)
    assert faults(path, version) == []


@pytest.mark.parametrize(("said", "count"), [("the following directives don't match", 1), ("", 0)])
def test_newer_versions_validate_the_file(tmp_path: Path, said: str, count: int) -> None:
    path, program = tmp_path / "daemon.json", tmp_path / "dockerd"  # a stand-in: Debian's does not validate
    path.write_text('{"x": 1}')
    refusal = f"unable to configure the Docker daemon with file {path}: {said}"
    program.write_text(f'#!/bin/sh\necho "{refusal if said else "configuration OK"}" >&2\n')
    program.chmod(0o755)
    _, found = check(str(path), str(program), NEW, {})
    assert [finding.id for finding in found if finding.state == "fail"] == ["dockerd-config.refused"] * count


def machine(root: Path, **environ: str) -> Machine:
    """Return a machine with nothing but what is below a directory."""
    home = root / "home"
    home.mkdir(exist_ok=True)
    environ = {"PATH": "/nonexistent", "HOME": str(home), **environ}
    return Machine(environ, Settings({}), None, time.monotonic() + 8, str(root), offline=True)


def test_nothing_where_there_is_no_dockerd(tmp_path: Path) -> None:
    assert list(dockerd.examine(machine(tmp_path))) == []


@pytest.mark.parametrize("option", ["--config-file=/etc/x.json", '--config-file "/etc/x.json"'])
def test_the_file_that_the_unit_names(tmp_path: Path, option: str) -> None:
    for name in ("etc/x.json", "etc/systemd/system/docker.service.d/x.conf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "etc/x.json").write_text("{")
    unit = tmp_path / "lib/systemd/system/docker.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("[Service]\nExecStart=/usr/bin/dockerd -H fd://\n")
    drop_in = tmp_path / "etc/systemd/system/docker.service.d/x.conf"
    drop_in.write_text(f"[Service]\nExecStart=\nExecStart=/usr/bin/dockerd {option}\n")
    ((_, found),) = dockerd.examine(machine(tmp_path))
    assert "etc/x.json is not valid JSON" in found[0].text


def test_a_socket_on_which_nothing_listens() -> None:
    with tempfile.TemporaryDirectory(prefix="ch-", dir="/tmp") as directory:
        root = Path(directory)
        (root / "run").mkdir()
        (root / "etc/docker").mkdir(parents=True)
        (root / "etc/docker/daemon.json").write_text("{}")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(root / "run/docker.sock"))
            ((_, found),) = dockerd.examine(machine(root))
            assert found[-1].id == "docker-socket.silent"
            listener.listen()
            ((_, found),) = dockerd.examine(machine(root))
            assert (found[-1].id, found[-1].state) == ("docker-socket", "ok")


@needs_root
def test_a_socket_that_others_may_not_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/docker.sock").touch()
    (tmp_path / "etc/docker").mkdir(parents=True)
    (tmp_path / "etc/docker/daemon.json").write_text("{}")
    ((_, found),) = dockerd.examine(machine(tmp_path))
    assert found[-1].id == "docker-socket.denied"
    assert "usermod" in found[-1].remedy


def test_a_mirror_that_gives_tokens_to_all(tmp_path: Path) -> None:
    def answer(asked: object) -> Reply:
        if getattr(asked, "path", "") == "/token":
            return Reply(200, body=b'{"token": "x"}')
        realm = f'Bearer realm="http://{stub.host}/token",service="x"'
        return Reply(401, {"WWW-Authenticate": realm})

    with Stub(answer) as stub:
        path = tmp_path / "daemon.json"
        path.write_text(json.dumps({"registry-mirrors": [f"http://{stub.host}"]}))
        assert [finding.id for finding in faults(path, OLD, 5.0)] == ["dockerd-mirror.plain-http"]


def test_a_proxy_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://ada:{CANARY}@127.0.0.1:{listener.getsockname()[1]}"
        content: dict[str, object] = {"proxies": {"http-proxy": url, "https-proxy": url}}
        path.write_text(json.dumps({**content, "debug": False}))
        assert [finding.state for finding in check_proxy(str(path), content, 5.0)] == ["ok"]
    (found,) = check_proxy(str(path), content, 5.0)
    assert found.id == "dockerd-proxy.unreachable"
    assert CANARY not in found.text + found.remedy
    Shell(tmp_path).carry_out(found.remedy, {**os.environ, "HOME": str(tmp_path)})
    assert json.loads(path.read_text()) == {"debug": False}
    assert list(check_proxy(str(path), content, 0.0)) == []


def test_a_lonely_key_and_a_closed_folder(tmp_path: Path) -> None:
    folder = tmp_path / "etc/docker/certs.d/a.example"
    folder.mkdir(parents=True)
    (folder / "client.key").write_text("x")
    ((_, found),) = dockerd.examine(machine(tmp_path))
    assert {finding.id for finding in found} >= {"certs-d.half-a-pair"}
    Shell(tmp_path).carry_out(found[-1].remedy, {**os.environ, "HOME": str(tmp_path)})
    ((_, found),) = dockerd.examine(machine(tmp_path))
    assert found[-1].state == "ok"
