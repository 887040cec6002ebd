"""Docker's config.json and podman's auth.json: where they are, and what they say about credentials."""

import base64
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from credhelpers import paths, permissions
from credhelpers.clients import go_json
from credhelpers.clients.shared_file import read_if_exists
from credhelpers.credential import Credential, CredentialError
from credhelpers.servers import HUB_HOSTS, HUB_KEY, split_scheme

TOKEN_USERNAME = "<token>"  # noqa: S105  a name, no secret
"""The username under which a helper keeps an identity token (docker/cli credentials/native_store.go)."""

_T = TypeVar("_T", str, dict[str, object])


def docker_config_path(environ: Mapping[str, str], directory: str | None = None) -> str:
    """Return the path of Docker's config.json.

    Args:
        environ: The environment; ``DOCKER_CONFIG`` names the directory, otherwise it is ``~/.docker``.
        directory: The directory that the user named on the command line.

    Raises:
        CredentialError: It is not named, and there is no home directory.
    """
    named = directory or environ.get("DOCKER_CONFIG")
    return os.path.join(
        os.path.abspath(named) if named else os.path.join(_home(environ), ".docker"), "config.json"
    )


def podman_directory(environ: Mapping[str, str]) -> str:
    """Return the directory of the user's own configuration of podman, buildah and skopeo."""
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(_home(environ), ".config")
    return os.path.join(base, "containers")


@dataclass(frozen=True)
class Plaintext:
    """A secret in the file itself, readable for everyone who can read the file.

    Attributes:
        kind: ``password``, ``identity token``, ``registry token``, or ``unreadable`` for one that Docker
            cannot decode either (it then warns, and may miss the secrets of others).
        credential: The username and the secret, as a helper keeps them; both empty when unreadable.
    """

    kind: str
    credential: Credential


class DockerConfig:
    """What a config.json or auth.json says about credentials.

    Args:
        path: Its path, for messages.
        content: Its bytes; empty if it does not exist.

    Attributes:
        exists: Whether the file exists.
        text: The file's text; ``{}`` when it is empty or does not exist.
        creds_store: The helper for all other servers, such as ``pass``; may be empty.
        cred_helpers: The helper of each server that has its own; an empty name means "in this file".
        auths: The servers with an entry, and its fields by their folded names.
        top: Everything in it, as it is spelled.

    Raises:
        CredentialError: It is not a JSON object, or has one of these keys twice or with the wrong type.
    """

    def __init__(self, path: str, content: bytes, *, exists: bool = True) -> None:
        self.path = path
        self.exists = exists
        self._read_text(content)
        self.creds_store: str = self._text("credsStore")
        self.cred_helpers: dict[str, str] = self._table("credHelpers", str)
        self.auths: dict[str, dict[str, object]] = self._entries()
        if any("\0" in name for name in (self.creds_store, *self.cred_helpers.values())):
            self._complain("names a helper with a NUL character", fault="invalid-helper")

    @classmethod
    def read(cls, path: str) -> "DockerConfig":
        """Read the file at a path; one that does not exist is as an empty one.

        Raises:
            CredentialError: It cannot be read, or Docker could not read it.
        """
        content = read_if_exists(path)
        return cls(path, content or b"", exists=content is not None)

    def helper_for(self, server: str, search_path: str | None = None) -> str:
        """Return the name of the helper that Docker asks for a server; empty when it looks in the file.

        Docker compares the keys of ``credHelpers`` with the server as it asks for it, that is ``host[:port]``
        or Docker Hub's key (docker/cli config/configfile/file.go, getConfiguredCredentialStore).

        Args:
            server: As Docker asks for it.
            search_path: The ``PATH`` in which Docker looks for its default store; None to ignore that.
        """
        if server in self.cred_helpers:
            return self.cred_helpers[server]
        return self.creds_store or self._default_store(search_path)

    def spelling(self, key: str) -> str:
        """Return a key as the file spells it, in upper or lower case; unchanged if it is not in the file."""
        try:
            return go_json.spelling(self.top, key)
        except ValueError as error:
            self._complain_of_two(error)

    def plaintext(self) -> dict[str, Plaintext]:
        """Return the secrets in the file, by server; without the servers whose secret a helper keeps."""
        found = {server: plaintext_in(entry) for server, entry in self.auths.items()}
        return {server: secret for server, secret in found.items() if secret is not None}

    def plaintext_by_server(self) -> dict[str, Plaintext]:
        """Return the secret that Docker finds in the file for each server, by the key by which it asks."""
        found: dict[str, Plaintext] = {}
        for name, secret in self.plaintext().items():
            key = docker_key(name)
            if key not in found or name == key:
                found[key] = secret
        return found

    def plaintext_for(self, server: str) -> Plaintext | None:
        """Return the secret that Docker finds in the file for a server: by its key, or by a key's host."""
        secrets = self.plaintext()
        if server in secrets:
            return secrets[server]
        return next((secret for key, secret in secrets.items() if hostname_of(key) == server), None)

    def _default_store(self, search_path: str | None) -> str:
        """Return the store that Docker uses on Linux when the file says nothing about credentials.

        (docker/cli config/config.go LoadDefaultConfigFile, credentials/default_store_linux.go)
        """
        if search_path is None or self.cred_helpers or self.auths:
            return ""
        store = "pass" if shutil.which("pass", path=search_path) else "secretservice"
        return store if shutil.which(f"docker-credential-{store}", path=search_path) else ""

    def _read_text(self, content: bytes) -> None:
        try:
            self.text = content.decode()
            if not self.text.strip():
                self.text = "{}"  # Docker accepts an empty file
            value = go_json.load(self.text)
        except UnicodeDecodeError:
            self._complain("is not valid JSON: it is not UTF-8", fault="invalid-json")
        except go_json.Repeated as error:
            self._complain_of_two(error)
        except ValueError as error:
            self._complain(f"is not valid JSON: {error}", fault="invalid-json")
        except RecursionError:
            self._complain("has objects or lists nested too deeply", fault="invalid-json")
        if not isinstance(value, dict):
            self._complain("is not a JSON object", fault="wrong-type")
        self.top: dict[str, object] = value

    def _text(self, key: str) -> str:
        value = self.top.get(self.spelling(key))
        if value is not None and not isinstance(value, str):
            self._complain(f"is not valid for Docker: {key} must be text", fault="wrong-type")
        return value or ""

    def _table(self, key: str, kind: type[_T]) -> dict[str, _T]:
        table = self.top.get(self.spelling(key))
        if table is None:
            return {}
        if not isinstance(table, dict):
            self._complain(f"is not valid for Docker: {key} must be an object", fault="wrong-type")
        for name, value in table.items():
            if value is not None and not isinstance(value, kind):
                self._complain(
                    f"is not valid for Docker: {key}.{name} has the wrong type", fault="wrong-type"
                )
        return {name: kind() if value is None else value for name, value in table.items()}

    def _entries(self) -> dict[str, dict[str, object]]:
        table = self._table("auths", dict)
        try:
            return {server: go_json.fields(entry) for server, entry in table.items()}
        except ValueError as error:
            self._complain_of_two(error)

    def _complain_of_two(self, error: ValueError) -> NoReturn:
        raise CredentialError(
            f"{self.path} is ambiguous: {error}",
            "put them into one",
            fault="duplicate-key",
        ) from None

    def _complain(self, what: str, *, fault: str) -> NoReturn:
        away = permissions.to_move_away(self.path)
        raise CredentialError(
            f"{self.path} {what}", f"correct it, or move it away: {away}", fault=fault
        ) from None


def hostname_of(server: str) -> str:
    """Return the ``host[:port]`` of a server URL, as Docker's ConvertToHostname does."""
    return split_scheme(server)[1].partition("/")[0]


def docker_key(server: str) -> str:
    """Return the key by which Docker asks for a registry that a user names: the Hub's key, or a host."""
    host = hostname_of(server)
    return HUB_KEY if host in HUB_HOSTS else host


def _home(environ: Mapping[str, str]) -> str:
    home = paths.home_directory(environ)
    if home is None:
        raise CredentialError(
            "there is no home directory", "set HOME, or name the directory: --docker-config"
        )
    return home


def plaintext_in(entry: dict[str, object]) -> Plaintext | None:
    """Return the secret in one entry of `DockerConfig.auths`; may be None.

    As for Docker, an identity token overrides a password, base64 may contain line ends, and bytes of a
    username or password that are not UTF-8 become U+FFFD.
    """
    field = {name: value for name, value in entry.items() if isinstance(value, str) and value}
    if "identitytoken" in field:
        return Plaintext("identity token", Credential(TOKEN_USERNAME, field["identitytoken"]))
    if "auth" in field:
        try:
            encoded = field["auth"].replace("\r", "").replace("\n", "")
            decoded = base64.b64decode(encoded, validate=True).decode(errors="replace")
        except ValueError:
            decoded = ""
        username, colon, password = decoded.partition(":")
        if not colon:
            return Plaintext("unreadable", Credential("", ""))
        return Plaintext("password", Credential(username, password.strip("\0")))
    if "password" in field:
        return Plaintext("password", Credential(field.get("username", ""), field["password"]))
    if "registrytoken" in field:
        return Plaintext("registry token", Credential("", field["registrytoken"]))
    return None
