"""What the fast path in plain sh answers from: for each host an answer, and what must hold for it to be true.

packaging/ecr-login-front.sh tells how it is used. It asks for this by ``CREDHELPERS_FAST_PATH``; an
installation without a fast path has no such files. What a shell cannot compare letter by letter is left to
Python.
"""

import os

from credhelpers import files
from credhelpers.paths import state_directory
from credhelpers.stores.ecr.identity import (
    FILE_VARIABLES,
    LOGIN_CACHE_VARIABLE,
    PLAIN,
    PROXY_VARIABLES,
    SECRET_KEY,
    SECRET_VARIABLES,
    SELECTING_VARIABLES,
)
from credhelpers.stores.ecr.tokens import CLOCK_SLACK, LARGEST, stored_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credhelpers.config import Settings
    from credhelpers.stores.ecr.identity import Identity
    from credhelpers.stores.ecr.tokens import TokenCache

# What says where tokens and configurations are, and how they are used.
_OWN_VARIABLES = (
    "HOME",
    "XDG_CONFIG_HOME",
    "AWS_ECR_CACHE_DIR",
    "AWS_ECR_DISABLE_CACHE",
    "AWS_ECR_IGNORE_CREDS_STORAGE",
    "CREDHELPERS_CONFIG",
)
VARIABLES = (
    *_OWN_VARIABLES,
    *SELECTING_VARIABLES,
    *PROXY_VARIABLES,
    *SECRET_VARIABLES,
    *FILE_VARIABLES,
    LOGIN_CACHE_VARIABLE,
)
"""Every variable that must be as it was; the shell has the same list."""

_PATHS = (*FILE_VARIABLES, LOGIN_CACHE_VARIABLE, "AWS_ECR_CACHE_DIR", "CREDHELPERS_CONFIG", "XDG_CONFIG_HOME")
_FORMAT = "credhelpers fast path 1"
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-"
_LONGEST_SECRET = 128
_REGULAR = "8180 "  # a regular file with mode 0600, as stat prints it


def leave(
    cache: "TokenCache",
    name: str,
    host: str,
    identity: "Identity",
    settings: "Settings",
    environ: "Mapping[str, str]",
) -> None:
    """Leave a token that is in the first half of its life for the fast path.

    Args:
        cache: Where the token is.
        name: The name of the token.
        host: The registry that it was asked for.
        identity: Whose token it is, and how the files looked that say so.
        settings: Have how the configuration files looked when they were read.
        environ: The environment as the shell sees it.
    """
    variables = selection(environ)
    state = state_directory(environ)
    if variables is None or state != (environ.get("AWS_ECR_CACHE_DIR") or f"{environ.get('HOME')}/.ecr"):
        return
    try:
        token_facts = files.facts(
            cache.path(name)
        )  # before it is read, so that they are never of a later one
        token = cache.load(name, identity.key)
        if token is None or token.username != "AWS" or not PLAIN.issuperset(host + token.password):
            return
        answer = f'{{"ServerURL":"{host}","Username":"AWS","Secret":"{token.password}"}}\n'
        answer_path, fast_path = cache.path(f"answer-{host}"), cache.path(f"fast-{host}")
        _write(answer_path, answer)
        answer_facts = files.facts(answer_path)
        if files.read_private(answer_path, LARGEST) != answer.encode():
            return  # another identity's, by now
        seen = {
            cache.path(name): token_facts,
            answer_path: answer_facts,
            cache.path(stored_name(host)): "",
            **settings.versions,
            **identity.files,
        }
        if not all(map(PLAIN.issuperset, seen)) or "unreadable" in seen.values():
            return
        times = f"{token.issued - CLOCK_SLACK} {token.renew_at}"
        facts = [f"{facts} {path}" for path, facts in seen.items() if facts]
        lines = [_FORMAT, variables, times, " ".join(seen), *facts, "end", ""]
        _write(fast_path, "\n".join(lines))
    except OSError:
        return  # then Python goes on answering


def selection(environ: "Mapping[str, str]") -> str | None:
    """Return the variables that are set, with their values, each with a space before it.

    Returns:
        None where a shell had better not compare them: not plain text, a path that means something else in
        another directory, or a secret that is too long to be told apart there.
    """
    text = ""
    for name in VARIABLES:
        value = environ.get(name)
        if value is None:
            continue
        if name == SECRET_KEY:
            if len(value) > _LONGEST_SECRET or not PLAIN.issuperset(value):
                return None
            value = "#" + fingerprint(value)
        elif (
            not PLAIN.issuperset(value)
            or (name in SECRET_VARIABLES or (name in PROXY_VARIABLES and "@" in value))
            or (name in _PATHS and not value.startswith("/"))
        ):
            return None
        text += f" {name}={value}"
    return text


def fingerprint(secret: str) -> str:
    """Return two numbers that tell one plain secret from another, by arithmetic that a shell can do.

    They say far less of it than it is long (62 bits; an AWS secret access key has 240).
    """
    first = second = 0
    for character in secret:
        number = _ALPHABET.index(character) + 1
        first = (first * 131 + number) % 2147483647
        second = (second * 8191 + number) % 2147483629
    return f"{first}-{second}"


def _write(path: str, text: str) -> None:
    """Write a private file, unless it has just this content."""
    files.trust_directory(os.path.dirname(path))
    try:
        if files.facts(path).startswith(_REGULAR) and files.read_private(path, LARGEST) == text.encode():
            return
    except OSError:
        pass  # it is replaced
    files.replace(path, text.encode())
