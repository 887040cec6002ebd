"""The plan of setup: which steps there are, in the order in which every pull works at every moment."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from credhelpers.cli.setup import sources, switch
from credhelpers.cli.setup.store import StorePlan
from credhelpers.cli.setup.survey import Survey
from credhelpers.cli.shared import ecr_logins, output
from credhelpers.cli.shared.helper_programs import helper_for
from credhelpers.cli.shared.migration import Found
from credhelpers.cli.shared.progress import progress
from credhelpers.clients import nomad, podman
from credhelpers.clients.containers_auth import own_auth_paths
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.former_helpers import scrub
from credhelpers.clients.shared_file import Change, read_if_exists, sweep
from credhelpers.credential import Credential, CredentialError
from credhelpers.servers import split_scheme
from credhelpers.stores.auto.external import PREFIX

_ROUNDS = 10


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Attributes:
        store: The helper that clients are to ask.
        config_path: Docker's config.json.
        for_podman: Whether podman, buildah and skopeo are set up.
        nomad_directory: Nomad's configuration; empty where no Nomad client is set up.
        system_path: The configuration of the helpers for every user.
        as_json: Whether people read what is done.
    """

    store: str
    config_path: str
    for_podman: bool
    nomad_directory: str
    system_path: str
    as_json: bool


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        id: Its name in reports.
        text: What it does.
        run: Does it, and returns a line for each thing that was done.
    """

    id: str
    text: str
    run: Callable[[click.Context], list[str]]


class CopyFailed(CredentialError):
    """Credentials that cannot be kept in the store, so that no client is pointed at it.

    Attributes:
        failed: The reason for each.
    """

    def __init__(self, failed: dict[str, CredentialError]) -> None:
        super().__init__(
            f"these credentials cannot be copied: {', '.join(failed)}; no client's configuration was changed"
        )
        self.failed = failed


@dataclass
class Plan:
    """All steps, in their order.

    Attributes:
        request: What is asked for.
        survey: What is there.
        store: How the store is made ready.
        warnings: What the user should know.
    """

    request: Request
    survey: Survey
    store: StorePlan
    warnings: list[CredentialError] = field(default_factory=list)
    _copied: dict[str, Credential] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._former = self.survey.helper
        self.foreign_stanza = self._foreign_stanza()
        self._check_podman()
        found, warnings = sources.in_use(self.survey.config, self.request.store)
        self.warnings += warnings
        items = [*found, *self._in_podman()]
        self.servers = list(dict.fromkeys(item.server for item in items))
        self._tokens = {item.server for item in items if ecr_logins.is_token(item)}

    def steps(self) -> list[Step]:
        """Return the steps; what is done already is left out, but for the test of the store."""
        request, helper = self.request, f"{PREFIX}{self.request.store}"
        steps = [Step("store", self.store.text, self.store.prepare)]
        copied = [server for server in self.servers if server not in self._tokens]
        texts = [f"copy into it, and read back, the credentials of {', '.join(copied)}"] if copied else []
        if self._tokens:
            texts.append(f"get another token for {', '.join(sorted(self._tokens))}, because the old one ends")
        if texts:
            steps.append(Step("copy", "; ".join(texts), self._copy))
        steps += self._nomad_steps()
        if request.for_podman:
            path = podman.store_path(os.environ)
            if _changes(path, podman.set_store(path, request.store)):
                text = f"{path}: podman, buildah and skopeo ask {helper} first"
                steps.append(Step("podman", text, self._switch_podman))
        if self.survey.config.creds_store != request.store:
            secrets = "; the copied secrets are removed from it" if self.survey.config.plaintext() else ""
            text = f"{request.config_path}: Docker asks {helper}{secrets}"
            steps.append(Step("docker", text, self._switch_docker))
        for path in self._auth_paths:
            if DockerConfig.read(path).plaintext():
                steps.append(
                    Step("podman-auth", f"{path}: the copied secrets are removed", self._emptier(path))
                )
        return steps

    def _nomad_steps(self) -> list[Step]:
        """Return the steps for Nomad: first what helpers answer, because every error ends a task."""
        request, steps = self.request, []
        if not request.nomad_directory:
            return []
        path = request.system_path
        if _changes(path, nomad.answer_empty(path)):
            text = f'{path}: not_found = "empty", so that Nomad pulls public images'
            steps.append(Step("not-found", text, self._answer_empty))
        path = self._stanza_path
        if not self.foreign_stanza and _changes(
            path, nomad.write_stanza(request.nomad_directory, request.store)
        ):
            text = f"{path}: Nomad's docker driver asks {PREFIX}{request.store}"
            steps.append(Step("nomad", text, self._switch_nomad))
        return steps

    def clean(self) -> None:
        """Remove what runs that were killed have left, which may have secrets in it."""
        scrub(self.request.config_path)
        others = [self.request.system_path, self._stanza_path] if self.request.nomad_directory else []
        if self.request.for_podman:
            others.append(podman.store_path(os.environ))
        for path in self._auth_paths:
            scrub(path)
        for path in others:
            sweep(path)

    @property
    def is_done(self) -> bool:
        """Whether only the test of a store that exists is left."""
        return len(self.steps()) == 1 and not self.store.is_new

    def _copy(self, context: click.Context) -> list[str]:
        del context
        docker = DockerConfig.read(self.request.config_path)
        self._former = helper_for(docker, "")
        found, _ = sources.in_use(docker, self.request.store)
        items = [*found, *self._in_podman()]
        with progress("Copying", len(items), shown=not self.request.as_json) as advance:
            outcome = sources.copy(items, self.request.store, advance, overwrite=not self._is_asked())
        if outcome.failed:
            raise CopyFailed(outcome.failed)
        self._copied = outcome.moved | outcome.renewed
        own = f"{PREFIX}{self.request.store} has a token of its own for"
        return [
            *(f"{server} is in the store" for server in outcome.moved),
            *(f"{own} {server}" for server in outcome.renewed),
        ]

    def _switch_docker(self, context: click.Context) -> list[str]:
        path, store, before = self.request.config_path, self.request.store, self.survey.config
        exists = os.path.exists(path)

        def attempt() -> bool:
            try:
                return switch.switch_docker(path, store, self._copied, self._former)
            except switch.Newer:
                self._copy(context)
                raise

        if not switch.until_stable(_ROUNDS, attempt):
            return []
        if self._former:  # a login that it has kept since
            late = [item for item in sources.in_use(before, store)[0] if item.server not in self._copied]
            failed = sources.copy(late, store, lambda: None, overwrite=False).failed if late else {}
            self.warnings += [
                CredentialError(f"{name}: {error.cause}", error.remedy) for name, error in failed.items()
            ]
        return [f"{path}: changed" if exists else f"{path}: created"]

    def _switch_podman(self, context: click.Context) -> list[str]:
        del context
        path = podman.store_path(os.environ)
        return [f"{path}: written"] if switch.switch_podman(path, self.request.store) else []

    def _emptier(self, path: str) -> Callable[[click.Context], list[str]]:
        return lambda _: [f"{path}: changed"] if switch.empty_auths(path, self._copied) else []

    def _answer_empty(self, context: click.Context) -> list[str]:
        del context
        path = self.request.system_path
        return [f"{path}: changed"] if switch.answer_empty(path) else []

    def _switch_nomad(self, context: click.Context) -> list[str]:
        del context
        path = self._stanza_path
        changed = switch.switch_nomad(path, self.request.store)
        return [f"{path}: written; restart the Nomad client"] if changed else []

    @property
    def _auth_paths(self) -> list[str]:
        """Podman's files; none where podman is left as it is."""
        return own_auth_paths(os.environ) if self.request.for_podman else []

    @property
    def _stanza_path(self) -> str:
        return os.path.join(self.request.nomad_directory, nomad.FILE_NAME)

    def _foreign_stanza(self) -> str | None:
        """Return another file that configures Nomad's docker driver, and warn of it."""
        directory = self.request.nomad_directory
        path = nomad.file_with_stanza(directory) if directory else None
        if path:
            line = f'auth {{ helper = "{self.request.store}" }}'
            warning = f'{path} has a stanza for plugin "docker" already, and Nomad reads only one'
            self.warnings.append(CredentialError(warning, f"put {line} into its config block"))
        return path

    def _in_podman(self) -> list[Found]:
        """Return the secrets in podman's files; of two for a server the one that it finds first."""
        found: dict[str, Found] = {}
        for path in self._auth_paths:
            auths = DockerConfig.read(path)
            for item in sources.in_file(auths, lambda server: True):
                if docker_key(item.server) not in auths.cred_helpers:
                    found.setdefault(item.server, item)
        return list(found.values())

    def _check_podman(self) -> None:
        """Refuse what podman's helpers cannot keep: a credential for a part of a registry.

        Raises:
            CredentialError: There is one.
        """
        for path in self._auth_paths:
            for name in DockerConfig.read(path).plaintext():
                if "/" in split_scheme(name)[1].rstrip("/"):
                    raise CredentialError(
                        f"{path} has a credential for {name}, and helpers keep one for a whole registry only",
                        "leave podman as it is: --no-podman",
                    )

    def _is_asked(self) -> bool:
        """Return whether a client asks the store already, so that what it has must stay."""
        docker, store = DockerConfig.read(self.request.config_path), self.request.store
        names = [helper_for(docker, ""), *docker.cred_helpers.values()]
        names.append(podman.store_in(read_if_exists(podman.store_path(os.environ))) or "")
        if self.request.nomad_directory:
            names.append(nomad.helper_in(read_if_exists(self._stanza_path)) or "")
        return store in names


def _changes(path: str, change: Change) -> bool:
    content = read_if_exists(path)
    return change(content) != content


def show(plan: Plan) -> None:
    """Show what was found, and the steps."""
    for sentence in plan.survey.sentences():
        output.say(sentence[:1].upper() + sentence[1:] + ".")
    if plan.is_done:
        output.say("Nothing has to be changed.")
        return
    output.say("This will be done:")
    for number, step in enumerate(plan.steps(), 1):
        output.say(f"{number:3}. {step.text}")
