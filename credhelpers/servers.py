"""Server URLs: which stored keys may answer for a server, as pure functions of their arguments.

A registry is named by host and port, with or without ``https://``; Docker Hub has several names but one
key; plain HTTP is another server. (docker/cli registry/auth.go, docker-credential-helpers registryurl.)
"""

HUB_KEY = "https://index.docker.io/v1/"
HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io")
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")
_HTTPS_PORT = "443"
_SCHEME_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."
)  # RFC 3986


def candidate_keys(server: str) -> list[str]:
    """Return the stored keys that may answer for a server, best first.

    The order is: the exact spelling; the other spellings of the same place (trailing slash, ``https://``);
    the same for each shorter path down to the host; Docker Hub's one key for any of its names. A key of
    another scheme or port is never among them, not by a scheme within a scheme (``https://https://host``)
    either, and a ``…-token`` key, of which Docker Hub's web login keeps two beside the password, answers for
    itself only.

    Args:
        server: What the client asked for, such as ``registry.example:5000/team/app``.

    Returns:
        Keys in the order in which to look them up, without repetition.
    """
    scheme, place = split_scheme(server)
    place = place.partition("?")[0]
    host = place.partition("/")[0]
    is_nested = host.endswith(":")  # a scheme where the host should be
    if not host or is_nested or scheme not in ("", "https", "http") or _is_token_key(place):
        return [server]
    keys = [server]
    while place:
        if not _is_token_key(place):
            keys += _spellings(scheme, place)
        place = place.rstrip("/").rpartition("/")[0]
    if host in HUB_HOSTS and scheme != "http":
        keys.append(HUB_KEY)
    return list(dict.fromkeys(keys))


def flaw(text: str) -> str:
    """Return why a text cannot be a server URL or a username that clients exchange; empty when it can.

    Control characters could smuggle a second line or field into another program's output (CVE-2020-5260
    and similar ones), and lone surrogates cannot be written at all.
    """
    if text.isprintable():
        return ""
    if any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in text):
        return "contains a control character"
    return "is not valid Unicode" if any(0xD800 <= ord(character) < 0xE000 for character in text) else ""


def split_scheme(server: str) -> tuple[str, str]:
    """Split a server URL into its scheme in lower case (empty when it has none) and the rest."""
    scheme, found, rest = server.partition("://")
    if found and _SCHEME_CHARACTERS.issuperset(scheme):
        return scheme.lower(), rest
    return "", server.removeprefix("//")


def host_of(server: str) -> str:
    """Return the host in a server URL, in lower case; empty when it is not reached by HTTPS.

    A path is dropped, because some clients ask for whole repositories, and so is HTTPS's own port. A token of
    a cloud goes to no other port, and never over plain HTTP.
    """
    scheme, place = split_scheme(server)
    authority = place.partition("/")[0]
    if not authority.isascii():
        return ""  # some letters, such as the Kelvin sign, are ASCII only once they are in lower case
    host, colon, port = authority.lower().partition(":")
    if not _HOST_CHARACTERS.issuperset(host):
        return ""
    # An empty port is a scheme within a scheme: https://https://host.
    return host if scheme in ("", "https") and (not colon or port == _HTTPS_PORT) else ""


def matches(pattern: str, text: str) -> bool:
    """Return whether a glob matches a text: ``*`` is any characters, ``?`` is one; case is ignored.

    (fnmatch imports re, which takes longer than a warm answer.)
    """
    text = text.lower()
    ends = {0}  # of the beginnings of the text that the pattern so far matches
    for character in pattern.lower():
        if character == "*":
            ends = set(range(min(ends, default=len(text) + 1), len(text) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(text) and character in ("?", text[end])}
    return len(text) in ends


def _is_token_key(place: str) -> bool:
    return place.rstrip("/").endswith("-token")


def _spellings(scheme: str, place: str) -> list[str]:
    trimmed = place.rstrip("/")
    forms = (place, trimmed if place != trimmed else trimmed + "/")
    if scheme == "http":
        return ["http://" + form for form in forms]
    prefixes = ("", "https://") if scheme == "" else ("https://", "")
    return [prefix + form for prefix in prefixes for form in forms]
