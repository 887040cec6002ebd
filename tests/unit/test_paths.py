"""Where the home, the state and the configuration are, also where a service has no home."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from credhelpers import config, paths

KNOWN = pwd.getpwuid(os.geteuid()).pw_dir


def test_the_home_is_what_the_environment_names(tmp_path: Path) -> None:
    assert paths.home_directory({"HOME": str(tmp_path)}) == str(tmp_path)


@pytest.mark.parametrize("named", [None, "", "relative", ".", "~", "/nonexistent", "/etc/passwd"])
def test_a_wrong_home_is_looked_up(named: str | None) -> None:
    environ = {} if named is None else {"HOME": named}
    assert paths.home_directory(environ) == KNOWN


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give directories to another user")
def test_the_home_of_another_user_is_not_taken(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    assert paths.home_directory({"HOME": str(tmp_path)}) == KNOWN


def test_an_unknown_user_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", _unknown)
    assert paths.home_directory({}) is None
    assert paths.state_directory({}) is None
    assert paths.state_directory({"AWS_ECR_CACHE_DIR": "/var/cache/ecr"}) == "/var/cache/ecr"


@pytest.mark.parametrize(
    ("named", "place"),
    [
        (None, "{home}/.ecr"),
        ("", "{home}/.ecr"),
        ("~", "{home}/"),
        ("~/tokens", "{home}/tokens"),
        ("/var/cache/ecr", "/var/cache/ecr"),
        ("/var/cache/../lib/ecr/", "/var/lib/ecr"),
        ("here", "{cwd}/here"),
    ],
)
def test_the_state_directory(tmp_path: Path, named: str | None, place: str) -> None:
    environ = (
        {"HOME": str(tmp_path)} if named is None else {"HOME": str(tmp_path), "AWS_ECR_CACHE_DIR": named}
    )
    assert paths.state_directory(environ) == place.format(home=tmp_path, cwd=Path.cwd())


@pytest.fixture
def configured(tmp_path: Path) -> dict[str, str]:
    """The environment of a user with a configuration that has been read once."""
    (tmp_path / "config.toml").write_text('not_found = "empty"\n')
    environ = {"HOME": str(tmp_path), "CREDHELPERS_CONFIG": str(tmp_path / "config.toml")}
    config.load(environ)
    return environ


def test_a_config_is_read_without_a_home(configured: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", _unknown)
    del configured["HOME"]
    assert config.load(configured).text("not_found") == "empty"


def _broken(compiled: Path) -> None:
    format_and_key = compiled.read_bytes().split(b"\n")[:2]
    compiled.write_bytes(b"\n".join([*format_and_key, b"rubbish", b""]))


def _fifo(compiled: Path) -> None:
    compiled.unlink()
    os.mkfifo(compiled, 0o600)


def _directory(compiled: Path) -> None:
    compiled.unlink()
    compiled.mkdir()


def _link(compiled: Path) -> None:
    compiled.unlink()
    compiled.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "damage",
    [
        _broken,
        lambda compiled: compiled.write_bytes(b""),
        lambda compiled: compiled.write_bytes(b"\xff" * 100),
        lambda compiled: compiled.write_bytes(compiled.read_bytes()[:-1]),
        lambda compiled: os.truncate(compiled, 1 << 40),
        lambda compiled: compiled.chmod(0o666),
        _fifo,
        _directory,
        _link,
    ],
    ids=[
        "rubbish",
        "empty",
        "binary",
        "cut off",
        "huge",
        "open to others",
        "a FIFO",
        "a directory",
        "a link",
    ],
)
def test_damaged_state_is_passed_over(configured: dict[str, str], damage: Callable[[Path], object]) -> None:
    damage(Path(configured["HOME"], ".ecr", "settings"))
    assert config.load(configured).text("not_found") == "empty"


def _unknown(_: int) -> object:
    raise KeyError


def test_a_change_with_same_time_is_noticed(configured: dict[str, str]) -> None:
    (path,) = Path(configured["HOME"]).rglob("config.toml")
    assert config.load(configured).text("not_found") == "empty"
    status, text = path.stat(), path.read_text()
    assert '"empty"' in text

    path.write_text(text.replace('"empty"', '"error"'))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert config.load(configured).text("not_found") == "error"


def test_relative_names_depend_on_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("empty", "error"):
        path = tmp_path / name / "config.toml"
        path.parent.mkdir()
        path.write_text(f'not_found = "{name}"\n')
        os.utime(path, (1, 1))
        monkeypatch.chdir(path.parent)
        environ = {"HOME": str(tmp_path), "CREDHELPERS_CONFIG": "config.toml"}

        assert config.load(environ).text("not_found") == name
