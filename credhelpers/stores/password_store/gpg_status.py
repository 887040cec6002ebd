"""The status lines (GnuPG doc/DETAILS) and messages of one run of gpg, and its configuration files."""

from credhelpers import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credhelpers.process import Outcome


def has_status(outcome: "Outcome", keyword: str) -> bool:
    """Return whether a status line has this keyword; quoted text does not count (CVE-2018-12356)."""
    return any(line[0] == keyword for line in status_lines(outcome.status))


def status_lines(status: bytes) -> list[list[str]]:
    """Return the keyword and the arguments of each status line (doc/DETAILS).

    Only a line feed ends a line, and a status line begins with the mark: gpg quotes names and comments that
    others wrote, which may contain any other character.
    """
    mark = b"[GNUPG:] "
    lines = [line[len(mark) :] for line in status.split(b"\n") if line.startswith(mark)]
    return [line.decode(errors="replace").split(" ") for line in lines]


class Status:
    """The status lines and messages of one run of gpg."""

    def __init__(self, outcome: "Outcome") -> None:
        self._lines = status_lines(outcome.status)
        messages = outcome.errors.decode(errors="replace").splitlines()
        # About a wrong option gpg complains before it prints its own name.
        said = [line for line in messages if line.startswith(("gpg: ", "invalid option"))]
        self._messages = [line.removeprefix("gpg: ").strip() for line in said]

    @property
    def was_prompted(self) -> bool:
        """Whether gpg-agent has started a pinentry."""
        return any(line[0] == "PINENTRY_LAUNCHED" for line in self._lines)

    def lines(self, keyword: str) -> list[list[str]]:
        """Return the arguments of each line with a keyword."""
        return [line[1:] for line in self._lines if line[0] == keyword and len(line) > 1]

    def values(self, keyword: str) -> list[str]:
        """Return the first argument of each line with a keyword."""
        return [arguments[0] for arguments in self.lines(keyword)]

    def error(self, *places: str) -> int | None:
        """Return the code of the first error that happened at one of these places."""
        for place, code, *_ in (line for line in self.lines("ERROR") if len(line) > 1):
            if place in places and code.isdecimal():
                return int(code) & 0xFFFF
        return None

    def reason(self, position: int) -> str:
        """Return one of gpg's own messages that give a reason, counted from the last one, which is 1."""
        reasons = [line for line in self._messages if ": " in line]
        return reasons[-min(position, len(reasons))] if reasons else "gpg does not say why"

    def reason_with(self, word: str) -> str:
        """Return the last of gpg's own messages with a word in it."""
        return next((line for line in reversed(self._messages) if word in line.lower()), "")


def read_text(path: str) -> str:
    """Return the content of one of GnuPG's configuration files; empty when it cannot be read."""
    try:
        return files.read_regular(path, 1 << 16).decode(errors="replace")
    except OSError:
        return ""
