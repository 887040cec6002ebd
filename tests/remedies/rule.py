"""The commands in a remedy: the rule of remedy_commands.py, also for templates of remedies."""

import re
import subprocess

from credhelpers.cli.shared.remedy_commands import BETWEEN, MENTION, command_in_way

_COMMAND = command_in_way(
    r"\{\}(?:/\{\})? (?!is |are )",  # a program that is known only when it is told
    r"\{\}$",
)


def commands(remedy: str) -> list[str]:
    """Return the commands of a remedy, the first way out first."""
    found = [_COMMAND.match(way) for way in BETWEEN.split(remedy)]
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
    return bool(held or MENTION.search(remedy))
