"""Configuration for podman, buildah and skopeo: a helper for some registries, a store for the others.

Their auth.json has ``credHelpers`` as Docker's config.json does, but not ``credsStore``; that is
``credential-helpers`` of registries.conf, a list of helpers to ask in this order, where
``containers-auth.json`` means the files. ``podman login`` stores in the first one that accepts it.
(containers-auth.json(5), containers-registries.conf(5), containers/image pkg/docker/config)
"""

import os
import re
from collections.abc import Mapping

from credhelpers.clients.docker_config import podman_directory
from credhelpers.clients.shared_file import Change
from credhelpers.credential import CredentialError

_COMMENT = "# Written by credhelpers configure. Asked in turn; the first that takes it keeps a login.\n"
_LINE = 'credential-helpers = ["{store}", "containers-auth.json"]\n'
_OURS = re.compile(re.escape(_COMMENT + _LINE).replace(re.escape("{store}"), r"([^\"\n]+)").encode())


def lasting_auth_path(environ: Mapping[str, str]) -> str:
    """Return the auth.json that survives a reboot, or the one that ``REGISTRY_AUTH_FILE`` names.

    The one below ``/run``, to which ``podman login`` writes, is gone with the session; both are read.
    """
    named = environ.get("REGISTRY_AUTH_FILE")
    return os.path.abspath(named) if named else os.path.join(podman_directory(environ), "auth.json")


def store_path(environ: Mapping[str, str]) -> str:
    """Return our own file below registries.conf.d, which names the store."""
    return os.path.join(podman_directory(environ), "registries.conf.d", "50-credhelpers.conf")


def set_store(path: str, store: str) -> Change:
    """Return the change that makes that file name a store; a file that was edited is refused."""
    text = _COMMENT + _LINE.replace("{store}", store)

    def change(content: bytes | None) -> bytes | None:
        if content and not is_ours(content):
            raise CredentialError(
                f"{path} was changed since credhelpers wrote it",
                f"put the store into its credential-helpers: {store}",
            )
        return text.encode()

    return change


def is_ours(content: bytes) -> bool:
    """Return whether a file is as `set_store` makes it."""
    return _OURS.fullmatch(content) is not None


def store_in(content: bytes | None) -> str | None:
    """Return the store that our own file names; None when it is not as `set_store` makes it."""
    ours = _OURS.fullmatch(content or b"")
    return ours[1].decode(errors="replace") if ours else None
