"""config.toml: what it sets, whose file counts, and complaints that name file, line and key."""

import os
from pathlib import Path

import pytest

from credhelpers import config, paths
from credhelpers.config import Settings
from credhelpers.credential import CredentialError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".config/credhelpers").mkdir(parents=True)
    return tmp_path


def load(home: Path, text: str | None = None, **environ: str) -> Settings:
    if text is not None:
        (home / ".config/credhelpers/config.toml").write_text(text)
    return config.load({"HOME": str(home), **environ})


def test_without_a_file_defaults_hold(home: Path) -> None:
    assert load(home).text("not_found") == "error"
    assert load(home).number("ecr.call_seconds") == 10
    assert load(home).flag("log.syslog") is False
    assert load(home).tables("ecr.registry") == []


def test_a_file_sets_text_numbers_and_flags(home: Path) -> None:
    found = load(home, 'not_found = "empty"\n[log]\nsyslog = true\n[ecr]\ncall_seconds = 4\nattempts = 1\n')

    assert found.text("not_found") == "empty"
    assert found.flag("log.syslog") is True
    assert found.number("ecr.call_seconds") == 4
    assert found.number("ecr.attempts") == 1


def test_tables_keep_their_order(home: Path) -> None:
    text = "".join(f'[[ecr.registry]]\nmatch = "host{number}"\n' for number in range(12))
    assert [table["match"] for table in load(home, text).tables("ecr.registry")] == [
        f"host{number}" for number in range(12)
    ]


def test_routes_stand_beside_settings_of_auto(home: Path) -> None:
    text = """
        [auto]
        default = "pass"
        helper_seconds = 5
        [[auto.route]]
        match = "*.pkg.dev"
        helper = "gcloud"
        [[auto.route]]
        match = "registry.internal:5000/team-a/*"
        helper = "pass"
        as = "registry.internal:5000#team-a"
    """
    for found in (load(home, text), load(home)):  # the second time from the compiled form
        assert found.text("auto.default") == "pass"
        assert found.number("auto.helper_seconds") == 5
        assert found.tables("auto.route") == [
            {"match": "*.pkg.dev", "helper": "gcloud"},
            {
                "match": "registry.internal:5000/team-a/*",
                "helper": "pass",
                "as": "registry.internal:5000#team-a",
            },
        ]


def test_the_second_reading_needs_no_parser(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[log]\nlevel = "debug"\n[[ecr.registry]]\nmatch = "a=b"\nprofile = "läufer"\n'
    first = load(home, text)
    monkeypatch.setattr("credhelpers.config.read", lambda _: pytest.fail("parsed again"))
    second = load(home)

    assert second.text("log.level") == "debug"
    assert (
        second.tables("ecr.registry")
        == first.tables("ecr.registry")
        == [{"match": "a=b", "profile": "läufer"}]
    )


def test_a_changed_file_counts_at_once(home: Path) -> None:
    load(home, 'not_found = "empty"\n')
    file = home / ".config/credhelpers/config.toml"
    before = file.stat().st_mtime_ns
    file.write_text('not_found = "error"\n')
    os.utime(file, ns=(before, before + 1))

    assert load(home).text("not_found") == "error"


def test_the_users_file_counts_over_the_systems(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = home / "system.toml"
    system.write_text('not_found = "empty"\n[log]\nlevel = "error"\n[[ecr.registry]]\nmatch = "theirs"\n')
    monkeypatch.setattr(paths, "SYSTEM_FILE", str(system))
    found = load(home, '[log]\nlevel = "debug"\n[[ecr.registry]]\nmatch = "mine"\n')

    assert found.text("not_found") == "empty"
    assert found.text("log.level") == "debug"
    assert [table["match"] for table in found.tables("ecr.registry")] == ["mine", "theirs"]


def test_a_named_file_is_the_only_one(home: Path) -> None:
    other = home / "other.toml"
    other.write_text('not_found = "empty"\n')
    found = load(home, '[log]\nlevel = "debug"\n', CREDHELPERS_CONFIG=str(other))

    assert found.text("not_found") == "empty"
    assert found.text("log.level") == "info"


def test_a_named_file_that_is_missing_is_an_error(home: Path) -> None:
    with pytest.raises(CredentialError, match="does not exist"):
        load(home, CREDHELPERS_CONFIG=str(home / "none.toml"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nonsense = 1\n", "line 1: nonsense is not known"),
        ("\n\n[log]\nlevle = 'info'\n", "line 4: log.levle is not known"),
        ("not_found = 'maybe'\n", "line 1: not_found must be one of error, empty"),
        ("not_found = 3\n", "line 1: not_found must be text in quotes"),
        ("[log]\nsyslog = 1\n", "line 2: log.syslog must be true or false"),
        ("[ecr]\nattempts = 1.5\n", "line 2: ecr.attempts must be a whole number"),
        ("[ecr]\n# why not\ncall_seconds = -1\n", "line 3: ecr.call_seconds must be more than 0"),
        ("[ecr]\ncall_seconds = nan\n", "line 2: ecr.call_seconds must be more than 0"),
        ("ecr = 3\n", "line 1: ecr must be a table"),
        ("[ecr.registry]\nmatch = 'a'\n", r"ecr.registry must be written as \[\[ecr.registry\]\]"),
        ("[[ecr.registry]]\nprofile = 'a'\n", "line 1: ecr.registry.match is missing"),
        (
            "[[ecr.registry]]\nmatch = 'a'\n\n[[ecr.registry]]\nmatch = 'b'\nprofil = 'c'\n",
            "line 6: ecr.registry.profil is not known",
        ),
        ("[[ecr.registry]]\nmatch = 7\n", "line 2: ecr.registry.match must be a line of text"),
        ("[[ecr.registry]]\nmatch = 'a\\nb'\nprofile = \"a\\nb\"\n", "line 3: ecr.registry.profile must be"),
        ("[[ecr.registry]]\nmatch = 'a.b'\naccount = '1'\n", "ecr.registry.region is missing"),
        (
            "[[ecr.registry]]\nmatch = '*'\naccount = '1'\nregion = 'eu-west-1'\n",
            "line 2: ecr.registry.match must name a domain",
        ),
        ("[auto]\ndefault = 3\n", "line 2: auto.default must be text in quotes"),
        ("[auto]\ndefault = ''\n", "line 2: auto.default must be what follows docker-credential-"),
        ("[auto]\ndefault = '../x'\n", "line 2: auto.default must be what follows docker-credential-"),
        ("[auto]\n\ndefault = 'auto'\n", "line 3: auto.default must not be auto"),
        ("[auto]\nhelper_seconds = 0\n", "line 2: auto.helper_seconds must be more than 0"),
        ("[auto]\nfallback = 'pass'\n", "line 2: auto.fallback is not known"),
        ("[auto.route]\nmatch = 'a'\n", r"auto.route must be written as \[\[auto.route\]\]"),
        ("[auto]\nroute = ['a']\n", r"line 2: auto.route must be written as \[\[auto.route\]\]"),
        ("[[auto.route]]\nhelper = 'pass'\n", "line 1: auto.route.match is missing"),
        ("\n[[auto.route]]\nmatch = 'a'\n", "line 2: auto.route.helper is missing"),
        (
            "[[auto.route]]\nmatch = 'a'\nhelper = '/bin/x'\n",
            "line 3: auto.route.helper must be what follows",
        ),
        ("[[auto.route]]\nmatch = 'a'\nhelper = 'auto'\n", "line 3: auto.route.helper must not be auto"),
        ("[[auto.route]]\nmatch = 'a'\nhelper = 'pass'\nas = 1\n", "line 4: auto.route.as must be a line"),
        (
            "[[auto.route]]\nmatch = 'a'\nhelper = 'b'\n[[auto.route]]\nmatch = 'b'\nuser = 'c'\n",
            "line 6: auto.route.user is not known",
        ),
        ("not_found =\n", "is not valid TOML: .*line 1"),
        ("\x00", "is not valid TOML"),
        ("[" * 5000, "is not valid TOML"),
    ],
)
def test_an_error_names_file_line_and_key(home: Path, text: str, complaint: str) -> None:
    with pytest.raises(CredentialError, match=complaint) as raised:
        load(home, text)
    assert str(home) in raised.value.cause
    assert "\n" not in raised.value.cause


def test_a_special_or_huge_file_is_an_error(home: Path) -> None:
    file = home / ".config/credhelpers/config.toml"
    os.mkfifo(file)
    with pytest.raises(CredentialError, match="is not a regular file"):
        load(home)
    file.unlink()
    file.write_text("#" * (2 << 20))
    with pytest.raises(CredentialError, match="is larger than"):
        load(home)


def test_a_file_that_is_not_utf8_is_an_error(home: Path) -> None:
    (home / ".config/credhelpers/config.toml").write_bytes(b"\xff")
    with pytest.raises(CredentialError, match="is not valid TOML"):
        load(home)


def test_no_home_means_the_systems_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "home_directory", lambda _: None)
    assert paths.config_paths({}) == [paths.SYSTEM_FILE]
