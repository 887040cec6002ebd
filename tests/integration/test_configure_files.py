"""`credhelpers configure` and a config.json that is in anybody's way: nothing of it is ever lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.docker_home import DockerHome
from tests.support.tools import require

REGION = "dkr.ecr.eu-central-1.amazonaws.com"
ARGUMENTS = ("configure", "--force", "--store", "pass", "--ecr", f"123456789012.{REGION}")
BEFORE = '{\n\t"auths": {\n\t\t"r.example": {"auth": "YTpi"}\n\t},\n\t"psFormat": "x"\n}'

# What a docker that logs in does, 200 times a second: read, add, write beside, rename. It takes no lock.
_WRITER = """
import json, os, sys, time
path, count = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
for number in range(count):
    with open(path) as file:
        config = json.load(file)
    config["auths"][f"k{number}"] = {}
    with open(path + "123", "w") as file:
        json.dump(config, file)
    os.rename(path + "123", path)
    time.sleep(0.005)
"""


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user with a Docker configuration."""
    home = DockerHome({**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")
    home.write(BEFORE)
    return home


def test_a_symbolic_link_stays_one(home: DockerHome, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "docker.json"
    real.parent.mkdir()
    home.config.rename(real)
    home.config.symlink_to(real)

    home.succeed(*ARGUMENTS)

    assert home.config.is_symlink()
    assert json.loads(real.read_text())["credsStore"] == "pass"
    assert os.listdir(home.config.parent) == ["config.json"]
    home.succeed("configure", "--undo")
    assert real.read_text() == BEFORE


def test_a_dangling_link_is_followed(home: DockerHome, tmp_path: Path) -> None:
    home.config.unlink()
    home.config.symlink_to(tmp_path / "new" / "docker.json")

    home.succeed(*ARGUMENTS)

    assert json.loads((tmp_path / "new" / "docker.json").read_text())["credsStore"] == "pass"


def test_mode_and_owner_stay(home: DockerHome) -> None:
    if os.geteuid() == 0:
        os.chown(home.config, 12345, 54321)
    home.config.chmod(0o640)
    before = home.config.stat()

    home.succeed(*ARGUMENTS)

    after = home.config.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert home.backup.stat().st_mode == before.st_mode


def test_a_read_only_file_is_not_replaced(home: DockerHome) -> None:
    home.config.chmod(0o444)

    assert "is read-only" in home.fail(*ARGUMENTS)

    assert home.config.read_text() == BEFORE
    assert os.listdir(home.config.parent) == ["config.json"]


def test_a_read_only_file_system_is_an_error(home: DockerHome) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    mount = 'd=$1; shift; mount --bind "$d" "$d"; mount -o remount,bind,ro "$d"; exec "$@"'
    unshare = require("unshare", "util-linux")
    prefix = (unshare, "--mount", "--", "/bin/sh", "-ec", mount, "sh", str(home.config.parent))

    assert "Read-only file system" in home.fail(*ARGUMENTS, prefix=prefix)

    assert home.config.read_text() == BEFORE


def test_a_full_disk_is_an_error(home: DockerHome) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    script = (
        'd=$1; shift; mount -t tmpfs -o size=8k none "$d"; printf %s "$BEFORE" >"$d/config.json";'
        ' cat /dev/zero >"$d/full" 2>/dev/null || true; "$@" || status=$?; cat "$d/config.json"; exit $status'
    )
    unshare = require("unshare", "util-linux")
    home.env["BEFORE"] = BEFORE
    prefix = (unshare, "--mount", "--", "/bin/sh", "-ec", script, "sh", str(home.config.parent))

    answer = home.run(*ARGUMENTS, prefix=prefix)

    assert answer.code == 1
    assert b"No space left on device" in answer.err
    assert answer.out.decode() == BEFORE


@pytest.mark.parametrize(
    "content",
    [b'{"auths": {', b"[]", b'{"auths": {}}}', b"\x00\xff", b'{"a": 1, "a": 2}', b'{"credsStore": 7}'],
)
def test_a_malformed_file_is_refused_and_kept(home: DockerHome, content: bytes) -> None:
    home.write(content)

    home.fail(*ARGUMENTS)

    assert home.config.read_bytes() == content
    assert os.listdir(home.config.parent) == ["config.json"]


def test_a_directory_in_its_place_is_refused(home: DockerHome) -> None:
    home.config.unlink()
    home.config.mkdir()

    assert "is not a regular file" in home.fail(*ARGUMENTS)


def test_a_file_of_5_megabytes_is_edited(home: DockerHome) -> None:
    auths = {f"r{number}.example": {"auth": "YTpi" * 10} for number in range(70_000)}
    before = home.write(json.dumps({"auths": auths}, indent="\t"))
    assert len(before) > 5_000_000

    home.succeed(*ARGUMENTS)

    after = json.loads(home.config.read_text())
    assert after["auths"] == auths and after["credsStore"] == "pass"
    home.succeed("configure", "--undo")
    assert home.config.read_bytes() == before


def test_a_file_too_large_is_refused(home: DockerHome) -> None:
    with home.config.open("r+b") as file:
        file.truncate(17 << 20)

    assert "is larger than 16777216 bytes" in home.fail(*ARGUMENTS)

    assert home.config.stat().st_size == 17 << 20


def test_killed_at_any_step_loses_nothing(home: DockerHome) -> None:
    count = home.steps(*ARGUMENTS)
    wanted = home.config.read_bytes()
    assert count > 8
    for step in range(1, count + 1):
        for moment in ("before", "after"):
            home.write(BEFORE)
            home.backup.unlink(missing_ok=True)
            home.is_killed(step, moment, *ARGUMENTS)
            assert home.config.read_bytes() in (BEFORE.encode(), wanted), (step, moment)
            home.steps(*ARGUMENTS)
            assert home.config.read_bytes() == wanted
            assert home.litter() == []
            home.steps("configure", "--undo")
            assert home.config.read_text() == BEFORE


def test_undo_is_safe_at_any_step_too(home: DockerHome) -> None:
    home.succeed(*ARGUMENTS)
    configured, backup = home.config.read_bytes(), home.backup.read_bytes()
    count = home.steps("configure", "--undo")
    for step in range(1, count + 1):
        for moment in ("before", "after"):
            home.config.write_bytes(configured)
            home.backup.write_bytes(backup)
            home.is_killed(step, moment, "configure", "--undo")
            assert home.config.read_bytes() in (BEFORE.encode(), configured), (step, moment)
            home.steps("configure", "--undo")
            assert home.config.read_text() == BEFORE


@pytest.mark.parametrize("name", ["credhelpers-1.tmp", "credhelpers-backup.1.tmp"])
@pytest.mark.parametrize("command", [" ".join(ARGUMENTS), "migrate --to auto", "logout absent.example"])
def test_files_of_a_killed_run_are_removed(home: DockerHome, name: str, command: str) -> None:
    left = home.config.with_name(f"config.json.{name}")
    left.write_text("half")

    home.run(*command.split())

    assert not left.exists()


def test_concurrent_edits_are_kept(home: DockerHome) -> None:
    count = 300
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(home.config), str(count)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        runs = 0
        while writer.poll() is None:
            home.run("configure", "--force", "--store", f"s{runs}")
            runs += 1
    assert writer.returncode == 0
    assert runs > 1

    config = json.loads(home.config.read_text())

    assert [number for number in range(count) if f"k{number}" not in config["auths"]] == []
    assert config["auths"]["r.example"] == {"auth": "YTpi"} and config["psFormat"] == "x"


def test_many_at_once_all_get_their_entry(home: DockerHome) -> None:
    hosts = [f"{number:012}.{REGION}" for number in range(12)]
    runs = [
        subprocess.Popen(
            [str(home.command), "configure", "--ecr", host], env=home.env, stdout=subprocess.DEVNULL
        )
        for host in hosts
    ]

    assert [run.wait(60) for run in runs] == [0] * len(hosts)

    assert sorted(json.loads(home.config.read_text())["credHelpers"]) == hosts
