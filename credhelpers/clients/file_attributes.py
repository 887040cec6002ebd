"""The attributes that a file keeps when it is replaced: owner, group, mode, ACL, extended attributes."""

import errno
import os
import stat

from credhelpers.credential import CredentialError

ACL = "system.posix_acl_access"
# The kernel makes them from the content (evm(7), ima), so they do not fit the new content.
_OF_THE_CONTENT = frozenset({"security.ima", "security.evm"})
_NO_SUCH_THING = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def copy(source: str, target: int) -> None:
    """Copy all of them to a new file; only at the end may other users read it.

    Args:
        source: The old file.
        target: The descriptor of the new one.

    Raises:
        CredentialError: One of them cannot be copied.
        OSError: The old file is gone.
    """
    status, own = os.stat(source), os.fstat(target)
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        try:
            os.fchown(target, status.st_uid, status.st_gid)
        except OSError as error:
            raise CredentialError(
                f"the owner or group of {source} could not be kept: {error.strerror}", "run this as its owner"
            ) from None
    wanted, there = _attributes(source), _attributes(target)
    for name in there.keys() - wanted.keys():
        if name == ACL:  # inherited from the directory
            os.removexattr(target, name)
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    for name, value in wanted.items():
        if name == ACL or there.get(name) != value:
            try:
                os.setxattr(target, name, value)
            except OSError as error:
                raise CredentialError(
                    f"{_called(name)} of {source} could not be kept: {error.strerror}",
                    "edit the file by hand, or as root; nothing was changed",
                ) from None


def _attributes(file: str | int) -> dict[str, bytes]:
    """Return the extended attributes of a file; none where the file system has none."""
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file) if name not in _OF_THE_CONTENT}
    except OSError as error:
        if error.errno in _NO_SUCH_THING:
            return {}
        raise


def _called(name: str) -> str:
    return "the ACL" if name == ACL else f"the attribute {name}"
