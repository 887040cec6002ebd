"""One log file for each helper, in amazon-ecr-credential-helper's line format (logrus text), no secrets."""

import os
import time

from credhelpers import files
from credhelpers.config import Settings

_LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3}
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+")
_LONGEST_VALUE = 1000
_SYSLOG = "/dev/log"


class Log:
    """Appends records to ``<directory>/log/<name>.log``.

    A log that cannot be written is reported once on stderr; the request goes on.

    Args:
        name: The helper's name, such as ``ecr-login``.
        directory: The state directory; None for no log at all.
        settings: The level, the size at which a file is rotated, and whether to log to syslog too.
    """

    def __init__(self, name: str, directory: str | None, settings: Settings) -> None:
        self._name = name
        self._path = os.path.join(directory, "log", name + ".log") if directory else None
        self.adopt(settings)

    def adopt(self, settings: Settings) -> None:
        """Use other settings from now on."""
        self._lowest = _LEVELS[settings.text("log.level")]
        self._largest = int(settings.number("log.max_bytes"))
        self._to_syslog = settings.flag("log.syslog")

    def debug(self, message: str, **fields: str) -> None:
        """Write a detail for finding a fault."""
        self._write("debug", message, fields)

    def info(self, message: str, **fields: str) -> None:
        """Write what was done."""
        self._write("info", message, fields)

    def warning(self, message: str, **fields: str) -> None:
        """Write what went wrong in a request that was answered."""
        self._write("warning", message, fields)

    def error(self, message: str, **fields: str) -> None:
        """Write why a request failed."""
        self._write("error", message, fields)

    def _write(self, level: str, message: str, fields: dict[str, str]) -> None:
        if _LEVELS[level] < self._lowest:
            return
        line = record(time.time(), level, message, fields)
        if self._to_syslog:
            _send_to_syslog(self._name, level, line)
        if self._path is None:
            return
        try:
            files.make_private_directory(os.path.dirname(self._path))
            files.append_private(self._path, line.encode(), self._largest)
        except OSError as error:
            self._path = None
            warn(f"cannot write the log: {error.strerror or error}")


def record(now: float, level: str, message: str, fields: dict[str, str]) -> str:
    """Return one line of the log; every value is redacted, shortened and quoted where it needs to be.

    Args:
        now: Seconds since the epoch.
        level: One of the four levels.
        message: What happened.
        fields: The details.
    """
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    line = f'time="{moment}" level={level} msg={_quote(message, always=True)}'
    for key, value in fields.items():
        line += f" {key}={_quote(redact(value))}"
    return line + "\n"


def redact(text: str) -> str:
    """Return a text without the passwords and query strings of the URLs in it."""
    if "@" not in text and "?" not in text:
        return text
    return " ".join(_redact_word(word) for word in text.split(" "))


def one_line(text: str) -> str:
    """Return a text with its control characters escaped and without what `redact` removes."""
    text = redact(text)
    return text if text.isprintable() else "".join(map(_escape, text))


def without_controls(text: str) -> str:
    """Return a text of several lines with every control character but tabs and line ends escaped."""
    if text.isprintable():
        return text
    return "".join(
        character if character in "\n\t" or character.isprintable() else _escape(character)
        for character in text
    )


def warn(text: str) -> None:
    """Write one line to stderr, which clients show to the user."""
    try:
        os.write(2, one_line(text).encode("utf-8", "backslashreplace") + b"\n")
    except OSError:
        pass


def _send_to_syslog(name: str, level: str, line: str) -> None:
    """Send a record to the machine's syslog or journal (RFC 3164, facility "user"), if there is one."""
    import socket

    severity = {"debug": 7, "info": 6, "warning": 4, "error": 3}[level]
    text = f"<{8 + severity}>docker-credential-{name}[{os.getpid()}]: {line.rstrip()}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.setblocking(False)
            connection.sendto(text.encode(), _SYSLOG)
    except OSError:
        return  # the file has the record


def _redact_word(word: str) -> str:
    place, question, query = _split_query(word)
    # A word may contain several URLs, and after each // there may be a name, a password and a host.
    first, *others = place.split("//")
    if ":" in first.partition("@")[0]:  # not an e-mail address or a plain sentence
        first = _redact_userinfo(first)
    redacted = "//".join([first, *map(_redact_userinfo, others)])
    return redacted + question + ("redacted" if query else "")


def _split_query(word: str) -> tuple[str, str, str]:
    """Split a word at the question mark of a URL, not at one of a regular expression such as ``#,?``."""
    at = word.find("?")
    while at >= 0 and not _may_be_address(word[:at].rpartition('"')[2]):  # a URL has no quotation mark
        at = word.find("?", at + 1)
    return (word, "", "") if at < 0 else (word[:at], "?", word[at + 1 :])


def _may_be_address(place: str) -> bool:
    return "/" in place or place[-1:].isalnum() or place[-1:] in tuple("-._~:@%]")


def _redact_userinfo(place: str) -> str:
    authority, slash, rest = place.partition("/")
    if "@" in authority:
        authority = "redacted@" + authority.rpartition("@")[2]
    return authority + slash + rest


def _quote(text: str, *, always: bool = False) -> str:
    text = text[:_LONGEST_VALUE]
    if text and not always and _BARE.issuperset(text):
        return text
    if not text.isprintable() or '"' in text or "\\" in text:
        text = "".join(map(_escape, text)).replace('"', '\\"')
    return f'"{text}"'


def _escape(character: str) -> str:
    if character == "\\" or not character.isprintable():
        return character.encode("unicode_escape").decode()
    return character
