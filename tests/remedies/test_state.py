"""What the helpers keep themselves: config.toml, the tokens and the logs, closed or spoiled and mended."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.doctor import Patient
from tests.remedies.conftest import in_mounts, needs_root, wrapped
from tests.remedies.mending import POWERLESS, Mending


@pytest.fixture
def tokens(user: Patient) -> Path:
    """The directory of the tokens, in order."""
    path = user.home / ".ecr" / "tokens"
    path.mkdir(parents=True, mode=0o700)
    path.parent.chmod(0o700)
    return path


@pytest.mark.parametrize("closed", [".ecr", "."])
def test_a_closed_directory_is_opened_again(
    powerless: Patient, tokens: Path, mend: Mending, closed: str
) -> None:
    tokens.rmdir()
    if closed == ".":
        tokens.parent.rmdir()
    (powerless.home / closed).chmod(0o500)
    found = powerless.doctor().of("token cache")
    assert (found.state, "cannot be written" in found.text) == ("warn", True)
    mend(found.remedy, powerless.env, prefix=POWERLESS)
    assert powerless.doctor().state("token cache") == "ok"


def _link(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def _file(path: Path) -> None:
    path.rmdir()
    path.touch()


@pytest.mark.parametrize("spoil", [_link, _file])
def test_a_spoiled_cache_is_moved_each_time(
    user: Patient, tokens: Path, mend: Mending, spoil: Callable[[Path], None]
) -> None:
    for _ in range(2):
        tokens.mkdir(mode=0o700, exist_ok=True)
        spoil(tokens)
        found = user.doctor().of("token cache")
        assert found.state == "fail", found
        mend(found.remedy, user.env)
        assert user.doctor().state("token cache") == "ok"
    assert len(list(tokens.parent.glob("tokens.aside*"))) == 2


def test_a_state_below_a_file_goes_elsewhere(user: Patient, mend: Mending, tmp_path: Path) -> None:
    (user.home / "blocked").touch()
    lost = user.but(AWS_ECR_CACHE_DIR=str(user.home / "blocked" / "state"))
    assert_kept_elsewhere(lost, mend, tmp_path, "cannot be written")


@needs_root
@pytest.mark.parametrize(
    ("size", "fill"), [("4k", "dd if=/dev/zero of={}/full 2>/dev/null || :"), ("1m,nr_inodes=1", ":")]
)
def test_a_state_on_a_full_disk_goes_elsewhere(
    user: Patient, tokens: Path, mend: Mending, tmp_path: Path, size: str, fill: str
) -> None:
    mount = f"mount -t tmpfs -o mode=700,size={size} none {tokens}; {fill.format(tokens)}"
    full = wrapped(user, tmp_path / "wrapped", in_mounts(mount))
    assert_kept_elsewhere(full, mend, tmp_path, "is full")


@needs_root
def test_a_user_without_a_home_names_a_directory(user: Patient, mend: Mending, tmp_path: Path) -> None:
    (tmp_path / "passwd").touch()
    empty = f"mount --bind {tmp_path}/passwd"  # the second one keeps others than files from being asked
    mount = f"{empty} /etc/passwd; {empty} /etc/nsswitch.conf"
    homeless = wrapped(user, tmp_path / "wrapped", f"unset HOME; {in_mounts(mount)}")
    homeless = homeless.but(DOCKER_CONFIG=str(user.config.parent))
    assert_kept_elsewhere(homeless, mend, tmp_path, "there is no home directory")


def assert_kept_elsewhere(user: Patient, mend: Mending, directory: Path, cause: str) -> None:
    report = user.doctor()
    for check in ("token cache", "log"):
        found = report.of(check)
        if check == "token cache" or found.state != "ok":
            assert cause in found.text
            mended = mend(found.remedy, user.env, fill={"DIR": str(directory / "state")})
            assert Patient(user.bin, mended.env).doctor().state(check) == "ok"
