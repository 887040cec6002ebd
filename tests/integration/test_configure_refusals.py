"""`credhelpers configure` and `migrate` with a helper or a region that does not exist."""

import json
from pathlib import Path

import pytest

from tests.integration.docker_home import FILE_STORE, DockerHome, stub_helper
from tests.support.client import Helper


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user with a Docker configuration, on whose PATH the helpers are."""
    home = DockerHome({**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")
    home.write('{"auths": {"r.example": {"auth": "YTpi"}}}')
    return home


def _host(region: str, account: str = "123456789012") -> str:
    return f"{account}.dkr.ecr.{region}.amazonaws.com"


@pytest.mark.parametrize(
    ("typo", "meant"), [("pas", "pass"), ("keyrng", "keyring"), ("ecr-logn", "ecr-login")]
)
@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_a_helper_that_does_not_exist_is_refused(
    home: DockerHome, typo: str, meant: str, dry_run: tuple[str, ...]
) -> None:
    before = home.config.read_bytes()

    told = home.fail("configure", "--store", typo, *dry_run)

    assert f"docker-credential-{typo} is not on PATH" in told
    assert f"did you mean {meant}?" in told and "--force" in told
    assert home.config.read_bytes() == before and not home.backup.exists()


def test_a_helper_without_similar_name_is_refused(home: DockerHome) -> None:
    told = home.fail("configure", "--store", "zzzzzz")

    assert "did you mean" not in told and "install it first" in told


def test_force_names_a_helper_that_does_not_exist(home: DockerHome) -> None:
    home.succeed("configure", "--store", "later", "--force")

    assert json.loads(home.config.read_text())["credsStore"] == "later"


def test_a_vendors_helper_on_path_is_accepted(home: DockerHome, tmp_path: Path) -> None:
    stub_helper(tmp_path / "bin", "desktop", "exit 1")
    home.env["PATH"] = f"{tmp_path / 'bin'}:/nonexistent:relative::{home.env['PATH']}"

    assert "did you mean desktop?" in home.fail("configure", "--store", "dekstop")

    home.succeed("configure", "--force", "--store", "desktop")


def test_a_helper_beside_the_command_is_accepted(home: DockerHome) -> None:
    home.env["PATH"] = "/usr/bin:/bin"

    told = home.run("configure", "--force", "--store", "auto").err
    assert b"is not on PATH, so Docker will not find it" in told

    assert json.loads(home.config.read_text())["credsStore"] == "auto"


def test_the_helper_of_nomad_must_exist(home: DockerHome, tmp_path: Path) -> None:
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    arguments = ("--nomad", "--nomad-dir", str(nomad), "--system-config", str(system), "--store", "auot")

    assert "did you mean auto?" in home.fail("configure", *arguments)
    assert not nomad.exists() and not system.exists()

    home.succeed("configure", "--force", *arguments)
    assert 'helper = "auot"' in (nomad / "credhelpers.hcl").read_text()


@pytest.mark.parametrize("option", ["--to", "--from"])
def test_migrate_suggests_a_similar_name(home: DockerHome, option: str) -> None:
    arguments = ("--to", "pas") if option == "--to" else ("--from", "pas", "--to", "auto")

    told = home.fail("migrate", *arguments)

    assert "docker-credential-pas is not on PATH" in told and "did you mean pass?" in told


@pytest.mark.parametrize("option", ["login", "logout"])
def test_login_and_logout_suggest_a_similar_name(home: DockerHome, option: str) -> None:
    assert "did you mean keyring?" in home.fail(option, "r.example", "--store", "keyrin")


@pytest.mark.parametrize(
    ("region", "meant"),
    [
        ("eu-centrl-1", "eu-central-1"),
        ("eu-central-9", "eu-central-1"),
        ("us-esat-1", "us-east-1"),
        ("us-gov-wets-1", "us-gov-west-1"),
    ],
)
def test_a_region_that_does_not_exist_is_refused(home: DockerHome, region: str, meant: str) -> None:
    before = home.config.read_bytes()

    told = home.fail("configure", "--ecr", _host(region))

    assert f"{region}, which is not a region of AWS" in told
    assert meant in told.partition("did you mean ")[2].partition("?")[0] and "--force" in told
    assert home.config.read_bytes() == before
    home.succeed("configure", "--force", "--ecr", _host(region))
    assert json.loads(home.config.read_text())["credHelpers"] == {_host(region): "ecr-login"}


def test_the_region_of_an_own_domain_is_checked(home: DockerHome) -> None:
    settings = Path(home.env["HOME"], ".config", "credhelpers", "config.toml")
    settings.parent.mkdir(parents=True)
    settings.write_text(
        '[[ecr.registry]]\nmatch = "ecr.corp.example"\naccount = "123456789012"\nregion = "eu-wets-1"\n'
    )

    assert "did you mean eu-west-1?" in home.fail("configure", "--ecr", "ecr.corp.example")


@pytest.mark.parametrize(
    "host",
    [
        _host("ap-southeast-5"),
        _host("us-gov-east-1"),
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
        "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
        "123456789012.dkr-ecr-fips.us-west-2.on.aws",
        "public.ecr.aws",
    ],
)
def test_the_regions_of_every_partition_are_known(home: DockerHome, host: str) -> None:
    home.succeed("configure", "--ecr", host)

    assert json.loads(home.config.read_text())["credHelpers"] == {host: "ecr-login"}


@pytest.fixture
def keyless(installed: Path, private_env: dict[str, str]) -> DockerHome:
    """A user without a store, who has logged in nowhere."""
    home = DockerHome({**private_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")
    home.write("{}")
    return home


@pytest.mark.parametrize("store", ["pass", "keyring", "auto"])
def test_a_store_that_is_not_there_is_refused(keyless: DockerHome, store: str) -> None:
    told = keyless.fail("configure", "--store", store)

    assert f"docker-credential-{store} has no store that works" in told
    assert f"credhelpers setup --store {store}" in told
    assert keyless.config.read_text() == "{}"
    keyless.succeed("configure", "--force", "--store", store)


def test_auto_needs_no_store_in_another_file(keyless: DockerHome, tmp_path: Path) -> None:
    """A Nomad worker may pull from ECR only."""
    keyless.succeed("configure", "--store", "auto", "--docker-config", str(tmp_path / "nomad"))

    assert json.loads((tmp_path / "nomad/config.json").read_text()) == {"credsStore": "auto"}


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_secrets_in_plain_text_are_not_stranded(home: DockerHome, dry_run: tuple[str, ...]) -> None:
    before = home.config.read_bytes()

    told = home.fail("configure", "--store", "pass", *dry_run)

    assert "has the secrets of r.example in plain text, and Docker would ask pass" in told
    assert "credhelpers setup --store pass; or credhelpers migrate --to pass" in told
    assert home.config.read_bytes() == before and not home.backup.exists()


def test_a_store_that_has_the_secrets_is_accepted(home: DockerHome) -> None:
    helper = Helper(home.command.with_name("docker-credential-pass"), home.env)
    assert helper.store("r.example", "a", "b").code == 0

    home.succeed("configure", "--store", "pass")


def test_another_stores_credentials_are_not_stranded(home: DockerHome, tmp_path: Path) -> None:
    (tmp_path / "stub").mkdir()
    stub = Helper(stub_helper(tmp_path / "bin", "stub", FILE_STORE), home.env)
    home.env.update(PATH=f"{tmp_path / 'bin'}:{home.env['PATH']}", STUB=str(tmp_path / "stub"))
    assert stub.store("r.example", "a", "b").code == 0
    before = home.write('{"credsStore": "stub", "auths": {"r.example": {}}}')

    told = home.fail("configure", "--store", "pass")
    assert "the credentials of r.example are in stub, which Docker would no longer ask" in told
    assert "credhelpers setup --store pass" in told
    assert home.config.read_bytes() == before

    assert "keep stub" in home.fail("configure", "--no-store")
    assert home.config.read_bytes() == before

    home.succeed("configure", "--no-store", "--force")
    assert json.loads(home.config.read_text()) == {"auths": {"r.example": {}}}
