"""Where a credential lies in the password store."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from credhelpers.credential import BadRequest
from credhelpers.stores.password_store.entries import file_name, folder_name, server_of

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(_TEXT)
@example("https://index.docker.io/v1/")
@example("registry.example:5000/?>~")
def test_a_folder_name_is_padded_base64url(server: str) -> None:
    assert folder_name(server) == base64.urlsafe_b64encode(server.encode()).decode()


@given(_TEXT)
def test_the_name_of_a_folder_tells_its_server(server: str) -> None:
    assert server_of(folder_name(server)) == server


@pytest.mark.parametrize(
    "name",
    [
        "",
        "notes",
        "a.example",
        "aC9h\n",
        "aC9h=",
        "aC9",
        "_w==",
        "aC 9h",
        "ä",
        "aHR0cHM6Ly9h+w==",
        ".git",
        "YQ==YQ==",
    ],
)
def test_a_folder_of_another_name_is_not_ours(name: str) -> None:
    assert server_of(name) is None


@pytest.mark.parametrize(
    "username", ["me", "me@example.com", "a b", "team/robot", "ünï/çødé", "<token>", "...", "a.gpg"]
)
def test_a_username_keeps_its_spelling_as_a_path(username: str) -> None:
    assert file_name(username) == username + ".gpg"


@pytest.mark.parametrize(
    "username", ["..", ".", "/etc/x", "../x", "a/../../x", "a/./b", "a//b", "a/", "/", "", "a/.."]
)
def test_a_username_outside_its_folder_is_refused(username: str) -> None:
    with pytest.raises(BadRequest, match="it has an empty"):
        file_name(username)


def test_a_folder_named_like_an_entry_is_refused() -> None:
    with pytest.raises(BadRequest, match="a folder in it ends with"):
        file_name("a.gpg/b")
