"""Changes of the password store: an entry put in place of another one, or removed, and git told of it."""

import errno
import os

from credhelpers import files
from credhelpers.credential import StoreUnavailable
from credhelpers.process import quoted
from credhelpers.stores.password_store import faults, git
from credhelpers.stores.password_store.encryption import encrypt
from credhelpers.stores.password_store.entries import (
    FOLDER,
    SUFFIX,
    file_name,
    folder_name,
    is_there,
    is_there_to_read,
    lock,
)
from credhelpers.stores.password_store.gpg import Gpg
from credhelpers.stores.password_store.recipients import recipients, umask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.credential import Credential


def put(directory: str, server: str, credential: "Credential", environ: "Mapping[str, str]") -> None:
    """Encrypt a credential and put it in place of the one that the server has.

    Args:
        directory: The password store.
        server: The key under which it is kept, verbatim.
        credential: What is kept.
        environ: The client's environment, with pass's own variables in it.

    Raises:
        BadRequest: The server URL or the username cannot be a file name.
        StoreUnavailable: The store is not initialised, gpg cannot encrypt, or the disk does not take it.
    """
    folder = f"{directory}/{FOLDER}/{folder_name(server)}"
    path = f"{folder}/{file_name(credential.username)}"
    gpg = Gpg(environ)
    chosen = recipients(directory, os.path.dirname(path), gpg, environ)
    content = encrypt(gpg, credential.secret.encode(), chosen.keys, f"choose another key: {chosen.change}")
    mask = os.umask(umask(environ))
    try:
        _make_folder(directory, f"{directory}/{FOLDER}")
        with lock(f"{directory}/{FOLDER}"):
            _make_folder(directory, os.path.dirname(path))
            files.replace(path, content, 0o666)
            _clear(folder, keep=path)
            git.commit(
                directory,
                folder,
                f"Add given password for {path[len(directory) + 1 : -len(SUFFIX)]} to store.",
                environ,
            )
    except OSError as error:
        raise faults.unwritable(error, directory) from None
    finally:
        os.umask(mask)


def remove(directory: str, server: str, environ: "Mapping[str, str]") -> None:
    """Remove what is stored under exactly this key, and the folders that it leaves empty.

    Args:
        directory: The password store.
        server: The key.
        environ: The client's environment, with pass's own variables in it.

    Raises:
        StoreUnavailable: The disk does not take the change, or a symbolic link leads out of the store.
    """
    folder = f"{directory}/{FOLDER}/{folder_name(server)}"
    try:
        if not is_there(folder):
            for place in (f"{directory}/{FOLDER}", directory):
                is_there_to_read(place)  # raises when it cannot be told
            return
        _stay_within(directory, f"{directory}/{FOLDER}")
        with lock(f"{directory}/{FOLDER}"):
            if os.path.islink(folder):
                os.unlink(folder)
            else:
                _clear(folder, keep="")
            git.commit(directory, folder, f"Remove {folder[len(directory) + 1 :]} from store.", environ)
    except FileNotFoundError:
        return  # somebody else has removed it all
    except OSError as error:
        raise faults.unwritable(error, directory) from None


def _clear(folder: str, keep: str) -> None:
    """Remove a server's entries but one, what killed writers left, and then the folders without content."""
    folders = [folder]
    for place in folders:  # which grows meanwhile; no recursion, for a path may have some 2,000 folders
        try:
            with os.scandir(place) as found:
                items = list(found)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            continue  # nobody can name what lies there
        for item in items:
            if item.is_dir(follow_symlinks=False):
                folders.append(item.path)
            elif item.path != keep and (item.name.endswith(SUFFIX) or _is_left_over(item.name)):
                os.unlink(item.path)
    for place in reversed(folders):
        try:
            os.rmdir(place)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENAMETOOLONG):
                raise


def _is_left_over(name: str) -> bool:
    return f"{SUFFIX}." in name and name.endswith(".tmp")  # files.replace


def _make_folder(directory: str, folder: str) -> None:
    """Make a folder of the store with its parents, but none where a symbolic link leads out of it."""
    missing = []
    while not is_there_to_read(folder):
        missing.append(folder)
        if folder == directory:
            break
        folder = os.path.dirname(folder)
    _stay_within(directory, folder)
    for place in reversed(missing):
        os.makedirs(place, exist_ok=True)
    if missing:
        _stay_within(directory, missing[0])  # somebody may have put a link there since


def _stay_within(directory: str, folder: str) -> None:
    root = os.path.realpath(directory).rstrip("/")
    if not f"{os.path.realpath(folder)}/".startswith(f"{root}/"):
        link = folder
        while not os.path.islink(link) and link not in (directory, "/"):
            link = os.path.dirname(link)
        raise StoreUnavailable(
            f"{link} is a symbolic link that leads out of the password store",
            f"move it away: mv {quoted(link)} {quoted(link + '.old')}",
        )
