"""`credhelpers configure` as a process, with the files of Docker, podman and Nomad."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.canary import CANARY
from tests.integration.docker_home import DockerHome, stub_helper
from tests.support.tools import require

ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user without any configuration, on whose PATH the helpers are."""
    return DockerHome({**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")


@pytest.mark.parametrize("indent", ["\t", "  ", "    "])
@pytest.mark.parametrize("end", ["", "\n"])
def test_store_is_set_and_other_bytes_stay(home: DockerHome, indent: str, end: str) -> None:
    start = f'{{\n{indent}"psFormat" : "a\\u003cb",\n{indent}"n": [1,  2e3]'
    home.write(start + "\n}" + end)

    home.succeed("configure", "--force", "--store", "pass")

    assert home.config.read_text() == f'{start},\n{indent}"credsStore": "pass"\n}}{end}'


def test_a_new_configuration_is_undone(home: DockerHome) -> None:
    home.succeed("configure", "--force", "--store", "auto", "--ecr", ECR, "--ecr", "public.ecr.aws")

    helpers = {ECR: "ecr-login", "public.ecr.aws": "ecr-login"}
    assert json.loads(home.config.read_text()) == {"credsStore": "auto", "credHelpers": helpers}
    assert home.config.stat().st_mode & 0o777 == 0o600
    home.succeed("configure", "--undo")
    assert os.listdir(home.config.parent) == []


def test_a_second_run_has_nothing_to_do(home: DockerHome) -> None:
    home.write('{"auths": {}}')
    home.succeed("configure", "--force", "--store", "pass", "--ecr", ECR)
    first, backup = home.config.stat(), home.backup.read_bytes()

    assert "nothing to do" in home.succeed("configure", "--force", "--store", "pass", "--ecr", ECR)

    assert (home.config.stat().st_ino, home.config.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert home.backup.read_bytes() == backup


def test_a_dry_run_shows_a_diff_without_secrets(home: DockerHome) -> None:
    secrets = {
        "auths": {"r.example": {"auth": CANARY, "identitytoken": CANARY}},
        "HttpHeaders": {"X-Auth": CANARY},
    }
    before = home.write(json.dumps(secrets))

    answer = home.run("configure", "--force", "--store", "pass", "--dry-run")

    assert answer.code == 0
    assert b'+{"auths": {"r.example": {"auth": "' in answer.out and b'"credsStore": "pass"}' in answer.out
    assert CANARY.encode() not in answer.out + answer.err
    assert home.config.read_bytes() == before
    assert os.listdir(home.config.parent) == ["config.json"]


def test_a_dry_run_hides_secrets_of_podmans_file(home: DockerHome, tmp_path: Path) -> None:
    (tmp_path / "auth").write_text(json.dumps({"auths": {"r.example": {"auth": CANARY}}}))
    home.env["REGISTRY_AUTH_FILE"] = str(tmp_path / "auth")

    answer = home.run("configure", "--podman", "--ecr", ECR, "--dry-run")

    assert answer.code == 0 and f"+++ {tmp_path / 'auth'}".encode() in answer.out
    assert CANARY.encode() not in answer.out + answer.err


def test_the_docker_directory_may_be_named(home: DockerHome, tmp_path: Path) -> None:
    home.succeed("configure", "--force", "--store", "pass", "--docker-config", str(tmp_path / "named"))
    home.env["DOCKER_CONFIG"] = str(tmp_path / "by-environment")
    home.succeed("configure", "--force", "--store", "pass")

    for name in ("named", "by-environment"):
        assert json.loads((tmp_path / name / "config.json").read_text()) == {"credsStore": "pass"}
    assert not home.config.exists()


def test_undo_keeps_what_was_changed_since(home: DockerHome) -> None:
    home.write('{"credsStore": "desktop", "auths": {}}')
    home.succeed("configure", "--force", "--store", "pass", "--ecr", ECR)
    config = json.loads(home.config.read_text())
    config["auths"]["r.example"] = {}
    home.write(json.dumps(config))

    home.succeed("configure", "--undo")

    assert json.loads(home.config.read_text()) == {"credsStore": "desktop", "auths": {"r.example": {}}}
    assert "Nothing to undo" in home.succeed("configure", "--undo")


def test_the_report_is_json_when_asked_for(home: DockerHome) -> None:
    home.write('{"auths": {"r.example": {"auth": "YTpi"}}}')

    report = json.loads(home.succeed("configure", "--force", "--store", "pass", "--json"))

    assert report["changed"] == [str(home.config)]
    assert report["plaintext"] == {str(home.config): ["r.example"]}


def test_plaintext_secrets_are_warned_of(home: DockerHome) -> None:
    home.write('{"auths": {"r.example": {"auth": "YTpi"}}}')

    told = home.run("configure", "--force", "--store", "pass").err.decode()

    assert "r.example" in told and "Docker now asks pass instead" in told
    assert "credhelpers migrate" in told


def test_a_helper_not_on_path_is_warned_of(home: DockerHome) -> None:
    home.env["PATH"] = "/usr/bin:/bin"

    told = home.run("configure", "--force", "--store", "keyring").err.decode()

    assert "docker-credential-keyring is not on PATH" in told
    assert f"export PATH={home.command.resolve().parent}:$PATH" in told


@pytest.mark.parametrize(
    "host",
    [
        f"{ECR}.evil.example",
        f"evil-{ECR}",
        f"{ECR}:5000",
        f"http://{ECR}",
        "docker.io",
        "ecr.corp.example",
        "",
    ],
)
def test_a_host_outside_ecr_is_refused(home: DockerHome, host: str) -> None:
    before = home.write("{}")

    home.fail("configure", "--ecr", host)

    assert home.config.read_bytes() == before


def test_an_own_domain_in_config_toml_is_accepted(home: DockerHome) -> None:
    settings = Path(home.env["HOME"], ".config", "credhelpers", "config.toml")
    settings.parent.mkdir(parents=True)
    settings.write_text(
        '[[ecr.registry]]\nmatch = "ecr.corp.example"\naccount = "123456789012"\nregion = "eu-west-1"\n'
    )

    home.succeed("configure", "--ecr", "ecr.corp.example")

    assert json.loads(home.config.read_text())["credHelpers"] == {"ecr.corp.example": "ecr-login"}


@pytest.mark.parametrize(
    "arguments", [(), ("--podman",), ("--store", "../x"), ("--store", ""), ("--undo", "--store", "pass")]
)
def test_wrong_usage_has_its_own_exit_status(home: DockerHome, arguments: tuple[str, ...]) -> None:
    assert home.run("configure", *arguments).code == 2


def test_skopeo_asks_the_helper_of_podman(home: DockerHome, tmp_path: Path) -> None:
    skopeo = require("skopeo", "skopeo")
    told = 'read -r server; printf \'{"ServerURL":"%%s","Username":"from-%s","Secret":"x"}\' "$server"'
    stub_helper(tmp_path / "stubs", "ecr-login", told % "ecr-login")
    stub_helper(
        tmp_path / "stubs",
        "stub",
        f"case $(cat) in stored.example) echo stored.example | {{ {told % 'stub'}; }};;"
        " *) echo credentials not found in native keychain; exit 1;; esac",
    )
    home.env["PATH"] = f"{tmp_path / 'stubs'}:{home.env['PATH']}"

    home.succeed("configure", "--force", "--podman", "--store", "stub", "--ecr", ECR)

    for server, username in ((ECR, b"from-ecr-login"), ("stored.example", b"from-stub")):
        asked = [skopeo, "login", "--get-login", server]
        done = subprocess.run(asked, env=home.env, capture_output=True, timeout=30, check=False)
        assert done.stdout.strip() == username, done
    home.succeed("configure", "--podman", "--undo")
    containers = Path(home.env["HOME"], ".config", "containers")
    assert [path for path in containers.rglob("*") if path.is_file()] == []


def test_nomad_client_is_set_up(home: DockerHome, tmp_path: Path) -> None:
    nomad, system = tmp_path / "nomad.d", tmp_path / "config.toml"
    nomad.mkdir()
    (nomad / "nomad.hcl").write_text('client { enabled = true }\n# plugin "docker" {\n')
    system.write_text('# ours\n[log]\nlevel = "debug"\n')
    arguments = ("--nomad", "--nomad-dir", str(nomad), "--system-config", str(system))

    home.succeed("configure", *arguments)

    assert 'helper = "ecr-login"' in (nomad / "credhelpers.hcl").read_text()
    assert system.read_text() == 'not_found = "empty"\n\n# ours\n[log]\nlevel = "debug"\n'
    assert "nothing to do" in home.succeed("configure", *arguments)
    assert not home.config.exists()
    home.succeed("configure", "--undo", *arguments)
    assert sorted(os.listdir(nomad)) == ["nomad.hcl"]
    assert system.read_text() == '# ours\n[log]\nlevel = "debug"\n'


def test_a_system_setting_keeps_its_comment(home: DockerHome, tmp_path: Path) -> None:
    system = tmp_path / "config.toml"
    system.write_text('not_found = "error"  # strict\n')

    told = home.succeed(
        "configure", "--nomad", "--system-config", str(system), "--nomad-dir", str(tmp_path / "d")
    )

    assert system.read_text() == 'not_found = "empty"  # strict\n'
    assert str(system) in told


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("docker.hcl", 'plugin "docker" {\n  config { volumes { enabled = true } }\n}\n'),
        ("credhelpers.hcl", 'plugin "docker" { config { auth { helper = "mine" } } }\n'),
        ("all.json", '{"plugin": {"docker": {"config": {}}}}'),
    ],
)
def test_an_own_stanza_is_not_overwritten(home: DockerHome, tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    system = tmp_path / "config.toml"

    told = home.fail("configure", "--nomad", "--nomad-dir", str(tmp_path), "--system-config", str(system))

    assert str(tmp_path / name) in told and 'helper = "ecr-login"' in told
    assert (tmp_path / name).read_text() == content
    assert not system.exists()


@pytest.mark.skipif(Path("/etc/nomad.d").exists(), reason="this is a Nomad client")
def test_without_nomad_the_stanza_is_shown(home: DockerHome, tmp_path: Path) -> None:
    told = home.succeed(
        "configure", "--nomad", "--store", "auto", "--system-config", str(tmp_path / "config.toml")
    )

    assert 'plugin "docker" {' in told and 'helper = "auto"' in told


def test_broken_toml_is_refused(home: DockerHome, tmp_path: Path) -> None:
    system = tmp_path / "config.toml"
    system.write_text("not_found = ")

    told = home.fail("configure", "--nomad", "--nomad-dir", str(tmp_path), "--system-config", str(system))

    assert "is not valid TOML" in told
    assert system.read_text() == "not_found = "
    assert not (tmp_path / "credhelpers.hcl").exists()


def test_help_has_examples(home: DockerHome) -> None:
    assert "credhelpers configure --store auto --dry-run" in home.succeed("configure", "--help")


def test_colours_on_a_terminal_only(home: DockerHome) -> None:
    arguments = ("configure", "--force", "--store", "pass", "--dry-run")

    assert "\x1b" not in home.succeed(*arguments)
    assert b"\x1b[32m+" in home.show(*arguments)
    home.env["NO_COLOR"] = "1"
    assert b"\x1b" not in home.show(*arguments)
