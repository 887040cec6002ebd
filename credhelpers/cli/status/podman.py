"""Which credentials podman, skopeo and buildah would use, where they are set up.

The first place in their order that has one ends the search; a file's credHelpers come before its secrets.
(containers/image pkg/docker/config: getCredentialsWithHomeDir, findCredentialsInFile)
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from credhelpers.cli.status.choice import Lists
from credhelpers.cli.status.rows import Row, row_of
from credhelpers.clients import registries_conf
from credhelpers.clients.containers_auth import auth_paths, is_dockers, own_auth_paths, server_name
from credhelpers.clients.docker_config import DockerConfig, hostname_of
from credhelpers.clients.registries_conf import AUTH_FILES
from credhelpers.config import Settings
from credhelpers.servers import candidate_keys, split_scheme
from credhelpers.stores.auto.external import PREFIX
from credhelpers.suite import ECR

_Candidates = Iterator[tuple[str, str, Row]]
"""What podman asks for, the place in the words of a row that it shadows, and the row itself."""


@dataclass(frozen=True)
class Sources:
    """Where these clients look.

    Attributes:
        asked: The helpers of registries.conf in their order, with `AUTH_FILES` among them.
        files: The auth files that exist, in their order.
    """

    asked: list[str]
    files: list[DockerConfig]

    @property
    def helpers(self) -> list[str]:
        """The helpers that are asked for any server."""
        named = [helper for file in self.files for helper in file.cred_helpers.values() if helper]
        return [*(name for name in self.asked if name != AUTH_FILES), *named]


def read_sources(environ: Mapping[str, str]) -> Sources:
    """Read the files of these clients; without an auth.json and helpers of their own there is nothing.

    Raises:
        CredentialError: A file is not valid, or cannot be read.
    """
    config, own = registries_conf.read(environ, "/"), own_auth_paths(environ)
    if not config.helpers and not any(map(os.path.exists, own)):
        return Sources([], [])
    paths = [path for path in auth_paths(environ) if path in own or is_dockers(path)]
    files = map(DockerConfig.read, paths)
    return Sources(config.asked, [file for file in files if file.exists])


def rows(sources: Sources, listed: Lists, settings: Settings) -> Iterator[Row]:
    """Yield a row for each credential that these clients use, and for each that they pass over.

    Args:
        sources: Where they look.
        listed: What the helpers list.
        settings: The configuration of the helpers.
    """
    used: dict[str, str] = {}  # the place that answers, by what is asked for
    seen = set()
    for candidates in _places(sources, listed, settings):
        before = dict(used)  # a path is looked for before its host in a file, but not in a later one
        for name, place, row in candidates:
            if (row.server, row.helper) in seen:
                continue
            seen.add((row.server, row.helper))
            shadow = before.get(name) or before.get(hostname_of(name), "") or row.shadowed_by
            yield replace(row, client="podman", shadowed_by=shadow)
            if row.kind and not row.shadowed_by:
                used.setdefault(name, place)


def _places(sources: Sources, listed: Lists, settings: Settings) -> Iterator[_Candidates]:
    for helper in sources.asked:
        if helper != AUTH_FILES:
            yield _listed(helper, listed.get(helper) or {}, settings)
            continue
        for file in sources.files:
            yield _in_cred_helpers(file, listed, settings)
            yield _in_file(file)


def _listed(helper: str, usernames: Mapping[str, str], settings: Settings) -> _Candidates:
    for key, username in usernames.items():
        name = server_name(key)
        answer = _key_for(name, usernames)
        shadow = "" if key == answer else f"the key {answer or name}"
        yield name, PREFIX + helper, row_of(key, helper, username, settings, shadow)


def _key_for(name: str, usernames: Mapping[str, str]) -> str:
    """Return the key under which a helper has what it is asked for; empty when it has nothing."""
    return next((key for key in candidate_keys(name) if key in usernames), "")


def _in_cred_helpers(file: DockerConfig, listed: Lists, settings: Settings) -> _Candidates:
    for server, helper in file.cred_helpers.items():
        usernames = listed.get(helper)
        if not helper or usernames is None or server != server_name(server):
            continue  # doctor reports it
        place, key = f"{PREFIX}{helper} in credHelpers", _key_for(server, usernames)
        if key or helper == ECR.name:
            row = row_of(key or server, helper, usernames.get(key, "AWS"), settings, "")
        else:
            row = Row(server, helper, helper, "", "", note="the helper lists nothing for it")
        yield server, place, row


def _in_file(file: DockerConfig) -> _Candidates:
    secrets = file.plaintext()
    for key, secret in secrets.items():
        name = _name_in(file, key)
        same = [other for other in secrets if _name_in(file, other) == name]
        answer = name if name in same else same[0]
        helper = file.cred_helpers.get(hostname_of(name), "")
        shadow = (
            f"{PREFIX}{helper} in credHelpers" if helper else "" if key == answer else f"the key {answer}"
        )
        row = Row(key, file.path, file.path, secret.credential.username, secret.kind, plaintext=True)
        yield name, file.path, replace(row, shadowed_by=shadow)


def _name_in(file: DockerConfig, key: str) -> str:
    """Return what a key of a file is for: a host, or in an auth.json also a path below it."""
    scheme, place = split_scheme(key)
    return server_name(key) if scheme or is_dockers(file.path) or "/" not in place else place
