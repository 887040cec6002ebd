"""How the files of a Nomad agent are merged, and what they say about credentials."""

from pathlib import Path

import pytest

from credhelpers.clients.nomad_agent import Auth, config_arguments, read_agent
from credhelpers.credential import CredentialError


def stanza(auth: str, plugin: str = "docker") -> str:
    return f'plugin "{plugin}" {{ config {{ auth {{ {auth} }} }} }}\n'


def write(directory: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (directory / name.replace("_", ".")).write_text(text)
    return [str(directory)]


def test_a_client_with_a_helper(tmp_path: Path) -> None:
    agent = read_agent(write(tmp_path, a_hcl="client { enabled = true }\n" + stanza('helper = "pass"')))
    assert agent.is_client
    assert agent.files == [str(tmp_path / "a.hcl")]
    assert agent.drivers == [Auth("docker", str(tmp_path / "a.hcl"), "pass")]


def test_both_drivers(tmp_path: Path) -> None:
    podman = stanza('helper = "x"\nconfig = "/etc/auth.json"', "nomad-driver-podman")
    agent = read_agent(write(tmp_path, a_hcl=stanza('config = "/c"'), b_hcl=podman))
    assert [(auth.driver, auth.helper, auth.config) for auth in agent.drivers] == [
        ("docker", "", "/c"),
        ("nomad-driver-podman", "x", "/etc/auth.json"),
    ]
    assert not agent.is_client


def test_the_last_stanza_replaces_the_others(tmp_path: Path) -> None:
    volumes = 'plugin "docker" { config { volumes { enabled = true } } }'
    agent = read_agent(write(tmp_path, a_hcl=stanza('helper = "x"'), b_json="{}", z_hcl=volumes))
    (auth,) = agent.drivers
    assert (auth.path, auth.helper, auth.hidden) == (str(tmp_path / "z.hcl"), "", (str(tmp_path / "a.hcl"),))


def test_an_empty_stanza_replaces_nothing(tmp_path: Path) -> None:
    (auth,) = read_agent(write(tmp_path, a_hcl=stanza('helper = "x"'), z_hcl='plugin "docker" {}')).drivers
    assert (auth.helper, auth.hidden) == ("x", ())


def test_the_options_of_the_client_block(tmp_path: Path) -> None:
    options = 'client { options { "docker.auth.helper" = "x" } }'
    (auth,) = read_agent(write(tmp_path, a_hcl=options)).drivers
    assert auth.helper == "x"


def test_later_files_decide_about_the_client(tmp_path: Path) -> None:
    files = write(tmp_path, a_hcl="client { enabled = true }", b_json='{"client": {"enabled": false}}')
    assert not read_agent(files).is_client


def test_only_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "dir.hcl").mkdir()
    agent = read_agent([*write(tmp_path, nomad_env="X=1", a_hcl="name = 1"), "/nowhere/at-all.hcl"])
    assert agent.files == [str(tmp_path / "a.hcl")]


@pytest.mark.parametrize("name", ["a.hcl", "a.json"])
def test_an_invalid_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{ "consul": {"token": "canary-token')
    with pytest.raises(CredentialError) as caught:
        read_agent([str(tmp_path)])
    assert caught.value.fault == "invalid"
    assert name in caught.value.cause
    assert "canary" not in caught.value.cause


def test_a_link_to_nothing_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.hcl").symlink_to("nowhere")
    with pytest.raises(CredentialError) as caught:
        read_agent([str(tmp_path)])
    assert caught.value.fault == "unreadable"


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("/usr/bin/nomad agent -config /etc/nomad.d", ["/etc/nomad.d"]),
        ("/usr/bin/nomad agent -client -config=/a.hcl --config '/b c'", ["/a.hcl", "/b c"]),
        ("/usr/bin/nomad agent -dev", []),
        ("nomad agent -config", []),
        ("", []),
        ("nomad agent 'open -config /x", ["/x"]),
    ],
)
def test_the_files_a_command_line_names(command: str, paths: list[str]) -> None:
    assert config_arguments(command) == paths
