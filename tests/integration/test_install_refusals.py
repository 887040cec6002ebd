"""scripts/install.sh where it must not install: other vendors' files, unfit Pythons, wrong arguments."""

from pathlib import Path

import pytest

from tests.support.installer import Checkout, bare_path, fresh_clone, script, tree

_OTHER = "echo another vendor"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A fresh clone and a user with an empty home."""
    home = tmp_path_factory.mktemp("home")
    return Checkout(fresh_clone(tmp_path_factory.mktemp("clone")), {"HOME": str(home)})


@pytest.mark.parametrize("kind", ["file", "link", "environment"])
def test_what_is_not_ours_stays(checkout: Checkout, tmp_path: Path, kind: str) -> None:
    if kind == "environment":
        script(tmp_path / "lib" / "credhelpers" / "precious", _OTHER)
    elif kind == "link":
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "docker-credential-pass").symlink_to("/nonexistent")
    else:
        script(tmp_path / "bin" / "docker-credential-pass", _OTHER)
    before = tree(tmp_path)
    done = checkout.install("--prefix", str(tmp_path))
    assert done.returncode == 1
    assert (
        "was installed by something else: --force" in done.stderr
        or "was not made by this script" in done.stderr
    )
    assert checkout.install("--prefix", str(tmp_path), "--uninstall").returncode == 0
    assert tree(tmp_path) == before


def _interpreter(directory: Path, *cases: str) -> str:
    """Write a stand-in for an interpreter with a flaw; for the rest it is this machine's own."""
    return str(script(directory / "python3", 'case "$2" in', *cases, "esac", 'exec /usr/bin/python3 "$@"'))


def test_an_old_python_is_refused_by_name(checkout: Checkout, tmp_path: Path) -> None:
    old = _interpreter(tmp_path, "*version_info*) exit 1 ;;")
    done = checkout.install(
        "--prefix", str(tmp_path / "prefix"), "--python", old, path=bare_path(tmp_path / "tools")
    )
    assert (done.returncode, done.stderr) == (1, f"install.sh: {old} is not Python 3.11 or newer\n")
    assert not (tmp_path / "prefix").exists()


def test_the_package_with_venv_is_named(checkout: Checkout, tmp_path: Path) -> None:
    bare = _interpreter(tmp_path, '*"import ensurepip"*) exit 1 ;;', '*_base_executable*) echo "$0"; exit ;;')
    done = checkout.install(
        "--prefix", str(tmp_path / "prefix"), "--python", bare, path=bare_path(tmp_path / "tools")
    )
    assert done.returncode == 1
    assert f"{bare} lacks venv or ensurepip: as root, on Debian or Ubuntu, apt-get install" in done.stderr
    assert not (tmp_path / "prefix").exists()


def test_an_unwritable_prefix_is_named(checkout: Checkout) -> None:
    done = checkout.install("--prefix", "/proc/credhelpers")
    assert done.returncode == 1
    assert done.stderr == (
        "install.sh: cannot write to /proc/credhelpers/lib: "
        "run this as root, or choose a --prefix of your own\n"
    )


def test_a_wrong_argument_shows_the_usage(checkout: Checkout) -> None:
    done = checkout.install("--perfix", "/nonexistent")
    assert done.returncode == 1
    assert done.stderr.startswith("Usage: scripts/install.sh [--prefix DIR]")
    assert done.stderr.endswith("install.sh: unknown argument: --perfix\n")


def test_help_goes_to_standard_output(checkout: Checkout) -> None:
    done = checkout.install("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--uninstall" in done.stdout
