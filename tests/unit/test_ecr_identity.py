"""The line that stands for whoever asks: it changes with all that selects an identity only."""

import os
from pathlib import Path

import pytest

from credhelpers.stores.ecr.identity import CHOICES, SELECTING_VARIABLES, identity_key
from credhelpers.stores.ecr.tokens import shared_name


def test_it_is_the_same_line_for_the_same_environment() -> None:
    environ = {"AWS_PROFILE": "prod", "PATH": "/bin"}

    assert identity_key(environ, {}) == identity_key({**environ, "PATH": "/"}, {})


@pytest.mark.parametrize("name", SELECTING_VARIABLES)
def test_every_selecting_variable_makes_another_line(name: str) -> None:
    lines = {identity_key(environ, {}) for environ in ({}, {name: "a"}, {name: "b"}, {name: ""})}

    assert len(lines) == 3  # an empty variable counts as none


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_of_the_configuration_makes_another_line(name: str) -> None:
    lines = {identity_key({}, chosen) for chosen in ({}, {name: "a"}, {name: "b"})}

    assert len(lines) == 3


@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_changed_file_makes_another_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".aws" / name
    path.parent.mkdir()
    lines = {identity_key(os.environ, {})}
    for content, moment in (("a", 1), ("b", 2), ("bb", 2)):
        path.write_text(content)
        os.utime(path, (moment, moment))
        lines.add(identity_key(os.environ, {}))

    assert len(lines) == 4


def test_a_file_named_by_a_variable_counts_in_place_of_the_one_at_home(tmp_path: Path) -> None:
    other = tmp_path / "other"
    environ = {"AWS_CONFIG_FILE": str(other)}
    before = identity_key(environ, {})
    other.write_text("x")

    assert identity_key(environ, {}) != before


def test_a_value_cannot_pass_for_two() -> None:
    one = identity_key({"AWS_PROFILE": "a' AWS_ROLE_ARN='b"}, {})
    two = identity_key({"AWS_PROFILE": "a", "AWS_ROLE_ARN": "b"}, {})

    assert one != two


def test_it_is_one_line_and_holds_no_secret() -> None:
    environ = {
        "AWS_ACCESS_KEY_ID": "AKIA\nx",
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "AWS_SESSION_TOKEN": "hidden",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "hidden",
    }

    line = identity_key(environ, {})

    assert "\n" not in line
    assert "hidden" not in line


def test_regions_and_identities_have_different_files() -> None:
    names = {shared_name(region, key) for region in ("eu-central-1", "eu-west-1") for key in ("a", "b")}

    assert len(names) == 4
    assert all("/" not in name for name in names)
