"""The one rule by which a remedy holds commands, for people who read it and for the tests that run it.

A remedy is one or more ways out, with "; ", "; or ", "; then ", ", or " or ", then " between them. A way out
is a command of the shell by itself, or behind some words and a colon that say what it is for. What begins
with no program's name, no assignment and no option is prose. Options by themselves are those that the command
which has failed is to be run with. What only the user can fill in stands in capitals or in angle brackets.

So ``see why: gpg --list-keys; or choose another key: pass init <your GPG key>`` holds two commands.
"""

import re
import subprocess

PROGRAMS = (
    "apt",
    "aws",
    "chmod",
    "chown",
    "cp",
    "credhelpers",
    "dbus-run-session",
    "dnf",
    "docker",
    "echo",
    "export",
    "gnome-keyring-daemon",
    "gpg",
    "gpg-connect-agent",
    "gpgconf",
    "install",
    "ln",
    "ls",
    "mkdir",
    "mv",
    "pass",
    "printf",
    "rm",
    "rmdir",
    "script",
    "scripts/install.sh",
    "sed",
    "stty",
    "timedatectl",
    "touch",
    "unset",
)
_WORDS = "|".join(re.escape(program) for program in PROGRAMS)
_START = "|".join(
    (
        rf"(?!install (?!-))\(?(?:{_WORDS})(?= )",  # `install` begins many a sentence, but for its options
        r"docker-credential-\S+ ",
        r"/\S+ ",
        r"\{\}(?:/\{\})? (?!is |are )",  # a program that is known only when it is told
        r"\{\}$",
        r"[A-Z_]+=\S+ ",
        r"--[a-z]",
    )
)
_COMMAND = re.compile(rf"^(?:[^:]*?: )?(?:run: )?((?:{_START}).*)$", re.DOTALL)
_BETWEEN = re.compile(r"; (?:or |then )?|, (?:or|then) ")
_MENTION = re.compile(rf"(?<![\w./-])(?!install )(?:{_WORDS}) (?=[-\w$'\"{{<.])")


def commands(remedy: str) -> list[str]:
    """Return the commands of a remedy, the first way out first."""
    found = [_COMMAND.match(way) for way in _BETWEEN.split(remedy)]
    return [way[1] for way in found if way]


def is_shell(command: str) -> bool:
    """Return whether /bin/sh takes a command, with something in the place of what is to be filled in."""
    command = re.sub(r"<[a-zA-Z ]+>", "word", command.replace("{}", "word"))
    done = subprocess.run(
        ["/bin/sh", "-nc", f"word {command}" if command.startswith("--") else command],
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


def mentions_command(remedy: str) -> bool:
    """Return whether a remedy has what a reader would take for a command, wherever it stands in it."""
    held = [command for command in commands(remedy) if command != "{}"]
    return bool(held or _MENTION.search(remedy))
