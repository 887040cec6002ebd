"""The backup of a config.json or auth.json: its helpers before they were changed, and no secret.

With the current text that is enough to undo the change to the byte.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from credhelpers.clients import go_json, json_text
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.clients.shared_file import BACKUP, Edit, abandoned, read_if_exists, sweep
from credhelpers.credential import CredentialError

_FORMAT = "credhelpers-backup"


@dataclass(frozen=True)
class FormerHelpers:
    """The former state.

    Attributes:
        exists: Whether the file existed.
        blank: All of it, if it had no members and so no secret; otherwise empty.
        creds_store: The text of the value of ``credsStore``; None if it was missing.
        cred_helpers: The same for ``credHelpers``.
    """

    exists: bool
    blank: str
    creds_store: str | None
    cred_helpers: str | None

    @classmethod
    def of(cls, path: str, content: bytes | None) -> "FormerHelpers":
        """Return the state of a file as it is now.

        Raises:
            CredentialError: Docker could not read it.
        """
        config = DockerConfig(path, content or b"")
        store, helpers = (
            json_text.find(config.text, config.spelling(key)) for key in ("credsStore", "credHelpers")
        )
        blank = "" if go_json.load(config.text) else (content or b"").decode()
        return cls(content is not None, blank, store, helpers)

    @classmethod
    def read(cls, path: str, backup: bytes) -> "FormerHelpers":
        """Read a backup; one of a former version is a copy of the file, or empty if there was no file.

        Raises:
            CredentialError: It is damaged.
        """
        if not _is_current(backup):
            return cls.of(path, backup or None)
        try:
            said = json.loads(backup)
            return cls(said["exists"], said["blank"], said["credsStore"], said["credHelpers"])
        except (ValueError, KeyError):
            raise CredentialError(f"{path} is damaged", "move it away; nothing was changed") from None

    def dump(self) -> bytes:
        """Return the content of the backup."""
        content = {
            _FORMAT: 1,
            "exists": self.exists,
            "blank": self.blank,
            "credsStore": self.creds_store,
            "credHelpers": self.cred_helpers,
        }
        return (json.dumps(content, indent=2) + "\n").encode()


def backup_of(path: str) -> Callable[[bytes | None], bytes]:
    """Return the function that makes the backup of a file from its content."""
    return lambda content: FormerHelpers.of(path, content).dump()


def former_helpers(path: str) -> FormerHelpers | None:
    """Return the backup of a file; None when there is none.

    Raises:
        CredentialError: It cannot be read.
    """
    backup = os.path.realpath(path) + BACKUP
    content = read_if_exists(backup)
    return None if content is None else FormerHelpers.read(backup, content)


def scrub(path: str) -> None:
    """Remove the secrets that former versions, and runs that were killed, have left beside a file.

    Raises:
        CredentialError: A backup cannot be read or written.
    """
    sweep(path)
    backup = os.path.realpath(path) + BACKUP

    def change(content: bytes | None) -> bytes | None:
        if content is None or _is_current(content):
            return content
        return FormerHelpers.read(backup, content).dump()

    Edit(backup, change).make()


def leftovers(path: str) -> list[str]:
    """Return the files beside a config.json that may hold its secrets, as `scrub` finds them."""
    backup = os.path.realpath(path) + BACKUP
    content = read_if_exists(backup)
    kept = [backup] if content and not _is_current(content) else []
    return [*kept, *abandoned(path)]


def _is_current(backup: bytes) -> bool:
    try:
        said = json.loads(backup)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and _FORMAT in said
