"""Changes of a config.json or auth.json: functions from its current text to the new one."""

from collections.abc import Mapping

from credhelpers.clients import go_json, json_text
from credhelpers.clients.docker_config import DockerConfig, plaintext_in
from credhelpers.clients.former_helpers import FormerHelpers
from credhelpers.clients.shared_file import Change
from credhelpers.credential import Credential

_SECRETS = ("auth", "username", "password", "identitytoken")


def set_helpers(path: str, store: str | None, helpers: Mapping[str, str | None]) -> Change:
    """Return the change that names helpers.

    Args:
        path: The file, for messages.
        store: The helper for all other servers; None to leave that unchanged, empty for none.
        helpers: The helper of each server that is to have its own; None for one that is to lose it.
    """

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        text = config.text
        if store is not None and config.creds_store != store:
            key = config.spelling("credsStore")
            text = json_text.put(text, (key,), store) if store else json_text.remove(text, (key,))
        for server, helper in helpers.items():
            keys = (config.spelling("credHelpers"), server)
            if helper is None:
                text = json_text.remove(text, keys)
            elif config.cred_helpers.get(server) != helper:
                text = json_text.put(text, keys, helper)
        return _finish(text, config, content)

    return change


def restore_helpers(path: str, former: FormerHelpers) -> Change:
    """Return the change that restores the former helpers, and leaves the rest as it is now."""

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        text = config.text
        for name, value in (("credHelpers", former.cred_helpers), ("credsStore", former.creds_store)):
            key = config.spelling(name)
            text = json_text.remove(text, (key,)) if value is None else json_text.put_text(text, key, value)
        if not go_json.load(text):
            return former.blank.encode() if former.exists else None
        return _finish(text, config, content)

    return change


def hand_over(
    path: str, secrets: Mapping[str, Credential | None], servers: list[str], store: str | None
) -> Change:
    """Return the change that removes secrets which a helper has stored.

    As when Docker itself stores by a helper, each server keeps an entry without secrets.

    Args:
        path: The file, for messages.
        secrets: What the helper has; an entry that is different now keeps its secret, unless this is None.
        servers: More servers that are to have an entry.
        store: As for `set_helpers`.
    """

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        auths = config.spelling("auths")
        emptied = set()
        for server, credential in secrets.items():
            secret = plaintext_in(config.auths.get(server, {}))
            if secret is not None and credential in (None, secret.credential):
                emptied.add(server)
        text = json_text.strip_each(
            config.text, auths, emptied, lambda field: go_json.fold(field) in _SECRETS
        )
        for server in servers:
            if server not in config.auths:
                text = json_text.put(text, (auths, server), {})
        if store is not None and config.creds_store != store:
            text = json_text.put(text, (config.spelling("credsStore"),), store)
        return _finish(text, config, content)

    return change


def forget(path: str, servers: list[str]) -> Change:
    """Return the change that removes the entries of servers."""

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        text = config.text
        for server in servers:
            text = json_text.remove(text, (config.spelling("auths"), server))
        return _finish(text, config, content)

    return change


def _finish(text: str, config: DockerConfig, content: bytes | None) -> bytes | None:
    """Return the new content; the old one itself when nothing has changed."""
    if text == config.text:
        return content
    return (text if content else text + "\n").encode()
