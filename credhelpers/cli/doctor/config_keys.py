"""Keys of config.json that Docker ignores without a word, because it knows only similar ones."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from credhelpers.clients import go_json, sed_command
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.finding import Finding, warn

CHECK = "config keys"

_KINDS = {"credsStore": str, "credHelpers": dict, "auths": dict}
_NAMES = {go_json.fold(name): name for name in _KINDS}
_LIKELY = re.compile(r"(?:cred|auth)[A-Za-z_-]*", re.IGNORECASE)
_SIMILAR = 0.8  # as difflib counts it: credstore is to credsstore 0.95, author to auths 0.73


def check(config: DockerConfig) -> Iterator[Finding]:
    """Yield a warning for each key that looks like one about credentials."""
    for key, value in config.top.items():
        name = _meant(key)
        if not name or not isinstance(value, _KINDS[name]):
            continue
        text = f"{config.path} has {key}, which Docker ignores; it knows {name}"
        if config.spelling(name) in config.top:
            remedy = sed_command.drop_member(config.path, key)
        else:
            remedy = sed_command.replace(config.path, f'"{key}"', f'"{name}"')
        yield warn(CHECK, "unknown", text, remedy)


def _meant(key: str) -> str:
    """Return the key of Docker's that was meant; empty for one that Docker knows, or for another thing."""
    folded = go_json.fold(key)
    if folded in _NAMES or not _LIKELY.fullmatch(key):
        return ""
    plain = folded.replace("credentials", "creds").replace("credential", "cred")
    plain = plain.replace("_", "").replace("-", "")
    return "".join(_NAMES[name] for name in get_close_matches(plain, _NAMES, 1, _SIMILAR))
