"""Changes of the password store: an entry replaced or removed, and the change committed to git."""

import errno
import os

from credhelpers import files
from credhelpers.credential import StoreUnavailable
from credhelpers.process import quoted
from credhelpers.stores.password_store import entries, faults, git
from credhelpers.stores.password_store.encryption import encrypt
from credhelpers.stores.password_store.entries import FOLDER, SUFFIX, is_there_to_read
from credhelpers.stores.password_store.gpg import Gpg
from credhelpers.stores.password_store.recipients import recipients, umask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.credential import Credential


def put(directory: str, server: str, credential: "Credential", environ: "Mapping[str, str]") -> None:
    """Encrypt a credential and replace the server's entry with it.

    Args:
        directory: The password store.
        server: The key, verbatim.
        credential: The credential.
        environ: The client's environment, with pass's own variables in it.

    Raises:
        BadRequest: The server URL or the username cannot be a file name.
        StoreUnavailable: The store is not initialised, gpg cannot encrypt, or the disk cannot be written.
    """
    folder = f"{directory}/{FOLDER}/{entries.folder_name(server)}"
    path = f"{folder}/{entries.file_name(credential.username)}"
    gpg = Gpg(environ)
    found = recipients(directory, os.path.dirname(path), gpg, environ)
    content = encrypt(gpg, credential.secret.encode(), found.keys, f"choose another key: {found.change}")
    mask = os.umask(umask(environ))
    try:
        _make_folder(directory, f"{directory}/{FOLDER}")
        with entries.lock(f"{directory}/{FOLDER}"):
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
    """Remove the entries of exactly this key, and the folders that are empty then.

    Args:
        directory: The password store.
        server: The key.
        environ: The client's environment, with pass's own variables in it.

    Raises:
        StoreUnavailable: The disk cannot be written, or a symbolic link points outside the store.
    """
    folder = f"{directory}/{FOLDER}/{entries.folder_name(server)}"
    try:
        if not entries.is_there(folder):
            for place in (f"{directory}/{FOLDER}", directory):
                is_there_to_read(place)  # raises when it cannot be looked at
            return
        _stay_within(directory, f"{directory}/{FOLDER}")
        with entries.lock(f"{directory}/{FOLDER}"):
            if os.path.islink(folder):
                os.unlink(folder)
            else:
                _clear(folder, keep="")
            git.commit(directory, folder, f"Remove {folder[len(directory) + 1 :]} from store.", environ)
    except FileNotFoundError:
        return  # another process has removed it all
    except OSError as error:
        raise faults.unwritable(error, directory) from None


def _clear(folder: str, keep: str) -> None:
    """Remove a server's entries but one, the files of killed writers, and then the empty folders."""
    folders = [folder]
    for place in folders:  # the list grows meanwhile; not recursive, as a path may have some 2,000 folders
        try:
            with os.scandir(place) as found:
                items = list(found)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            continue  # no path can be long enough to name its content
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
    """Make a folder of the store with its parents, but not outside the store by a symbolic link."""
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
        _stay_within(directory, missing[0])  # another process may have put a link there since


def _stay_within(directory: str, folder: str) -> None:
    root = os.path.realpath(directory).rstrip("/")
    if not f"{os.path.realpath(folder)}/".startswith(f"{root}/"):
        link = folder
        while not os.path.islink(link) and link not in (directory, "/"):
            link = os.path.dirname(link)
        raise StoreUnavailable(
            f"{link} is a symbolic link that points outside the password store",
            f"move it away: mv {quoted(link)} {quoted(link + '.old')}",
        )
