"""What `credhelpers configure --dry-run` shows: a diff of each file, without any secret."""

import difflib
import re
from collections.abc import Iterator

from credhelpers.clients.docker_config import DockerConfig

_STRING_MEMBER = re.compile(r'("(?:[^"\\]|\\.)*"\s*:\s*)"((?:[^"\\]|\\.)*)"')


def diff(path: str, before: bytes | None, after: bytes | None, *, is_secret: bool) -> Iterator[str]:
    """Return a unified diff with no secret in it."""
    texts = [(content or b"").decode() for content in (before, after)]
    if is_secret:
        texts = _without_secrets(texts)
    origin, target = ("/dev/null" if content is None else path for content in (before, after))
    old, new = ([line + "\n" for line in text.splitlines()] for text in texts)
    return difflib.unified_diff(old, new, origin, target)


def _without_secrets(texts: list[str]) -> list[str]:
    """Return the texts of a config.json with every string but the names of helpers left out."""
    shown = set()
    for text in texts:
        config = DockerConfig("", text.encode())
        shown |= {config.creds_store, *config.cred_helpers.values()}

    def mask(member: re.Match[str]) -> str:
        return member[0] if member[2] in shown else f'{member[1]}"…"'

    return [_STRING_MEMBER.sub(mask, text) for text in texts]
