"""A password store that is a git repository keeps each change as one commit, as pass itself does."""

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.pass_store import Store
from tests.support.client import Helper
from tests.support.gpg import GpgHome
from tests.support.tools import require

SERVER = "https://registry.example/v1/"
OTHER = "other.example"


@pytest.fixture
def plain(password_store_env: dict[str, str], installed: Path) -> Store:
    """A store without a history, of a user whom git knows."""
    home = Path(password_store_env["HOME"])
    (home / ".gitconfig").write_text("[user]\n\tname = A User\n\temail = user@credhelpers.example\n")
    return Store(Helper(installed / "docker-credential-pass", password_store_env), home / ".password-store")


@pytest.fixture
def git(plain: Store) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        command = [require("git", "git"), "-C", str(plain.directory), *arguments]
        return subprocess.run(
            command, env=plain.helper.env, capture_output=True, text=True, check=True
        ).stdout

    return run


@pytest.fixture
def store(plain: Store) -> Store:
    """A store with a history, made by pass."""
    command = [require("pass", "pass"), "git", "init", "--quiet"]
    subprocess.run(command, env=plain.helper.env, capture_output=True, check=True)
    return plain


def put(store: Store, server: str, username: str) -> None:
    answer = store.helper.store(server, username, "secret")
    assert (answer.code, answer.err) == (0, b""), answer


def log(store: Store) -> list[str]:
    """Return the subjects of all commits, as `pass git log` shows them, the last one first."""
    command = [require("pass", "pass"), "git", "log", "--format=%s"]
    shown = subprocess.run(command, env=store.helper.env, capture_output=True, text=True, check=True).stdout
    return shown.splitlines()


def test_each_change_is_one_commit(store: Store, git: Callable[..., str]) -> None:
    before = len(log(store))
    name = f"docker-credential-helpers/{store.folder_of(SERVER).name}"
    put(store, SERVER, "me")
    assert log(store)[0] == f"Add given password for {name}/me to store."
    put(store, SERVER, "team/robot")
    assert log(store)[0] == f"Add given password for {name}/team/robot to store."
    changed = git("show", "--no-renames", "--name-status", "--format=").split()
    assert changed == ["D", f"{name}/me.gpg", "A", f"{name}/team/robot.gpg"]
    assert store.helper.erase(SERVER).code == 0
    assert log(store)[0] == f"Remove {name} from store."
    assert len(log(store)) == before + 3
    assert git("status", "--porcelain") == ""


def test_what_changes_nothing_makes_no_commit(store: Store) -> None:
    put(store, SERVER, "me")
    before = log(store)
    assert store.helper.erase(OTHER).code == 0
    assert store.secret(SERVER) == "secret"
    assert store.helper.stored() == {SERVER: "me"}
    assert log(store) == before


def test_other_changes_are_not_committed(store: Store, git: Callable[..., str]) -> None:
    (store.directory / "staged").write_text("mine")
    git("add", "staged")
    (store.directory / "untracked").write_text("mine")
    put(store, SERVER, "me")
    assert git("status", "--porcelain").splitlines() == ["A  staged", "?? untracked"]


def test_an_untracked_entry_is_erased(plain: Store, git: Callable[..., str]) -> None:
    put(plain, SERVER, "me")
    git("init", "--quiet")
    answer = plain.helper.erase(SERVER)
    assert (answer.code, answer.err) == (0, b"")
    assert plain.files() == set()


def test_a_repository_around_the_store_is_left(plain: Store) -> None:
    home = str(plain.directory.parent)
    subprocess.run([require("git", "git"), "init", "--quiet", home], env=plain.helper.env, check=True)
    put(plain, SERVER, "me")
    refs = Path(home, ".git", "refs", "heads")
    assert list(refs.iterdir()) == []


def test_git_variables_do_not_count(store: Store, tmp_path: Path) -> None:
    elsewhere = store.with_env(GIT_DIR=str(tmp_path), GIT_WORK_TREE=str(tmp_path), GIT_INDEX_FILE="x")
    put(elsewhere, SERVER, "me")
    assert log(store)[0].startswith("Add given password for docker-credential-helpers/")


def test_git_is_started_only_for_a_repository(store: Store, tmp_path: Path) -> None:
    for tool in ("gpg", "gpg-agent"):
        (tmp_path / tool).symlink_to(require(tool, "gnupg"))
    without_git = store.with_env(PATH=str(tmp_path))
    answer = without_git.helper.store(SERVER, "me", "secret")
    assert answer.code == 0
    assert b"git is not installed" in answer.err
    assert without_git.secret(SERVER) == "secret"
    (store.directory / ".git").rename(tmp_path / "history")
    put(without_git, SERVER, "me")


def test_a_failed_commit_is_a_warning(store: Store) -> None:
    hook = store.directory / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho the hook says no >&2\nexit 1\n")
    hook.chmod(0o755)
    answer = store.helper.store(SERVER, "me", "secret")
    assert answer.code == 0
    assert answer.err == b"the change is not in the password store's git history: the hook says no\n"
    assert store.secret(SERVER) == "secret"
    hook.unlink()
    put(store, SERVER, "me")
    assert log(store)[0].startswith("Add given password for docker-credential-helpers/")


def test_commits_are_signed_if_configured(store: Store, git: Callable[..., str], gpg_home: GpgHome) -> None:
    put(store, OTHER, "me")
    assert git("log", "-1", "--format=%G?").strip() == "N"
    git("config", "pass.signcommits", "true")
    git("config", "user.signingkey", gpg_home.fingerprint)
    put(store, SERVER, "me")
    assert git("log", "-1", "--format=%G?").strip() in {"G", "U"}


def test_changes_at_once_are_all_committed(store: Store, git: Callable[..., str]) -> None:
    before = len(log(store))
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: put(store, f"registry-{number}.example", "me"), range(10)))
    assert len(log(store)) == before + 10
    assert git("status", "--porcelain") == ""
