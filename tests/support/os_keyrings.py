"""Imitations of the macOS and Windows calls under keyring's own backends; nothing here is the real thing."""

from typing import Any

import keyring.backends.macOS
import keyring.backends.Windows
import pytest
from keyring.backend import KeyringBackend

_WINDOWS_LONGEST_BLOB = 2560


class _WindowsError(Exception):
    def __init__(self, code: int, function: str) -> None:
        super().__init__(code, function)
        self.winerror = code
        self.funcname = function


class ImitatedCredentialManager:
    """What pywin32-ctypes offers of the Credential Manager: targets, UTF-16 blobs and their limit."""

    CRED_TYPE_GENERIC = 1
    CRED_PERSIST_ENTERPRISE = 3
    error = _WindowsError

    def __init__(self) -> None:
        self.credentials: dict[str, dict[str, Any]] = {}

    def CredRead(self, Type: int, TargetName: str) -> dict[str, Any]:  # noqa: N802, N803
        assert Type == self.CRED_TYPE_GENERIC
        if TargetName not in self.credentials:
            raise _WindowsError(1168, "CredRead")
        return dict(self.credentials[TargetName])

    def CredWrite(self, credential: dict[str, Any], flags: int) -> None:  # noqa: N802
        assert flags == 0
        blob = credential["CredentialBlob"].encode("utf-16-le")
        if len(blob) > _WINDOWS_LONGEST_BLOB:
            raise _WindowsError(1783, "CredWrite")
        self.credentials[credential["TargetName"]] = {**credential, "CredentialBlob": blob}

    def CredDelete(self, Type: int, TargetName: str) -> None:  # noqa: N802, N803
        assert Type == self.CRED_TYPE_GENERIC
        if self.credentials.pop(TargetName, None) is None:
            raise _WindowsError(1168, "CredDelete")


class ImitatedKeychain:
    """What keyring asks of the macOS Keychain: generic passwords by service and account, no enumeration."""

    class Error(Exception):
        """Any failure."""

    class NotFound(Error):
        """No such item."""

    class KeychainDenied(Error):
        """The keychain is locked, or the user said no."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], str] = {}
        self.locked = False

    def set_generic_password(self, keychain: None, service: str, username: str, password: str) -> None:
        self._enter()
        self.items[service, username] = password

    def find_generic_password(self, keychain: None, service: str, username: str) -> str:
        self._enter()
        if (service, username) not in self.items:
            raise self.NotFound
        return self.items[service, username]

    def delete_generic_password(self, keychain: None, service: str, username: str) -> None:
        self._enter()
        if self.items.pop((service, username), None) is None:
            raise self.NotFound

    def _enter(self) -> None:
        if self.locked:
            raise self.KeychainDenied(-25308, "Security Auth Failure")


def imitate_windows(patch: pytest.MonkeyPatch) -> tuple[KeyringBackend, ImitatedCredentialManager]:
    """Return keyring's Windows backend over an imitated Credential Manager."""
    manager = ImitatedCredentialManager()
    patch.setattr(keyring.backends.Windows, "win32cred", manager, raising=False)
    patch.setattr(keyring.backends.Windows, "pywintypes", manager, raising=False)
    backend: Any = keyring.backends.Windows.WinVaultKeyring
    return backend(), manager


def imitate_macos(patch: pytest.MonkeyPatch) -> tuple[KeyringBackend, ImitatedKeychain]:
    """Return keyring's macOS backend over an imitated Keychain."""
    keychain = ImitatedKeychain()
    patch.setattr(keyring.backends.macOS, "api", keychain, raising=False)
    backend: Any = keyring.backends.macOS.Keyring
    return backend(), keychain
