"""The opposites of configure's options: they take away what an option has named, and nothing else."""

import json
from pathlib import Path

import pytest

from tests.integration.docker_home import DockerHome

ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user with a password store, on whose PATH the helpers are."""
    return DockerHome({**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")


def _config(home: DockerHome) -> object:
    return json.loads(home.config.read_text())


def test_remove_ecr_takes_one_registry_away(home: DockerHome) -> None:
    home.write('{"n": [1,  2]}')
    home.succeed("configure", "--store", "pass", "--ecr", ECR, "--ecr", "public.ecr.aws")

    home.succeed("configure", "--remove-ecr", ECR)

    assert _config(home) == {
        "n": [1, 2],
        "credsStore": "pass",
        "credHelpers": {"public.ecr.aws": "ecr-login"},
    }
    home.succeed("configure", "--undo")
    assert ECR in str(_config(home))


def test_remove_ecr_leaves_other_helpers(home: DockerHome) -> None:
    before = home.write(json.dumps({"credHelpers": {ECR: "other"}}))

    home.succeed("configure", "--remove-ecr", ECR, "--remove-ecr", "unknown.example")

    assert home.config.read_bytes() == before


def test_no_store_takes_the_store_away(home: DockerHome) -> None:
    home.write('{"n": [1,  2]}')
    home.succeed("configure", "--store", "pass")

    home.succeed("configure", "--no-store")

    assert home.config.read_text() == '{"n": [1,  2]}'
    assert "nothing to do" in home.succeed("configure", "--no-store")


def test_no_podman_takes_both_files_back(home: DockerHome) -> None:
    home.succeed("configure", "--podman", "--store", "pass", "--ecr", ECR)
    containers = Path(home.env["HOME"], ".config", "containers")
    own = containers / "registries.conf.d" / "50-credhelpers.conf"
    assert own.exists()

    home.succeed("configure", "--no-podman")

    assert not own.exists()
    assert json.loads((containers / "auth.json").read_text()) == {"credHelpers": {}}
    assert _config(home) == {"credsStore": "pass", "credHelpers": {ECR: "ecr-login"}}


def test_an_edited_file_of_podman_is_kept(home: DockerHome) -> None:
    home.succeed("configure", "--podman", "--store", "pass")
    own = Path(home.env["HOME"], ".config/containers/registries.conf.d/50-credhelpers.conf")
    own.write_text(own.read_text() + "# mine\n")

    assert f"rm {own}" in home.fail("configure", "--no-podman")

    assert own.exists()


def test_no_nomad_takes_the_stanza_back(home: DockerHome, tmp_path: Path) -> None:
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    system.write_text('[log]\nlevel = "info"\n')
    places = ("--nomad-dir", str(nomad), "--system-config", str(system))
    home.succeed("configure", "--nomad", *places)
    assert (nomad / "credhelpers.hcl").exists()

    home.succeed("configure", "--no-nomad", *places)

    assert not (nomad / "credhelpers.hcl").exists()
    assert system.read_text() == '[log]\nlevel = "info"\n'


@pytest.mark.parametrize(
    "arguments",
    [
        ("--store", "pass", "--no-store"),
        ("--ecr", ECR, "--remove-ecr", ECR),
        ("--undo", "--no-store"),
        ("--undo", "--no-podman"),
    ],
)
def test_opposites_exclude_each_other(home: DockerHome, arguments: tuple[str, ...]) -> None:
    assert home.run("configure", *arguments).code == 2
