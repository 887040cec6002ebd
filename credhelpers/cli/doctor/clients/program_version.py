"""The version that a program of Docker's prints."""

from collections.abc import Mapping

from credhelpers import process

_SECONDS = 2.0
_LARGEST = 1 << 12  # bytes


def program_version(program: str | None, environ: Mapping[str, str]) -> tuple[int, ...]:
    """Return the major and minor version; empty when it is not known.

    Args:
        program: Its path, or None when there is none.
        environ: The environment to run it in.
    """
    if not program:
        return ()
    try:
        outcome = process.run([program, "--version"], environ, b"", _SECONDS, _LARGEST, new_session=True)
    except OSError:
        return ()
    words = outcome.output.decode(errors="replace").partition("version ")[2]
    numbers = words.replace(",", " ").split(".")[:2]
    return tuple(map(int, numbers)) if len(numbers) == 2 and all(map(str.isdecimal, numbers)) else ()
