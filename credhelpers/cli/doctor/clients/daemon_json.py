"""daemon.json: what keeps dockerd from starting, above all keys that belong into config.json.

(moby daemon/config/config.go, registry/config.go)
"""

import os
import re
from collections.abc import Iterator, Mapping
from shlex import quote

from credhelpers import permissions, process
from credhelpers.clients import docker_daemon, sed_command
from credhelpers.clients.docker_daemon import INSECURE, texts
from credhelpers.finding import Finding, fail, ok

CHECK = "dockerd config"

_DOES_NOT_START = "so dockerd does not start"
_CLIENT_KEYS = ("credsStore", "credHelpers", "auths", "HttpHeaders", "currentContext")
_LISTS = ("registry-mirrors", INSECURE)
_HOST = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d+)?|[0-9a-fA-F.:]+/\d+"
)
_REFUSAL = "unable to configure the Docker daemon with file"
_SECONDS = 3.0
_LARGEST = 1 << 16  # bytes


def check(
    path: str, program: str | None, version: tuple[int, ...], environ: Mapping[str, str]
) -> tuple[dict[str, object], list[Finding]]:
    """Check a daemon.json.

    Args:
        path: Where it is.
        program: dockerd, which newer versions let validate it; None when it is not installed.
        version: Its version; empty when it is not known.
        environ: The environment.

    Returns:
        What the file says, as far as it is valid; and the findings.
    """
    try:
        content = docker_daemon.read(path)
    except PermissionError as error:
        return {}, [fail(CHECK, "unreadable", f"cannot read {path}", permissions.to_read(path, error))]
    except (OSError, ValueError, RecursionError) as error:
        return {}, [_invalid(path, f"is not valid JSON ({str(error).partition(': line')[0]})")]
    if content is None and version < (23,):
        return {}, [_invalid(path, "is empty")]
    content = {} if content is None else content
    if not isinstance(content, dict):
        return {}, [_invalid(path, "is not a JSON object")]
    found = [*_client_keys(path, content), *_types(path, content), *_insecure(path, content)]
    if content.get("proxies") and not found and version and version < (23,):
        text = f"{path} has proxies, which dockerd before 23 does not take, {_DOES_NOT_START}"
        return {}, [fail(CHECK, "refused", text, sed_command.drop_member(path, "proxies"))]
    found = found or _refused(path, program, version, environ)
    return content, found or [ok(CHECK, f"dockerd can read {path}")]


def _invalid(path: str, what: str) -> Finding:
    remedy = permissions.for_owner(permissions.to_move_away(path), path)
    return fail(CHECK, "invalid", f"{path} {what}, {_DOES_NOT_START}", remedy)


def _client_keys(path: str, content: dict[str, object]) -> Iterator[Finding]:
    """Find keys of the CLI's config.json, which dockerd refuses."""
    proxies = content.get("proxies")
    is_clients = isinstance(proxies, dict) and any(isinstance(value, dict) for value in proxies.values())
    for key in [*filter(content.__contains__, _CLIENT_KEYS), *(["proxies"] if is_clients else [])]:
        value = content[key]
        text = f"{path} has {key}, which belongs into Docker's config.json, {_DOES_NOT_START}"
        if key == "credsStore" and isinstance(value, str):
            text += f"; to put it there: credhelpers configure --store {quote(value)}"
        yield fail(CHECK, "client-key", text, sed_command.drop_member(path, key))


def _types(path: str, content: dict[str, object]) -> Iterator[Finding]:
    for key in _LISTS:
        if isinstance(content.get(key), str):
            pattern = rf'"{key}"\([[:space:]]*:[[:space:]]*\)\("[^"]*"\)'
            remedy = sed_command.substitute(path, pattern, rf'"{key}"\1[\2]')
            yield fail(CHECK, "not-a-list", f"{key} in {path} is not a list, {_DOES_NOT_START}", remedy)


def _insecure(path: str, content: dict[str, object]) -> Iterator[Finding]:
    """Find entries of insecure-registries that are neither a host, with a port or not, nor a network."""
    for entry in texts(content, INSECURE):
        rest = re.sub(r"^https?://", "", entry, count=1, flags=re.IGNORECASE)  # dockerd takes these away
        if _HOST.fullmatch(rest):
            continue
        shown = rest.rpartition("@")[2]  # without a password
        host = shown.rpartition("://")[2].partition("/")[0]
        text = f"insecure-registries in {path} has {shown}, which is not a host and port, {_DOES_NOT_START}"
        if "@" in rest:
            remedy = sed_command.substitute(path, f'"[^"]*@{sed_command.escaped(shown)}"', f'"{host}"')
        elif _HOST.fullmatch(host):
            remedy = sed_command.replace(path, f'"{entry}"', f'"{host}"')
        else:
            remedy = sed_command.drop_element(path, entry)
        yield fail(CHECK, "insecure-registry", text, remedy)


def _refused(
    path: str, program: str | None, version: tuple[int, ...], environ: Mapping[str, str]
) -> list[Finding]:
    """Let dockerd itself validate the file, which versions since 23 do."""
    if not program or version < (23,):
        return []
    command = [program, "--validate", f"--config-file={path}"]
    try:
        outcome = process.run(command, environ, b"", _SECONDS, _LARGEST, new_session=True)
    except OSError:
        return []
    said = (outcome.output + outcome.errors).decode(errors="replace")
    line = next((line for line in said.splitlines() if _REFUSAL in line), "")
    if not line:
        return []
    reason = line.partition(_REFUSAL)[2].partition(": ")[2].rstrip("\"'")
    remedy = permissions.for_owner(permissions.to_move_away(os.path.realpath(path)), path)
    return [fail(CHECK, "refused", f"dockerd refuses {path}: {reason}", remedy)]
