"""`credhelpers setup` on a Nomad worker, and killed at any step: no look-up fails meanwhile."""

import base64
import json
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.integration.docker_home import FILE_STORE, DockerHome, stub_helper
from tests.support.aws import HOST, PASSWORD, Aws
from tests.support.paced import run_paced
from tests.support.resolution import as_docker, as_nomad

SERVER = "registry.example:5000"
PUBLIC = "docker.io"
AUTH = base64.b64encode(f"ada:{CANARY}".encode()).decode()


@pytest.fixture
def home(installed: Path, private_env: dict[str, str], tmp_path: Path) -> DockerHome:
    """A user with a password in config.json, and a store in plain sh, ``docker-credential-stub``."""
    (tmp_path / "stub").mkdir()
    stub_helper(tmp_path / "bin", "stub", FILE_STORE)
    env = {**private_env, "PATH": f"{tmp_path / 'bin'}:{installed}:/usr/bin:/bin"}
    env["STUB"] = str(tmp_path / "stub")
    home = DockerHome(env, installed / "credhelpers")
    home.write(json.dumps({"auths": {SERVER: {"auth": AUTH}}}))
    return home


def test_a_nomad_worker(
    installed: Path, password_store_env: dict[str, str], aws: Aws, tmp_path: Path
) -> None:
    """Nomad takes any exit status but 0 for the end of a task."""
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    nomad.mkdir()
    env = {**password_store_env, **aws.environment(), "PATH": f"{installed}:/usr/bin:/bin"}
    env["CREDHELPERS_CONFIG"] = str(system)
    system.write_text("")
    home = DockerHome(env, installed / "credhelpers")
    home.write(json.dumps({"auths": {SERVER: {"auth": AUTH}}}))
    ecr_answers = 0

    def look_up() -> str:
        nonlocal ecr_answers
        for host in (HOST, SERVER, PUBLIC):
            answer = as_nomad(nomad, host, env)
            if answer is None:
                continue  # the stanza is not there yet: Nomad goes on without a credential
            if answer.code or (host != PUBLIC and not answer.found):
                return f"Nomad, {host}: {answer}"
            if host == HOST:
                ecr_answers += 1
                assert answer.credentials().secret == PASSWORD
        found = as_docker(home.config, SERVER, env)
        return "" if found and found.secret == CANARY else f"Docker: {found}"

    places = ("--nomad-dir", str(nomad), "--system-config", str(system), "--no-podman")
    done, look_ups = run_paced(["setup", "--offline", "--yes", *places], env, look_up)

    assert done.returncode == 0, done.stdout + done.stderr
    assert look_ups.failed == []
    assert look_ups.made.keys() >= {"store", "copy", "not-found", "nomad", "docker"}
    assert look_ups.total > 20 and ecr_answers >= look_ups.made["docker"]
    assert "restart the Nomad client" in done.stdout


def test_a_nomad_worker_with_ecr_only(
    installed: Path, password_store_env: dict[str, str], aws: Aws, tmp_path: Path
) -> None:
    """It has been set up by configure, for ECR and nothing else."""
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    env = {**password_store_env, **aws.environment(), "PATH": f"{installed}:/usr/bin:/bin"}
    system.write_text("")
    env["CREDHELPERS_CONFIG"] = str(system)
    places = ("--nomad-dir", str(nomad), "--system-config", str(system))
    DockerHome(env, installed / "credhelpers").succeed("configure", "--nomad", *places)
    assert 'helper = "ecr-login"' in (nomad / "credhelpers.hcl").read_text()

    def look_up() -> str:
        for host in (HOST, PUBLIC):
            answer = as_nomad(nomad, host, env)
            if answer is None or answer.code or (host == HOST and not answer.found):
                return f"{host}: {answer}"
        return ""

    done, look_ups = run_paced(["setup", "--offline", "--yes", "--no-podman", *places], env, look_up)

    assert done.returncode == 0, done.stdout + done.stderr
    assert look_ups.failed == []
    assert look_ups.made.keys() >= {"store", "nomad", "docker"}
    assert 'helper = "auto"' in (nomad / "credhelpers.hcl").read_text()


def test_killed_at_any_step(home: DockerHome, tmp_path: Path) -> None:
    before = home.config.read_bytes()
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    files = ("--nomad-dir", str(nomad), "--system-config", str(system))
    arguments = ("setup", "--offline", "--yes", "--store", "stub", "--podman", *files)
    places = [nomad, system, tmp_path / "stub", Path(home.env["HOME"], ".config"), home.config.parent]

    def start_again() -> None:
        for place in places:
            _empty(place)
        system.touch()
        nomad.mkdir(exist_ok=True)
        (tmp_path / "stub").mkdir(exist_ok=True)
        home.write(before)

    start_again()
    home.steps(*arguments)  # which makes the directories of the logs too
    start_again()
    count = home.steps(*arguments)
    wanted = _contents(places)
    assert json.loads(home.config.read_text())["credsStore"] == "stub"
    assert count > 30
    for step in range(1, count + 1):
        start_again()
        home.is_killed(step, "before", *arguments)
        found = as_docker(home.config, SERVER, home.env)
        assert found and found.secret == CANARY, step
        home.steps(*arguments)
        assert _contents(places) == wanted, step
        assert home.litter() == []


def test_a_login_meanwhile_is_kept(home: DockerHome, tmp_path: Path) -> None:
    """Docker login writes its password into config.json between the copy and the switch."""
    late = base64.b64encode(f"eve:{CANARY}".encode()).decode()
    logins = json.dumps({"auths": {SERVER: {"auth": AUTH}, "late.example": {"auth": late}}})
    hook = f"[ $1 != get ] || [ -e done ] || {{ touch done; printf %s '{logins}' >{home.config}; }}"
    home.env["HOOK"] = hook

    home.succeed("setup", "--offline", "--yes", "--store", "stub", "--no-podman")

    for server in (SERVER, "late.example"):
        found = as_docker(home.config, server, home.env)
        assert found and found.secret == CANARY
    assert json.loads(home.config.read_text())["auths"] == {SERVER: {}, "late.example": {}}


def _empty(place: Path) -> None:
    for path in sorted(place.rglob("*"), reverse=True) if place.is_dir() else [place]:
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)


def _contents(places: list[Path]) -> dict[str, bytes]:
    files = [path for place in places for path in ([place] if place.is_file() else place.rglob("*"))]
    return {str(path): path.read_bytes() for path in files if path.is_file() and ".lock" not in path.name}
