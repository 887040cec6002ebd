"""The path that Docker takes for a server, from config.json to the answer, and what is found along it."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from shlex import quote

from credhelpers.cli.doctor import aws, ecr, state
from credhelpers.cli.doctor.answer import ANSWER, check_answer, see_why
from credhelpers.cli.doctor.docker import check_config
from credhelpers.cli.doctor.executable import OURS, Executable, all_on_path, check_executable
from credhelpers.cli.shared import ecr_tokens
from credhelpers.cli.shared.bounded import Child, Tasks
from credhelpers.cli.shared.ecr_tokens import Cached
from credhelpers.cli.shared.plan import Hop, Plan
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.config import Settings
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.store import Place
from credhelpers.stores.auto.external import PREFIX
from credhelpers.suite import AUTO, BUILT_IN, ECR, HELPERS

SECONDS = 8.0
"""How long all of it may take; with the start of the command that is less than the ten that are promised."""

_HELPER = "helper"
_PLACES = {
    name: helper.place
    for helper in HELPERS.values()
    if helper.place
    for name in (helper.name, *helper.place.others)
}
"""Where a helper keeps credentials, whoever wrote that helper."""


def diagnose(
    config_path: str, server: str | None, environ: Mapping[str, str]
) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found, subject by subject, in the order of Docker's path.

    Args:
        config_path: Docker's config.json.
        server: The server to follow; None for all that are configured.
        environ: The environment, which Docker is taken to have too.
    """
    config, found = check_config(config_path, environ.get("PATH", ""))
    yield "Docker", found
    values, found = state.check_settings(environ)
    if config is None:
        yield "credhelpers", found
        return
    settings = Settings(values)
    plan = Plan(config, server, environ, settings)
    if ECR.name in plan.all_helpers:
        found.append(state.check_cache(environ))
    yield "credhelpers", [*found, state.check_log(environ, plan.all_helpers)]
    yield from _Diagnosis(config, plan, environ, values).sections()


class _Diagnosis:
    def __init__(
        self, config: DockerConfig, plan: Plan, environ: Mapping[str, str], values: dict[str, str]
    ) -> None:
        self._config = config
        self._plan = plan
        self._environ = environ
        self._values = values
        self._settings = Settings(values)
        self._deadline = time.monotonic() + SECONDS
        kept = {
            hop: ecr_tokens.cached(hop.server, environ, self._settings)
            for hop in plan.hops
            if hop.target == ECR.name
        }
        self._kept = {hop: cached for hop, cached in kept.items() if cached}
        # Before anybody asks, for the asking leaves its own traces there.
        self._cached = {hop: ecr.check_cached(cached, self._settings) for hop, cached in self._kept.items()}
        self._child = self._ask_amazon()
        self._executables: Tasks[tuple[Executable | None, list[Finding]]] = Tasks(self._deadline)
        self._findings: Tasks[list[Finding]] = Tasks(self._deadline)
        self._start()

    def sections(self) -> Iterator[tuple[str, list[Finding]]]:
        for name in self._names():
            executable = self._executables.result(name)
            late = (
                None,
                [
                    fail(
                        "on PATH",
                        f"{PREFIX}{name} does not tell its version",
                        f"see why: {PREFIX}{quote(name)} version",
                    )
                ],
            )
            yield PREFIX + name, (executable or late)[1]
        for place in self._places():
            silent = fail(place.name, f"the {place.name} does not answer", place.remedy)
            yield place.name, self._findings.result(place.name) or [silent]
        yield from self._amazon()
        for hop in self._plan.hops:
            yield hop.server, self._server(hop)

    def _looking_for(self, name: str) -> Callable[[], tuple[Executable | None, list[Finding]]]:
        return lambda: check_executable(name, self._environ, self._plan.instead(name))

    def _names(self) -> list[str]:
        """Return the helpers that are started: those that auto has built in are not."""
        behind = [hop.target for hop in self._plan.hops if hop.helper == AUTO.name]
        external = [name for name in behind if name not in (*BUILT_IN, AUTO.name)]
        return list(dict.fromkeys([*self._plan.helpers, *external]))

    def _places(self) -> list[Place]:
        return list(dict.fromkeys(_PLACES[name] for name in self._plan.all_helpers if name in _PLACES))

    def _ask_amazon(self) -> Child | None:
        """Let a child ask for each identity and region once; it has to be there before the first thread."""
        works = {kept.name: _inquiry(kept, self._values, self._environ) for kept in self._kept.values()}
        return Child(works) if works else None

    def _start(self) -> None:
        """Start all that may have to wait, at once."""
        for name in self._names():
            self._executables.start(name, self._looking_for(name))
        for place in self._places():
            self._findings.start(place.name, partial(place.check, self._environ))
        for hop in self._plan.hops:
            path = next(iter(all_on_path(hop.helper, self._environ)), None) if hop.helper else None
            if path:
                self._findings.start(
                    f"answer {hop.server}", _question(path, hop, self._environ, self._deadline)
                )

    def _amazon(self) -> Iterator[tuple[str, list[Finding]]]:
        results, done = self._child.results(self._deadline) if self._child else ({}, set())
        hosts: dict[str, list[str]] = {}
        for kept in self._kept.values():
            hosts.setdefault(kept.name, []).append(kept.registry.host)
        for name, served in hosts.items():
            found = [Finding(**fields) for fields in results.get(name, [])]
            if name not in done:
                check = aws.PERMISSION if found else aws.IDENTITY
                text = f"AWS and what leads to its credentials did not answer within {SECONDS:g} s"
                found.append(fail(check, text, "check the network to the ECR, STS and metadata endpoints"))
            yield f"AWS for {', '.join(served)}", found

    def _server(self, hop: Hop) -> list[Finding]:
        if not hop.helper:
            return [self._in_the_file(hop.server)]
        behind = f", which asks {hop.target}" if hop.target != hop.helper else ""
        found = [ok(_HELPER, f"Docker asks {PREFIX}{hop.helper}{behind}")]
        if hop.target == ECR.name:
            instead = self._plan.instead(hop.target, hop.server)
            found.append(ecr.check_host(hop.server, self._settings, instead))
            executable = self._executables.result(hop.helper)
            if executable and executable[0] and executable[0].owner == OURS:
                found += self._cached.get(hop, [])
        else:
            found += ecr.check_look_alike(hop.server, self._settings)
        if not all_on_path(hop.helper, self._environ):
            return [*found, fail(ANSWER, f"{PREFIX}{hop.helper} cannot be asked: it is not on PATH")]
        answer = self._findings.result(f"answer {hop.server}")
        text = f"{PREFIX}{hop.helper} did not answer within {SECONDS:g} s"
        return [*found, *(answer or [fail(ANSWER, text, see_why(PREFIX + hop.helper, hop.server))])]

    def _in_the_file(self, server: str) -> Finding:
        secret = self._config.plaintext_for(server)
        if secret is None:
            text = f"no helper is asked about {server}, and config.json has no credential for it"
            return warn(_HELPER, text, "credhelpers configure --store auto")
        text = f"no helper is asked: the {secret.kind} for {server} stands in config.json in plain text"
        return warn(_HELPER, text, "credhelpers migrate --to pass")


def _inquiry(
    kept: Cached, values: Mapping[str, str], environ: Mapping[str, str]
) -> Callable[[], Iterator[object]]:
    return lambda: aws.ask(kept.registry, kept.chosen, values, environ)


def _question(
    path: str, hop: Hop, environ: Mapping[str, str], deadline: float
) -> Callable[[], list[Finding]]:
    needed = hop.target == ECR.name

    def ask() -> list[Finding]:
        seconds = max(0.1, round(deadline - time.monotonic() - 0.3, 1))  # so that its own end is told
        return [check_answer(path, hop.server, environ, seconds, is_ecr=needed)]

    return ask
