"""Configuration for a Nomad client: the helper of its docker driver, and an empty answer for "not found"."""

import os
import re
import tomllib

from credhelpers.clients.shared_file import Change
from credhelpers.credential import CredentialError

DIRECTORY = "/etc/nomad.d"
FILE_NAME = "credhelpers.hcl"

_OURS = re.compile(
    rb'# Written by credhelpers configure\.\nplugin "docker" \{\n  config \{\n    auth \{\n'
    rb'      helper = "([^"\n]+)"\n    \}\n  \}\n\}\n'
)
_PLUGIN = re.compile(rb'plugin\s+"?docker"?\s*\{|"plugin"\s*:')
_NOT_FOUND = re.compile(r"^[ \t]*not_found[ \t]*=[ \t]*([\"'])\w*\1", re.MULTILINE)
_EMPTY = 'not_found = "empty"'
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def stanza(helper: str) -> str:
    """Return the plugin stanza for a Nomad client's configuration."""
    return (
        "# Written by credhelpers configure.\n"
        f'plugin "docker" {{\n  config {{\n    auth {{\n      helper = "{helper}"\n    }}\n  }}\n}}\n'
    )


def write_stanza(directory: str, helper: str) -> Change:
    """Return the change that writes the stanza to our own file.

    Of two stanzas for one plugin Nomad uses only the last one (nomad/structs/config/plugins.go), so it is
    refused where another file has one already, or where our own file was edited.
    """

    def change(content: bytes | None) -> bytes | None:
        remedy = f'put auth {{ helper = "{helper}" }} into its config block'
        other = file_with_stanza(directory)
        if other:
            raise CredentialError(f'{other} already has a stanza for plugin "docker"', remedy)
        if content and not is_ours(content):
            path = os.path.join(directory, FILE_NAME)
            raise CredentialError(f"{path} was changed since credhelpers wrote it", remedy)
        return stanza(helper).encode()

    return change


def is_ours(content: bytes) -> bool:
    """Return whether a file is as `write_stanza` makes it."""
    return _OURS.fullmatch(content) is not None


def helper_in(content: bytes | None) -> str | None:
    """Return the helper that our own file names; None when it is not as `write_stanza` makes it."""
    ours = _OURS.fullmatch(content or b"")
    return ours[1].decode(errors="replace") if ours else None


def answer_empty(path: str) -> Change:
    """Return the change that sets ``not_found = "empty"`` in a config.toml and keeps the rest."""

    def change(content: bytes | None) -> bytes | None:
        text, settings = _parse(path, content or b"")
        wanted = {**settings, "not_found": "empty"}
        if settings == wanted:
            return content
        table = _TABLE.search(text)
        if _NOT_FOUND.search(text[: table.start()] if table else text):
            edited = _NOT_FOUND.sub(_EMPTY, text, count=1)
        else:
            edited = _EMPTY + "\n" + ("\n" + text if text else "")
        if not _says(edited, wanted):
            cause = f"cannot find the place for not_found in {path}"
            raise CredentialError(cause, f"add it there: {_EMPTY}")
        return edited.encode()

    return change


def not_found_in(path: str, content: bytes) -> str | None:
    """Return what a config.toml says of ``not_found``; None when it says nothing."""
    value = _parse(path, content)[1].get("not_found")
    return value if isinstance(value, str) else None


def restore_not_found(path: str, former: str | None) -> Change:
    """Return the change that puts a former ``not_found`` back, or removes the line; the rest stays."""

    def change(content: bytes | None) -> bytes | None:
        text, settings = _parse(path, content or b"")
        if content is None or settings.get("not_found") != "empty":
            return content
        wanted = {name: value for name, value in settings.items() if name != "not_found"}
        if former is None:
            edited = text.removeprefix(_EMPTY + "\n\n")
            edited = (
                re.sub(rf"(?m){_NOT_FOUND.pattern}[ \t]*\n?", "", text, count=1) if edited == text else edited
            )
        else:
            wanted["not_found"] = former
            edited = _NOT_FOUND.sub(f'not_found = "{former}"', text, count=1)
        if not _says(edited, wanted):
            raise CredentialError(f"cannot find not_found in {path}", "set it there by hand, or remove it")
        return edited.encode() or None

    return change


def file_with_stanza(directory: str) -> str | None:
    """Return another file of Nomad's that configures the docker driver."""
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialError(f"cannot read {directory}: {error.strerror}", "run this as root") from None
    for name in names:
        path = os.path.join(directory, name)
        if name.endswith((".hcl", ".json")) and name != FILE_NAME and os.path.isfile(path):
            try:
                with open(path, "rb") as file:
                    content = re.sub(rb"(?m)^\s*(#|//).*$", b"", file.read(1 << 20))
            except OSError as error:
                raise CredentialError(f"cannot read {path}: {error.strerror}", "run this as root") from None
            if _PLUGIN.search(content) and b"docker" in content:
                return path
    return None


def _parse(path: str, content: bytes) -> tuple[str, dict[str, object]]:
    try:
        text = content.decode()
        return text, tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CredentialError(f"{path} is not valid TOML: {error}", "correct the file") from None


def _says(text: str, wanted: dict[str, object]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False
