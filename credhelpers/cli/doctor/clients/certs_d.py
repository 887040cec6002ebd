"""certs.d of dockerd: folders that never match, and files that are not read.

(docs.docker.com, "Verify repository client with certificates"; moby registry/registry.go ReadCertsDirectory)
"""

import os
import ssl
from collections.abc import Iterator
from shlex import quote

from credhelpers import permissions
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.clients.docker_config import DockerConfig, docker_config_path, hostname_of
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding, fail, ok, warn

CHECK = "certs.d"

_AUTHORITY_LIKE = (".pem", ".cer", ".ca", ".crt.pem")


def check(folders: list[str], machine: Machine) -> list[Finding]:
    """Check each folder of a registry.

    Args:
        folders: The folders named certs.d.
        machine: The server to follow, and where Docker's config.json is.
    """
    places = [os.path.join(top, name) for top in folders for name in _names(top)]
    found = [finding for place in places for finding in _files(place)]
    servers = _servers(machine) if places else []
    found += [finding for server in servers for finding in _unmatched(server, places)]
    return found or ([ok(CHECK, f"it has {', '.join(map(os.path.basename, places))}")] if places else [])


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name)))
    except OSError:
        return []


def _servers(machine: Machine) -> list[str]:
    """Return the registries in use, as Docker spells them."""
    if machine.server:
        return [hostname_of(machine.server)]
    try:
        config = DockerConfig.read(docker_config_path(machine.environ))
    except CredentialError:
        return []
    return list(dict.fromkeys(map(hostname_of, (*config.cred_helpers, *config.auths))))


def _unmatched(server: str, places: list[str]) -> Iterator[Finding]:
    """Find the folder that is meant for a registry and lacks its port, or has one too many."""
    names = {os.path.basename(place): place for place in places}
    host, _, port = server.partition(":")
    meant = host if port else next((name for name in names if name.startswith(f"{host}:")), "")
    if server in names or meant not in names:
        return
    place = names[meant]
    text = f"{place} is not for {server}: the name of the folder has to be the same, with the port"
    better = os.path.join(os.path.dirname(place), server)
    yield warn(CHECK, "other-port", text, permissions.for_owner(f"mv {quote(place)} {quote(better)}", place))


def _files(place: str) -> Iterator[Finding]:
    try:
        names = sorted(os.listdir(place))
    except OSError as error:
        text = f"cannot read {place}, which only dockerd can then use"
        yield warn(CHECK, "unreadable", text, permissions.to_read(place, error))
        return
    for name in names:
        path, (stem, suffix) = os.path.join(place, name), os.path.splitext(name)
        if suffix == ".cert" and f"{stem}.key" not in names:
            yield _lacks(path, name, f"{stem}.key", place)
        elif suffix == ".key" and f"{stem}.cert" not in names:
            yield _lacks(path, name, f"{stem}.cert", place)
        elif suffix == ".crt":
            yield from _authority(path)
        elif suffix in _AUTHORITY_LIKE and _is_certificate(path):
            better = os.path.join(place, f"{stem}.crt")
            text = f"Docker does not read {path}: the name of an authority's certificate ends with .crt"
            remedy = permissions.for_owner(f"mv {quote(path)} {quote(better)}", path)
            yield warn(CHECK, "suffix", text, remedy)


def _lacks(path: str, name: str, other: str, place: str) -> Finding:
    text = f"{place} has {name} and not {other}, so every pull from {os.path.basename(place)} fails"
    if _is_certificate(path) and name.endswith(".cert"):
        better = path.removesuffix(".cert") + ".crt"
        remedy = permissions.for_owner(f"mv {quote(path)} {quote(better)}", path)
        text += "; that of an authority ends with .crt"
        return fail(CHECK, "half-a-pair", text, remedy)
    return fail(CHECK, "half-a-pair", text, permissions.for_owner(permissions.to_move_away(path), path))


def _authority(path: str) -> Iterator[Finding]:
    if not os.access(path, os.R_OK) or _is_certificate(path):
        return
    text = f"{path} is not a certificate in PEM form, so Docker does not trust the registry"
    real = quote(os.path.realpath(path))
    remedy = permissions.for_owner(f"openssl x509 -inform der -in {real} -out {real}", path)
    yield warn(CHECK, "not-pem", text, remedy)


def _is_certificate(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ssl.SSLError):
        return False
    return True
