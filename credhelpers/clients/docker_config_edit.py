"""What becomes of a config.json or auth.json, as changes of its text that fit whatever it holds by then."""

import json
from collections.abc import Mapping

from credhelpers.clients import json_text
from credhelpers.clients.docker_config import DockerConfig, plaintext_in
from credhelpers.clients.shared_file import Change
from credhelpers.credential import Credential

_SECRETS = ("auth", "username", "password", "identitytoken")


def choose_helpers(path: str, store: str | None, helpers: dict[str, str]) -> Change:
    """Return the change that names helpers.

    Args:
        path: The file, for messages.
        store: The helper for every server without one of its own; None to leave that as it is.
        helpers: The helper of each server that is to have one of its own.
    """

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        text = config.text
        if store is not None and config.creds_store != store:
            text = json_text.put(text, ("credsStore",), store)
        for server, helper in helpers.items():
            if config.cred_helpers.get(server) != helper:
                text = json_text.put(text, ("credHelpers", server), helper)
        return _finish(text, config, content)

    return change


def restore_helpers(path: str, backup: bytes) -> Change:
    """Return the change that names the helpers of a backup again, and leaves all else as it is by now."""
    former = DockerConfig(path, backup)

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        text = _restore_text(config, former)
        if json.loads(text) == json.loads(former.text):
            return backup or None  # to the byte; an empty backup is that of no file
        return _finish(text, config, content)

    return change


def hand_over(
    path: str, secrets: Mapping[str, Credential | None], servers: list[str], store: str | None
) -> Change:
    """Return the change that removes secrets which a helper has by now.

    As when Docker itself stores by a helper, each server keeps an entry without secrets.

    Args:
        path: The file, for messages.
        secrets: What the helper has; an entry that says something else by now keeps it, unless this is None.
        servers: More servers that are to have an entry.
        store: As for `choose_helpers`.
    """

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        emptied: dict[str, object] = {}
        for server, credential in secrets.items():
            secret = plaintext_in(config.auths.get(server, {}))
            if secret is not None and credential in (None, secret.credential):
                rest = config.auths[server].items()
                emptied[server] = {name: value for name, value in rest if name not in _SECRETS}
        text = json_text.put_each(config.text, "auths", emptied)
        for server in servers:
            if server not in config.auths:
                text = json_text.put(text, ("auths", server), {})
        if store is not None and config.creds_store != store:
            text = json_text.put(text, ("credsStore",), store)
        return _finish(text, config, content)

    return change


def forget(path: str, servers: list[str]) -> Change:
    """Return the change that removes the entries of servers that somebody has logged out of."""

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        text = config.text
        for server in servers:
            text = json_text.remove(text, ("auths", server))
        return _finish(text, config, content)

    return change


def _restore_text(config: DockerConfig, former: DockerConfig) -> str:
    text = config.text
    if config.creds_store != former.creds_store:
        keys = ("credsStore",)
        text = (
            json_text.put(text, keys, former.creds_store)
            if former.creds_store
            else json_text.remove(text, keys)
        )
    for server, helper in former.cred_helpers.items():
        if config.cred_helpers.get(server) != helper:
            text = json_text.put(text, ("credHelpers", server), helper)
    for server in config.cred_helpers:
        if server not in former.cred_helpers:
            text = json_text.remove(text, ("credHelpers", server))
    if not former.has("credHelpers") and not json.loads(text).get("credHelpers"):
        text = json_text.remove(text, ("credHelpers",))
    return text


def _finish(text: str, config: DockerConfig, content: bytes | None) -> bytes | None:
    """Return the new content; the old one itself when nothing has changed."""
    if text == config.text:
        return content
    return (text if content else text + "\n").encode()
