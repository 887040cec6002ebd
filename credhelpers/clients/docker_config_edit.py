"""What becomes of a config.json or auth.json, as changes of its text that fit whatever it holds by then."""

from collections.abc import Mapping

from credhelpers.clients import go_json, json_text
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
            text = json_text.put(text, (config.spelling("credsStore"),), store)
        for server, helper in helpers.items():
            if config.cred_helpers.get(server) != helper:
                text = json_text.put(text, (config.spelling("credHelpers"), server), helper)
        return _finish(text, config, content)

    return change


def restore_helpers(path: str, backup: bytes) -> Change:
    """Return the change that names the helpers of a backup again, and leaves all else as it is by now."""
    former = DockerConfig(path, backup)

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        text = _restore_text(config, former)
        if go_json.load(text) == go_json.load(former.text):
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
    """Return the change that removes the entries of servers that somebody has logged out of."""

    def change(content: bytes | None) -> bytes | None:
        config = DockerConfig(path, content or b"")
        text = config.text
        for server in servers:
            text = json_text.remove(text, (config.spelling("auths"), server))
        return _finish(text, config, content)

    return change


def _restore_text(config: DockerConfig, former: DockerConfig) -> str:
    text = config.text
    if config.creds_store != former.creds_store:
        keys = (config.spelling("credsStore"),)
        text = (
            json_text.put(text, keys, former.creds_store)
            if former.creds_store
            else json_text.remove(text, keys)
        )
    helpers = config.spelling("credHelpers")
    for server, helper in former.cred_helpers.items():
        if config.cred_helpers.get(server) != helper:
            text = json_text.put(text, (helpers, server), helper)
    for server in config.cred_helpers:
        if server not in former.cred_helpers:
            text = json_text.remove(text, (helpers, server))
    if not former.has("credHelpers") and not DockerConfig(config.path, text.encode()).cred_helpers:
        text = json_text.remove(text, (helpers,))
    return text


def _finish(text: str, config: DockerConfig, content: bytes | None) -> bytes | None:
    """Return the new content; the old one itself when nothing has changed."""
    if text == config.text:
        return content
    return (text if content else text + "\n").encode()
