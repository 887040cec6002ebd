"""Builders of buildx: files that are not found, not read, or of no use."""

from pathlib import Path

import pytest

from tests.gallery.test_buildx import builder
from tests.integration.doctor import Patient
from tests.remedies.mending import Mending


def test_builders_in_another_place(keeper: Patient, tmp_path: Path, mend: Mending) -> None:
    builder(keeper)
    user = keeper.but(BUILDX_CONFIG=str(tmp_path))
    found = user.doctor("--client", "buildx").of("buildx")
    assert found.id == "buildx.elsewhere"
    mended = Patient(user.bin, mend(found.remedy, user.env).env)
    assert mended.doctor("--client", "buildx").state("buildx") == "ok"


def test_a_builder_that_is_cut_off(keeper: Patient, mend: Mending) -> None:
    path = builder(keeper)
    builder(keeper, name="whole")
    path.write_text(path.read_text()[:20])
    found = next(f for f in keeper.doctor("--client", "buildx").findings if f.state == "fail")
    assert found.id == "buildx.unreadable"
    mend(found.remedy, keeper.env)
    assert keeper.doctor("--client", "buildx").state("buildx") == "ok"


def test_a_builder_without_mirrors_is_ok(keeper: Patient) -> None:
    builder(keeper)
    assert keeper.doctor("--client", "buildx").state("buildx") == "ok"


def test_nothing_without_buildx(keeper: Patient) -> None:
    assert keeper.doctor("--client", "buildx").findings == []


def test_a_mirror_with_a_scheme(keeper: Patient) -> None:
    builder(keeper, '[registry."docker.io"]\nmirrors = ["https://mirror.example"]\n')
    found = keeper.doctor("--client", "buildx").of("buildx")
    assert (found.id, found.state) == ("buildx.mirror-scheme", "warn")


@pytest.mark.parametrize(
    ("text", "id"),
    [("[", "buildx.invalid"), ('[registry."a"]\nca = ["/nonexistent"]\n', "buildx.no-authority")],
)
def test_the_configuration_of_new_builders(keeper: Patient, text: str, id: str) -> None:  # noqa: A002
    path = keeper.home / ".docker" / "buildx" / "buildkitd.default.toml"
    path.parent.mkdir()
    path.write_text(text)
    assert keeper.doctor("--client", "buildx").of("buildx").id == id
