"""Where the commands are in a text for the user: the one rule, for output on terminals and for the tests.

A remedy is one or more ways out, with "; ", "; or ", "; then ", ", or " or ", then " between them. A way out
is a command of the shell by itself, or behind some words and a colon that say what it is for. What begins
with no program's name, no assignment and no option is prose. Options by themselves are those that the command
which has failed is to be run with. What only the user can fill in stands in capitals or in angle brackets.

So ``see why: gpg --list-keys; or choose another key: pass init <your GPG key>`` holds two commands.
"""

import re
from collections.abc import Iterator

PROGRAMS = (
    "apt",
    "aws",
    "buildah",
    "chmod",
    "chown",
    "cp",
    "credhelpers",
    "curl",
    "dbus-run-session",
    "dnf",
    "docker",
    "echo",
    "export",
    "getent",
    "gnome-keyring-daemon",
    "gpg",
    "gpg-connect-agent",
    "gpgconf",
    "install",
    "ln",
    "ls",
    "mkdir",
    "mv",
    "openssl",
    "openssl",
    "pass",
    "podman",
    "printf",
    "rm",
    "rmdir",
    "script",
    "scripts/install.sh",
    "sed",
    "skopeo",
    "stty",
    "systemctl",
    "timedatectl",
    "touch",
    "unset",
    "useradd",
    "usermod",
)
_WORDS = "|".join(re.escape(program) for program in PROGRAMS)
_STARTS = (
    rf"(?!install (?!-))\(?(?:{_WORDS})(?= )",  # `install` begins many a sentence, but for its options
    r"docker-credential-\S+ ",
    r"/\S+ ",
    r"[A-Z_]+=\S+ ",
    r"--[a-z]",
)
BETWEEN = re.compile(r"; (?:or |then )?|, (?:or|then) ")
"""What stands between two ways out."""
MENTION = re.compile(rf"(?<![\w./-])(?!install )(?:{_WORDS}) (?=[-\w$'\"{{<.])")
"""What a reader would take for a command, wherever it stands."""


def command_in_way(*more_starts: str) -> re.Pattern[str]:
    """Return the pattern of a way out that has a command; its group 1 is the command.

    Args:
        more_starts: Patterns of further beginnings of commands.
    """
    starts = "|".join((*_STARTS, *more_starts))
    return re.compile(rf"^(?:[^:]*?: )?(?:run: )?((?:{starts}).*)$", re.DOTALL)


_IN_REMEDY = command_in_way()
_IN_SENTENCE = re.compile(rf": ((?:sudo )?(?:{_WORDS}) .*)$")


def command_spans(text: str, *, is_remedy: bool) -> Iterator[tuple[int, int]]:
    """Yield where each command in a text begins and ends.

    Args:
        text: One line.
        is_remedy: Whether it follows the rule above; in any other sentence a command stands behind a colon.
    """
    start = 0
    for end, after in (*(between.span() for between in BETWEEN.finditer(text)), (len(text), 0)):
        found = (_IN_REMEDY.match if is_remedy else _IN_SENTENCE.search)(text[start:end])
        if found:
            yield start + found.start(1), end
        start = after
