"""The password store with the real gpg: what is kept, where, and what starts gpg at all."""

import stat
import subprocess
from pathlib import Path

import pytest

from tests.integration.pass_store import Store, record_gpg
from tests.support.client import Helper
from tests.support.gpg import GpgHome
from tests.support.tools import require

SERVER = "https://registry.example/v1/"


@pytest.fixture
def store(password_store_env: dict[str, str], installed: Path) -> Store:
    directory = Path(password_store_env["HOME"], ".password-store")
    return Store(Helper(installed / "docker-credential-pass", password_store_env), directory)


def put(store: Store, server: str, username: str, secret: str) -> None:
    answer = store.helper.store(server, username, secret)
    assert (answer.code, answer.out) == (0, b""), answer


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "plain",
        "two\nlines\n\nand more",
        " spaces around ",
        'quotes " and \\',
        "ünïcødé 🔑",
        "x" * (1 << 20),
    ],
    ids=["empty", "plain", "lines", "spaces", "quotes", "unicode", "1 MiB"],
)
def test_a_secret_survives_the_round_trip(store: Store, secret: str) -> None:
    put(store, SERVER, "me", secret)
    assert store.secret(SERVER) == secret


USERNAMES = [
    "me",
    "me@example.com",
    "two words",
    "team/robot",
    "a/b/c",
    "ünï/çødé 🔑",
    "<token>",
    ".hidden",
    "a.gpg",
    "-r",
]


@pytest.mark.parametrize("username", USERNAMES)
@pytest.mark.parametrize("locale", ["C.UTF-8", "C", "de_DE.ISO-8859-1"])
def test_usernames_survive_in_every_locale(store: Store, username: str, locale: str) -> None:
    there = store.with_env(LANG=locale, LC_ALL=locale)
    put(there, SERVER, username, "secret")
    assert store.helper.get(SERVER).credentials().username == username
    assert there.helper.get(SERVER).credentials().username == username
    assert there.helper.stored() == {SERVER: username}
    assert (store.folder_of(SERVER) / f"{username}.gpg").is_file()
    assert there.helper.erase(SERVER).code == 0
    assert list(store.folder.iterdir()) == []


@pytest.mark.parametrize(
    "username", ["../x", "../../../x", "/etc/x", "a/../../x", "a//b", "a/./b", "x/", "..", ".", "/"]
)
def test_a_username_never_leads_out_of_the_store(store: Store, username: str) -> None:
    cause, _ = store.refused(SERVER, username)
    assert cause == "the password store cannot keep the username: it has an empty, . or .. part"
    assert not store.folder.exists()


@pytest.mark.parametrize("server", ["../../x", "/etc/passwd", "https://../..", "..", "a/../b"])
def test_a_server_url_stays_in_the_store(store: Store, server: str) -> None:
    put(store, server, "me", "secret")
    assert store.helper.stored() == {server: "me"}
    assert len(list(store.folder.iterdir())) == 1


def test_a_name_too_long_for_a_file_is_refused(store: Store) -> None:
    server = "registry.example/" + "a" * 300
    assert "too long to be a file name" in store.refused(server)[0]
    assert "too long to be a file name" in store.refused(SERVER, "u" * 300)[0]
    assert not store.helper.get(server).found
    assert store.helper.erase(server).code == 0
    assert store.files() == set()


@pytest.mark.parametrize(
    ("older", "newer"), [("old", "new"), ("new", "old"), ("team/robot", "team"), ("a", "a/b")]
)
def test_a_new_username_replaces_the_old_one(store: Store, older: str, newer: str) -> None:
    put(store, SERVER, older, "1")
    put(store, SERVER, newer, "2")
    answer = store.helper.get(SERVER).credentials()
    assert (answer.username, answer.secret) == (newer, "2")
    assert store.helper.stored() == {SERVER: newer}
    assert [path.name for path in store.folder_of(SERVER).rglob("*") if path.is_file()] == [
        Path(newer).name + ".gpg"
    ]


def test_the_newest_username_answers(store: Store, gpg_home: GpgHome) -> None:
    put(store, SERVER, "alpha", "1")
    alpha = store.folder_of(SERVER) / "alpha.gpg"
    for name, secret in (
        ("zeta", b"2"),
        ("beta", b"3"),
    ):  # the reference helper leaves the former ones in place
        path = alpha.with_name(name + ".gpg")
        gpg_home.run("--recipient", gpg_home.fingerprint, "--output", str(path), "--encrypt", stdin=secret)
    for second, name in enumerate(("zeta", "alpha", "beta")):
        subprocess.run(
            ["touch", "-d", f"@{1_700_000_000 + second}", str(alpha.with_name(name + ".gpg"))], check=True
        )
    assert store.helper.get(SERVER).credentials().username == "beta"
    assert store.helper.stored() == {SERVER: "beta"}
    assert store.helper.erase(SERVER).code == 0
    assert store.files() == set()


def test_erase_removes_exactly_one_key(store: Store) -> None:
    for server in (SERVER, "registry.example", "https://registry.example"):
        put(store, server, "me", server)
    assert store.helper.erase("registry.example").code == 0
    assert set(store.helper.stored()) == {SERVER, "https://registry.example"}
    assert not store.folder_of("registry.example").exists()
    assert store.helper.erase("registry.example").code == 0


def test_erase_leaves_what_is_not_ours(store: Store) -> None:
    put(store, SERVER, "me", "secret")
    (store.folder_of(SERVER) / "notes.txt").write_text("mine")
    assert store.helper.erase(SERVER).code == 0
    assert {Path(name).name for name in store.files()} == {"notes.txt"}
    assert store.helper.stored() == {}
    assert not store.helper.get(SERVER).found


def test_list_passes_over_what_is_not_ours(store: Store) -> None:
    put(store, SERVER, "me", "secret")
    (store.folder / "notes").mkdir()
    (store.folder / "notes" / "me.gpg").touch()
    (store.folder / "stray.gpg").touch()
    (store.folder / ".git").mkdir()
    store.folder_of("empty.example").mkdir()
    (store.folder_of(SERVER) / ".gpg").touch()
    (store.folder_of(SERVER) / "me.gpg.17-2a.tmp").touch()
    assert store.helper.stored() == {SERVER: "me"}


def test_the_next_change_removes_leftovers(store: Store) -> None:
    put(store, SERVER, "me", "secret")
    left_over = store.folder_of(SERVER) / "old.gpg.17-2a.tmp"
    left_over.touch()
    put(store, SERVER, "me", "secret")
    assert not left_over.exists()
    left_over.touch()
    assert store.helper.erase(SERVER).code == 0
    assert list(store.folder.iterdir()) == []


def test_list_and_an_unknown_server_start_nothing(store: Store, tmp_path: Path) -> None:
    put(store, SERVER, "me", "secret")
    record = record_gpg(tmp_path)
    watched = store.with_env(PATH=f"{tmp_path}:{store.helper.env['PATH']}")
    assert watched.helper.stored() == {SERVER: "me"}
    assert not watched.helper.get("other.example").found
    assert watched.helper.erase("other.example").code == 0
    assert record.read_text() == ""


def test_gpg_starts_once_and_sees_no_secret(store: Store, tmp_path: Path) -> None:
    record = record_gpg(tmp_path)
    watched = store.with_env(PATH=f"{tmp_path}:{store.helper.env['PATH']}")
    put(watched, SERVER, "me", "canary-5ecret")
    assert watched.secret(SERVER) == "canary-5ecret"
    assert record.read_text().count("started\n") == 2
    assert "canary" not in record.read_text()


def test_files_are_private_by_default(store: Store) -> None:
    put(store, SERVER, "me", "secret")
    put(store.with_env(PASSWORD_STORE_UMASK="027"), "other.example", "me", "secret")

    def modes(server: str) -> list[str]:
        folder = store.folder_of(server)
        return [stat.filemode(path.stat().st_mode) for path in (folder, folder / "me.gpg")]

    assert modes(SERVER) == ["drwx------", "-rw-------"]
    assert modes("other.example") == ["drwxr-x---", "-rw-r-----"]
    assert "not an octal number" in store.with_env(PASSWORD_STORE_UMASK="rwx").refused(SERVER)[0]


@pytest.mark.parametrize(
    "level", ["the folder of all servers", "the folder of a server", "the folder of a username"]
)
def test_a_link_out_of_the_store_is_not_written(store: Store, tmp_path: Path, level: str) -> None:
    link = {
        "the folder of all servers": store.folder,
        "the folder of a server": store.folder_of(SERVER),
        "the folder of a username": store.folder_of(SERVER) / "team",
    }[level]
    outside = tmp_path / "outside"
    outside.mkdir()
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    cause, remedy = store.refused(SERVER, "team/robot")
    assert "is a symbolic link that points outside the password store" in cause
    assert remedy == f"move it away: mv '{link}' '{link}.old'"
    assert list(outside.iterdir()) == []


def test_a_linked_entry_is_replaced(store: Store, tmp_path: Path) -> None:
    put(store, SERVER, "me", "old")
    entry = store.folder_of(SERVER) / "me.gpg"
    outside = entry.rename(tmp_path / "outside")
    content = outside.read_bytes()
    entry.symlink_to(outside)
    assert store.secret(SERVER) == "old"
    put(store, SERVER, "me", "new")
    assert store.secret(SERVER) == "new"
    assert not entry.is_symlink()
    assert outside.read_bytes() == content


def test_erase_removes_the_link_only(store: Store, tmp_path: Path) -> None:
    put(store, SERVER, "me", "secret")
    outside = store.folder_of(SERVER).rename(tmp_path / "outside")
    store.folder_of(SERVER).symlink_to(outside)
    assert store.helper.erase(SERVER).code == 0
    assert not store.folder_of(SERVER).is_symlink()
    assert (outside / "me.gpg").exists()


def test_erase_follows_no_link_out_of_the_store(store: Store, tmp_path: Path) -> None:
    put(store, SERVER, "me", "secret")
    outside = store.folder.rename(tmp_path / "outside")
    store.folder.symlink_to(outside)
    answer = store.helper.erase(SERVER)
    assert answer.code == 1
    assert b"is a symbolic link that points outside the password store" in answer.out
    assert store.secret(SERVER) == "secret"


def test_store_and_folder_may_be_links(store: Store, tmp_path: Path) -> None:
    elsewhere = store.directory.rename(tmp_path / "elsewhere")
    store.directory.symlink_to(elsewhere)
    (elsewhere / "docker").mkdir()
    store.folder.symlink_to("docker")
    put(store, SERVER, "me", "secret")
    assert store.secret(SERVER) == "secret"
    assert store.helper.stored() == {SERVER: "me"}
    assert store.helper.erase(SERVER).code == 0
    assert store.helper.stored() == {}


def test_the_directory_may_be_named(store: Store, tmp_path: Path) -> None:
    elsewhere = Store(
        store.with_env(PASSWORD_STORE_DIR=f"{tmp_path}/my store/").helper, tmp_path / "my store"
    )
    store.directory.rename(elsewhere.directory)
    put(elsewhere, SERVER, "me", "secret")
    assert (elsewhere.folder_of(SERVER) / "me.gpg").is_file()
    assert elsewhere.secret(SERVER) == "secret"


def test_without_a_store(store: Store) -> None:
    (store.directory / ".gpg-id").unlink()
    store.directory.rmdir()
    remedy = "make one: credhelpers init pass"
    answer = store.helper.get(SERVER)
    assert not answer.found
    assert answer.err.decode().splitlines() == [
        f"docker-credential-pass: there is no password store in {store.directory}",
        f"docker-credential-pass: {remedy}",
    ]
    assert store.helper.stored() == {}
    assert store.helper.erase(SERVER).code == 0
    assert store.refused(SERVER) == (f"there is no password store in {store.directory}", remedy)
    assert not store.directory.exists()


def test_an_agent_does_not_keep_stdout_open(store: Store, gpg_home: GpgHome) -> None:
    put(store, SERVER, "me", "secret")
    subprocess.run(
        [require("gpgconf", "gpgconf"), "--homedir", str(gpg_home.path), "--kill", "all"], check=True
    )
    assert store.secret(SERVER) == "secret"  # run() waits for the end of both streams, as docker does


def test_pass_lists_and_shows_our_entries(store: Store) -> None:
    put(store, SERVER, "team/robot", "first\nsecond")
    name = store.folder_of(SERVER).name

    def run(*arguments: str) -> str:
        command = [require("pass", "pass"), *arguments]
        return subprocess.run(
            command, env=store.helper.env, capture_output=True, text=True, check=True
        ).stdout

    assert "robot" in run("ls")
    assert run("show", f"docker-credential-helpers/{name}/team/robot") == "first\nsecond"


def test_a_get_imports_nothing_slow(store: Store) -> None:
    put(store, SERVER, "me", "secret")
    code = (
        "import sys; sys.path.append(sys.argv.pop(1));"
        "from credhelpers.executables import run; code = run('pass');"
        "print(code, *sorted(sys.modules))"
    )
    root = str(Path(__file__).resolve().parents[2])
    command = [require("python3", "python3"), "-IS", "-c", code, root, "get"]
    done = subprocess.run(
        command, input=SERVER.encode(), env=store.helper.env, capture_output=True, check=True
    )
    code_and_modules = done.stdout.decode().splitlines()[1].split()
    assert code_and_modules[0] == "0"
    slow = {
        "json",
        "re",
        "subprocess",
        "logging",
        "typing",
        "dataclasses",
        "enum",
        "base64",
        "gnupg",
        "threading",
        "shutil",
    }
    assert not slow.intersection(code_and_modules)
