"""The helpers that podman's files name: whether they can be started, and are named where podman looks."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from shlex import quote

from credhelpers.cli.shared.helper_programs import helper_beside, put_first
from credhelpers.clients import podman, sed_command
from credhelpers.clients.containers_auth import HUB, is_dockers, server_name
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.clients.registries_conf import AUTH_FILES, RegistriesConf
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.servers import HUB_KEY
from credhelpers.stores.auto.external import PREFIX, ExternalStore, find_helper

CHECK = "podman helpers"

_LIST_SECONDS = 3.0


def check(config: RegistriesConf, files: list[DockerConfig], environ: Mapping[str, str]) -> list[Finding]:
    """Check the helpers of registries.conf and of the auth files.

    Args:
        config: What registries.conf and its drop-ins say.
        files: The auth files that exist, Docker's config.json among them.
        environ: The environment of these clients.
    """
    external = [name for name in config.asked if name != AUTH_FILES]
    found = [
        *_missing(config, files, environ),
        *_overridden(config),
        *_without_files(config, files),
        *_dockers_only(config, files),
        *(finding for name in external for finding in _listed(name, config, environ)),
    ]
    named = f"podman asks {', '.join(config.asked)}"
    return found or [ok(CHECK, f"{named}, in this order" if external else "podman asks the auth files alone")]


def _missing(
    config: RegistriesConf, files: list[DockerConfig], environ: Mapping[str, str]
) -> Iterator[Finding]:
    """Find helpers that cannot be started; podman then fails where no other source has a credential."""
    named = {name: config.helpers[-1][0] for name in config.asked if config.helpers and name != AUTH_FILES}
    for file in files:
        if not is_dockers(file.path):
            named |= dict.fromkeys(file.cred_helpers.values(), file.path)
    for name, path in named.items():
        if find_helper(name, environ):
            continue
        short = name.removeprefix(PREFIX)
        text = f"{path} names {name}, but {PREFIX}{name} is not on PATH, so the pull fails"
        if short != name and find_helper(short, environ):
            yield fail(CHECK, "full-name", text, sed_command.replace(path, f'"{name}"', f'"{short}"'))
        elif beside := helper_beside(name):
            yield fail(CHECK, "missing", text, put_first(beside))
        else:
            yield fail(CHECK, "missing", text, f"install {PREFIX}{name}, or name another helper in {path}")


def _overridden(config: RegistriesConf) -> Iterator[Finding]:
    """Find settings of credential-helpers that do not count, because a later file has its own."""
    for path, former in config.hidden:
        if not set(former) - set(config.asked):
            continue
        text = f"podman does not read {path}, because the user has a registries.conf of their own"
        own = quote(config.paths[0] + ".d")
        yield warn(CHECK, "hidden", text, f"mkdir -p {own} && cp {quote(path)} {own}/")
    if not config.helpers:
        return
    last, value = config.helpers[-1]
    for path, former in config.helpers[:-1]:
        if set(former) - set(value):
            text = f"{last} comes later than {path} and replaces its credential-helpers"
            remedy = sed_command.substitute(last, "^[[:space:]]*credential-helpers[[:space:]]*=", "# &")
            yield warn(CHECK, "overridden", text, remedy)
            return


def _without_files(config: RegistriesConf, files: list[DockerConfig]) -> Iterator[Finding]:
    used = [file.path for file in files if file.cred_helpers or file.plaintext()]
    if AUTH_FILES in config.asked or not used:
        return
    path = config.helpers[-1][0]
    text = f"credential-helpers of {path} lacks {AUTH_FILES}, so podman does not read {', '.join(used)}"
    pattern = r"^\([[:space:]]*credential-helpers[[:space:]]*=[^]]*[^] ,]\),*[[:space:]]*\]"
    yield warn(CHECK, "no-auth-files", text, sed_command.substitute(path, pattern, rf'\1, "{AUTH_FILES}"]'))


def _dockers_only(config: RegistriesConf, files: list[DockerConfig]) -> Iterator[Finding]:
    """Find helpers that Docker asks and podman does not: the credsStore, and that of Docker Hub's key."""
    if any(name != AUTH_FILES for name in config.asked):
        return
    for file in files:
        if not is_dockers(file.path):
            continue
        hub = file.cred_helpers.get(HUB_KEY, "") if HUB not in file.cred_helpers else ""
        if name := file.creds_store or hub:
            what = "credsStore" if file.creds_store else HUB_KEY
            text = f"Docker asks {name} because of {what} in {file.path}, which podman does not know"
            yield warn(CHECK, "docker-only", text, f"credhelpers configure --podman --store {quote(name)}")


def _listed(name: str, config: RegistriesConf, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Find keys for which `podman --remote` fails: since 4.0 it sends every entry, and refuses such keys.

    podman, buildah and skopeo on the machine itself ask for one registry, and never for the list.
    (containers/image pkg/docker/config: GetAllCredentials, validateKey)
    """
    path = find_helper(name, environ)
    if not path:
        return
    try:
        keys = ExternalStore(path, environ, _LIST_SECONDS, lambda _: None).list()
    except CredentialError as error:
        yield fail(CHECK, "list", error.cause, error.remedy)
        return
    refused = [key for key in keys if _is_refused(key)]
    if refused:
        text = (
            f"podman --remote pull, push, build and search fail, because {PREFIX}{name} lists"
            f" {', '.join(refused)}; podman without --remote, buildah and skopeo work"
        )
        yield warn(CHECK, "list-keys", text, _each_by_name(name, keys, config, environ))


def _each_by_name(
    helper: str, keys: Iterable[str], config: RegistriesConf, environ: Mapping[str, str]
) -> str:
    """Return how to name a helper for each registry, which leaves no list to ask for."""
    path, auths = config.helpers[-1][0], podman.lasting_auth_path(environ)
    stop = sed_command.substitute(path, "^[[:space:]]*credential-helpers[[:space:]]*=", "# &")
    if os.path.realpath(path) == os.path.realpath(podman.store_path(environ)):
        stop = "credhelpers configure --no-podman"
    servers = dict.fromkeys(map(server_name, keys), helper)
    if os.path.exists(auths):
        return f"if you use it: {stop}; then name {helper} for each registry in credHelpers of {auths}"
    text = quote(json.dumps({"credHelpers": servers}))
    folder = quote(os.path.dirname(auths))
    return f"if you use it: {stop} && mkdir -p {folder} && printf '%s\\n' {text} >{quote(auths)}"


def _is_refused(key: str) -> bool:
    return key.startswith(("http://", "https://")) or "@" in key or ":" in key.partition("/")[2]
