"""Changes of the password store: an entry put in place of another one, or removed, and git told of it."""

import errno
import os

from credhelpers import files
from credhelpers.credential import BadRequest, StoreUnavailable
from credhelpers.gpg import Gpg
from credhelpers.stores import pass_git
from credhelpers.stores.pass_entries import FOLDER, SUFFIX, file_name, folder_name, lock
from credhelpers.stores.pass_recipients import recipients

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
    keys = recipients(directory, os.path.dirname(path), gpg, environ)
    content = gpg.encrypt(credential.secret.encode(), keys)
    mask = os.umask(_umask(environ))
    try:
        _make_folder(directory, f"{directory}/{FOLDER}")
        with lock(f"{directory}/{FOLDER}"):
            _make_folder(directory, os.path.dirname(path))
            files.replace(path, content, 0o666)
            _clear(folder, keep=path)
            pass_git.commit(
                directory,
                folder,
                f"Add given password for {path[len(directory) + 1 : -len(SUFFIX)]} to store.",
                environ,
            )
    except OSError as error:
        raise _unwritable(error) from None
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
        if not os.path.lexists(folder):
            return
        _stay_within(directory, f"{directory}/{FOLDER}")
        with lock(f"{directory}/{FOLDER}"):
            if os.path.islink(folder):
                os.unlink(folder)
            else:
                _clear(folder, keep="")
            pass_git.commit(directory, folder, f"Remove {folder[len(directory) + 1 :]} from store.", environ)
    except FileNotFoundError:
        return  # somebody else has removed it all
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise _unwritable(error) from None


def _clear(folder: str, keep: str) -> None:
    """Remove a server's entries but one, what killed writers left, and then the folders without content."""
    with os.scandir(folder) as found:
        items = list(found)
    for item in items:
        if item.is_dir(follow_symlinks=False):
            _clear(item.path, keep)
        elif item.path != keep and (item.name.endswith(SUFFIX) or _is_left_over(item.name)):
            os.unlink(item.path)
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def _is_left_over(name: str) -> bool:
    return f"{SUFFIX}." in name and name.endswith(".tmp")  # files.replace


def _make_folder(directory: str, folder: str) -> None:
    """Make a folder of the store with its parents, but none where a symbolic link leads out of it."""
    if not os.path.isdir(folder):
        if folder != directory:
            _make_folder(directory, os.path.dirname(folder))
        os.makedirs(folder, exist_ok=True)
    _stay_within(directory, folder)


def _stay_within(directory: str, folder: str) -> None:
    root = os.path.realpath(directory).rstrip("/")
    if not f"{os.path.realpath(folder)}/".startswith(f"{root}/"):
        raise StoreUnavailable(
            f"{folder} is a symbolic link that leads out of the password store",
            "put a directory in its place",
        )


def _umask(environ: "Mapping[str, str]") -> int:
    named = environ.get("PASSWORD_STORE_UMASK") or "077"
    try:
        return int(named, 8) & 0o777
    except ValueError:
        raise StoreUnavailable(f"PASSWORD_STORE_UMASK is no octal number: {named}") from None


def _unwritable(error: OSError) -> BadRequest | StoreUnavailable:
    if error.errno == errno.ENAMETOOLONG:
        return BadRequest(
            "the server URL or the username is too long to be a file name of the password store"
        )
    if isinstance(error, TimeoutError):
        return StoreUnavailable(f"cannot change the password store: {error}")
    place = f"{error.filename}: " if error.filename else ""
    return StoreUnavailable(f"cannot write to the password store: {place}{error.strerror}", _remedy(error))


def _remedy(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room on that file system; what was stored before still stands"
    if error.errno == errno.EROFS:
        return "mount that file system for writing, or set PASSWORD_STORE_DIR"
    return "make it writable for the user who runs this"
