"""What a file said before setup changed it: kept beside the file, and never a secret.

It stays when `configure` changes the file later, and when setup is run again.
"""

import json
import os
from dataclasses import dataclass

from credhelpers import files
from credhelpers.clients.shared_file import read_if_exists
from credhelpers.credential import CredentialError

SUFFIX = ".credhelpers-setup"
_FORMAT = "credhelpers-setup"


@dataclass(frozen=True)
class Record:
    """The former state of one file.

    Attributes:
        stores: The helpers that setup has named in the file, the last one last.
        former: What was there before, a part of the file or all of it; None for nothing.
        existed: Whether the file existed.
    """

    stores: list[str]
    former: str | None
    existed: bool


def read_record(path: str) -> Record | None:
    """Return the record of a file; None when setup has not changed it.

    Raises:
        CredentialError: It cannot be read.
    """
    place = _place(path)
    content = read_if_exists(place)
    if content is None:
        return None
    try:
        said = json.loads(content)
        return Record([str(name) for name in said["stores"]], said["former"], bool(said["existed"]))
    except (ValueError, KeyError, TypeError):
        raise CredentialError(f"{place} is damaged", "move it away; nothing was changed") from None


def keep_record(path: str, store: str, current: str | None, former: str | None, *, existed: bool) -> None:
    """Keep what a file says before it is changed.

    An older record stays the one to go back to, as long as the file still names what setup had put there.

    Args:
        path: The file.
        store: The helper that it is going to name.
        current: The helper that it names now.
        former: What is to be put back.
        existed: Whether the file exists.

    Raises:
        CredentialError: It cannot be written.
    """
    older = read_record(path)
    if older and current in older.stores:
        record = Record(
            [*(name for name in older.stores if name != store), store], older.former, older.existed
        )
    else:
        record = Record([store], former, existed)
    content = {_FORMAT: 1, **vars(record)}
    place = _place(path)
    try:
        os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
        files.replace(place, (json.dumps(content, indent=2) + "\n").encode())
    except OSError as error:
        raise CredentialError(
            f"cannot write {place}: {error.strerror}", "nothing was changed; check who may write there"
        ) from None


def drop_record(path: str) -> None:
    """Remove a record, if there is one.

    Raises:
        CredentialError: It cannot be removed.
    """
    place = _place(path)
    try:
        os.unlink(place)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CredentialError(f"cannot remove {place}: {error.strerror}", "remove it") from None


def _place(path: str) -> str:
    return os.path.realpath(path) + SUFFIX
