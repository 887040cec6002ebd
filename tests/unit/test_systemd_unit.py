"""Units of systemd, read from their files: which lines count, the environment, and what may be written."""

import os
import pwd
from pathlib import Path

import pytest

from credhelpers.clients.systemd_unit import SEARCH_PATH, Unit, read_unit

ETC, LIB = "etc/systemd/system", "lib/systemd/system"


def write(root: Path, path: str, *lines: str) -> str:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def unit(root: Path, *lines: str) -> Unit:
    write(root, f"{ETC}/x.service", "[Unit]", "Environment=NOT=this", "[Service]", *lines)
    found = read_unit("x.service", str(root))
    assert found is not None
    return found


def test_no_unit(tmp_path: Path) -> None:
    assert read_unit("x.service", str(tmp_path)) is None


def test_a_masked_unit(tmp_path: Path) -> None:
    write(tmp_path, f"{LIB}/x.service", "[Service]")
    (tmp_path / ETC).mkdir(parents=True)
    (tmp_path / ETC / "x.service").symlink_to("/dev/null")
    assert read_unit("x.service", str(tmp_path)) is None


def test_etc_comes_before_lib(tmp_path: Path) -> None:
    write(tmp_path, f"{LIB}/x.service", "[Service]", "User=lib")
    assert unit(tmp_path, "User=etc").last("User") == "etc"


def test_drop_ins_count_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, f"{LIB}/x.service.d/10-a.conf", "[Service]", "User=a", "Environment=A=1")
    write(tmp_path, f"{ETC}/x.service.d/20-b.conf", "[Service]", "User=b", "Environment=", "Environment=B=2")
    write(tmp_path, f"{LIB}/x.service.d/20-b.conf", "[Service]", "User=hidden")
    write(tmp_path, f"{ETC}/x.service.d/notes.txt", "[Service]", "User=ignored")
    found = unit(tmp_path, "User=first", "Environment=Z=0")
    assert found.last("User") == "b"
    assert found.words("Environment") == ["B=2"]
    assert [os.path.basename(path) for path in found.files] == ["x.service", "10-a.conf", "20-b.conf"]


def test_comments_quotes_and_continued_lines(tmp_path: Path) -> None:
    lines = (
        "# User=a",
        "; User=b",
        'Environment="A=with space" B=2 \\',
        "# between",
        "  'C=3'",
        "ExecStart=-/bin/x \\",
        "-y",
    )
    found = unit(tmp_path, *lines)
    assert found.words("Environment") == ["A=with space", "B=2", "C=3"]
    assert found.command.split() == ["/bin/x", "-y"]
    assert found.last("User") == ""


def test_the_environment_of_root_has_no_home(tmp_path: Path) -> None:
    assert unit(tmp_path, "Type=simple").environ == {"PATH": SEARCH_PATH}


def test_the_environment_of_a_user(tmp_path: Path) -> None:
    me = pwd.getpwuid(os.geteuid())
    environ = unit(tmp_path, f"User={me.pw_name}", "Environment=X=%h/y PATH=/p Z=%%").environ
    assert environ["HOME"] == me.pw_dir
    assert (environ["X"], environ["PATH"], environ["Z"]) == (f"{me.pw_dir}/y", "/p", "%")


def test_environment_files_come_last(tmp_path: Path) -> None:
    write(tmp_path, "etc/x.env", "# note", "A=file", 'B="quoted one"', "C", "  D = spaced ")
    found = unit(tmp_path, "Environment=A=unit", "EnvironmentFile=/etc/x.env", "EnvironmentFile=-/etc/none")
    assert (found.environ["A"], found.environ["B"], found.environ["D"]) == ("file", "quoted one", "spaced")
    assert found.environment_files() == [("/etc/x.env", True), ("/etc/none", False)]


def test_what_is_unset_is_gone(tmp_path: Path) -> None:
    environ = unit(tmp_path, "Environment=A=1 B=2 C=3", "UnsetEnvironment=A B=2 C=4").environ
    assert environ == {"PATH": SEARCH_PATH, "C": "3"}


def test_what_the_manager_gives(tmp_path: Path) -> None:
    write(tmp_path, f"{ETC}/x.service", "[Service]", "Environment=A=1")
    found = read_unit("x.service", str(tmp_path), {"PATH": "/nix", "A": "0"})
    assert found
    assert found.environ == {"PATH": "/nix", "A": "1"}


def test_a_user_that_does_not_exist(tmp_path: Path) -> None:
    found = unit(tmp_path, "User=no-such-user")
    assert (found.account, found.home) == (None, "")


def test_credentials_that_must_be_there(tmp_path: Path) -> None:
    found = unit(
        tmp_path,
        "LoadCredential=key:/etc/%N/key",
        "LoadCredential=store:in-the-credstore",
        "LoadCredentialEncrypted=other:/etc/other",
        "LoadCredential=default:/etc/default",
        "SetCredential=default:x",
    )
    assert found.credentials() == {"key": "/etc/x/key", "other": "/etc/other"}
    assert found.environ["CREDENTIALS_DIRECTORY"] == "/run/credentials/x.service"


@pytest.mark.parametrize(
    ("lines", "path", "why"),
    [
        ([], "/root/.ecr", ""),
        (["ProtectHome=yes"], "/root/.ecr", "ProtectHome=yes"),
        (["ProtectHome=read-only"], "/home/ada/.ecr", "ProtectHome=read-only"),
        (["ProtectHome=read-only"], "/var/lib/nomad/.ecr", ""),
        (["ProtectHome=read-only", "ReadWritePaths=/root/.ecr"], "/root/.ecr", ""),
        (["ProtectSystem=strict"], "/var/lib/nomad/.ecr", "ProtectSystem=strict"),
        (["ProtectSystem=strict", "StateDirectory=nomad"], "/var/lib/nomad/.ecr", ""),
        (["ProtectSystem=strict", "CacheDirectory=credhelpers"], "/var/cache/credhelpers", ""),
        (["ProtectSystem=full"], "/root/.ecr", ""),
        (["ProtectSystem=full"], "/etc/ecr", "ProtectSystem=full"),
        (["ReadOnlyPaths=-/root /srv"], "/root/.ecr", "ReadOnlyPaths=/root /srv"),
        (["InaccessiblePaths=/root"], "/root/.ecr", "InaccessiblePaths=/root"),
        (["InaccessiblePaths=/root"], "/rooted", ""),
    ],
)
def test_what_a_unit_may_not_write(tmp_path: Path, lines: list[str], path: str, why: str) -> None:
    assert unit(tmp_path, *lines).write_protects(path) == why


def test_a_file_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    write(tmp_path, f"{ETC}/x.service", "[Service]")
    folder = tmp_path / ETC / "x.service.d"
    folder.mkdir()
    (folder / "a.conf").symlink_to("nowhere")
    found = read_unit("x.service", str(tmp_path))
    assert found
    assert found.unread == (str(folder / "a.conf"),)
