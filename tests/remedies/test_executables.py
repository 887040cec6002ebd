"""Helpers that Docker cannot start, or should not: missing, closed, hidden, or anybody's to change."""

import json
import os
from pathlib import Path

import pytest

from tests.integration.doctor import Patient, install
from tests.remedies.conftest import needs_root
from tests.remedies.mending import Mending

SYSTEM = "/usr/bin:/bin"


@pytest.fixture
def others(user: Patient, tmp_path: Path) -> Path:
    """A directory with a space in its name, on which the users of these tests have their PATH."""
    return tmp_path / "other helpers"


def test_a_helper_beside_the_command(user: Patient, mend: Mending) -> None:
    user.configure(credsStore="keyring")
    lost = user.but(PATH=SYSTEM)
    mended = mend(lost.doctor().of("on PATH").remedy, lost.env)
    assert Patient(user.bin, mended.env).doctor().state("on PATH") == "ok"


def test_a_hidden_helper_is_put_first(user: Patient, others: Path, mend: Mending) -> None:
    install(others, "pass", "echo 0.6.3")
    user.configure(credsStore="pass")
    hidden = user.but(PATH=f"{others}:{user.env['PATH']}")
    assert "which hides" in hidden.doctor().of("on PATH").text
    mended = mend(hidden.doctor().of("on PATH").remedy, hidden.env)
    assert Patient(user.bin, mended.env).doctor().state("on PATH") == "ok"


def test_a_helper_of_another_version(user: Patient, others: Path, mend: Mending) -> None:
    install(others, "pass", "echo 'docker-credential-pass (credhelpers) 0.0.1'")
    user.configure(credsStore="pass")
    old = user.but(PATH=f"{others}:{SYSTEM}")
    mended = mend(old.doctor().of("on PATH").remedy, old.env)
    assert Patient(user.bin, mended.env).doctor().state("on PATH") == "ok"


def test_a_helper_is_made_executable(user: Patient, others: Path, mend: Mending) -> None:
    install(others, "x", "echo x 1").chmod(0o644)
    user.configure(credsStore="x")
    user = user.but(PATH=f"{others}:{SYSTEM}")
    found = user.doctor().of("on PATH")
    assert "is not executable" in found.text
    mend(found.remedy, user.env)
    assert user.doctor().state("on PATH") == "ok"


def test_a_missing_store_is_replaced_by_auto(user: Patient, mend: Mending) -> None:
    user.configure(credsStore="absent")
    mend(user.doctor().of("on PATH").remedy, user.env)
    assert json.loads(user.config.read_text()) == {"credsStore": "auto"}
    assert user.doctor().state("on PATH") == "ok"


@pytest.mark.parametrize(
    ("named", "words"), [("credHelpers", "name another one in"), ("route", "auto.route")]
)
def test_a_missing_helper_of_one_server(user: Patient, named: str, words: str) -> None:
    if named == "credHelpers":
        user.configure(credHelpers={"registry.example": "absent"})
    else:
        user.configure(credsStore="auto")
        user.set("[[auto.route]]\nmatch = 'registry.example'\nhelper = 'absent'\n")
    remedies = [
        found.remedy for found in user.doctor("registry.example").findings if found.check == "on PATH"
    ]
    assert words in remedies[-1]


@pytest.mark.parametrize("places", [("file",), ("directory",), ("file", "directory")])
def test_a_helper_that_all_may_change_is_closed(
    user: Patient, others: Path, mend: Mending, places: tuple[str, ...]
) -> None:
    path = install(others, "x", "echo x 1")
    for place in places:
        (path if place == "file" else others).chmod(0o777)
    user.configure(credsStore="x")
    user = user.but(PATH=f"{others}:{SYSTEM}")
    mend(user.doctor().of("executable").remedy, user.env)
    assert user.doctor().state("executable") == "ok"


@needs_root
@pytest.mark.parametrize("places", [("file",), ("file", "directory")])
def test_a_helper_of_another_user_is_taken_over(
    user: Patient, others: Path, mend: Mending, places: tuple[str, ...]
) -> None:
    path = install(others, "x", "echo x 1")
    for place in places:
        os.chown(path if place == "file" else others, 12345, 12345)
    user.configure(credsStore="x")
    user = user.but(PATH=f"{others}:{SYSTEM}")
    mend(user.doctor().of("executable").remedy, user.env)
    assert user.doctor().state("executable") == "ok"
