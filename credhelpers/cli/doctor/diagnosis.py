"""The path that Docker takes for a server, from config.json to the answer, and what is found along it."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from shlex import quote

from credhelpers.cli.doctor import aws, ecr, ecr_public, state
from credhelpers.cli.doctor import registry as registries
from credhelpers.cli.doctor.answer import ANSWER, Answer, check_answer, see_why
from credhelpers.cli.doctor.clients.examination import CLIENTS, Examination
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.docker import check_config
from credhelpers.cli.doctor.docker_auth_config import check_environment, taken_first
from credhelpers.cli.doctor.executable import ON_PATH, OURS, Executable, all_on_path, check_executable
from credhelpers.cli.shared import ecr_logins, ecr_tokens, options
from credhelpers.cli.shared.bounded import Tasks
from credhelpers.cli.shared.plan import Hop, Plan
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.config import Settings
from credhelpers.credential import Fix
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.store import Place
from credhelpers.stores.auto.external import PREFIX
from credhelpers.suite import AUTO, BUILT_IN, ECR, HELPERS

SECONDS = 7.5
"""How long all checks may take; with the start of the command less than the promised ten."""

DOCKER = "docker"
"""The name of Docker's CLI among the clients."""

_HELPER = "helper"
_PLACES = {
    name: helper.place
    for helper in HELPERS.values()
    if helper.place
    for name in (helper.name, *helper.place.others)
}
"""Where each helper keeps credentials, those of other projects included."""


def diagnose(
    config_path: str,
    server: str | None,
    environ: Mapping[str, str],
    client: str | None = None,
    *,
    offline: bool = False,
) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found, subject by subject, in the order of Docker's path.

    Args:
        config_path: Docker's config.json.
        server: The server to follow; None for all that are configured.
        environ: A copy of the environment, which Docker is assumed to have too.
        client: The only client to examine; None for all that are found on this machine.
        offline: Whether registries are left alone; ``CREDHELPERS_OFFLINE`` says so too, as in the emulator.
    """
    offline = offline or environ.get(options.OFFLINE_VARIABLE, "") not in ("", "0")
    deadline = time.monotonic() + SECONDS
    values, found = state.check_settings(environ)
    others = [name for name in CLIENTS if client in (None, name)]
    machine = Machine(environ, Settings(values), server, deadline, offline=offline)
    examination = Examination(machine, others)
    if client in (None, DOCKER):
        yield from _docker(config_path, values, found, machine)
    yield from examination.sections()


def _docker(
    config_path: str, values: Mapping[str, str], found: list[Finding], machine: Machine
) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found on the path of Docker's CLI.

    Args:
        config_path: Docker's config.json.
        values: The configuration of the helpers.
        found: What has been found about that.
        machine: The environment, and the server to follow.
    """
    environ, server = machine.environ, machine.server
    config, of_docker = check_config(config_path, environ.get("PATH", ""))
    yield "Docker", [*of_docker, *check_environment(config, environ)]
    if config is None:
        yield "credhelpers", found
        return
    plan = Plan(config, server, environ, machine.settings)
    cache = [state.check_cache(environ)] if ECR.name in plan.all_helpers else []
    yield "credhelpers", [*found, *cache, state.check_log(environ, plan.all_helpers)]
    targets = {} if machine.offline else {hop: registries.Target.of(hop, server) for hop in plan.hops}
    yield from _Diagnosis(config, plan, environ, values, machine.deadline, targets).sections()


class _Diagnosis:
    """Starts every check that may have to wait at once, each in a thread, and collects the findings."""

    def __init__(
        self,
        config: DockerConfig,
        plan: Plan,
        environ: Mapping[str, str],
        values: Mapping[str, str],
        deadline: float,
        targets: Mapping[Hop, registries.Target],
    ) -> None:
        self._config = config
        self._targets = targets
        self._taken_first = taken_first(environ) if targets else {}
        self._plan = plan
        self._environ = environ
        self._settings = Settings(values)
        self._deadline = deadline
        kept = {
            hop: ecr_tokens.cached(hop.server, environ, self._settings)
            for hop in plan.hops
            if hop.target == ECR.name
        }
        self._kept = {hop: cached for hop, cached in kept.items() if cached}
        # Now, because the helper changes what is cached when it is asked.
        self._cached = {hop: ecr.check_cached(cached, self._settings) for hop, cached in self._kept.items()}
        self._executables: Tasks[tuple[Executable | None, list[Finding]]] = Tasks(self._deadline)
        self._findings: Tasks[list[Finding]] = Tasks(self._deadline)
        self._answers: Tasks[Answer] = Tasks(self._deadline)
        self._amazon: dict[str, tuple[list[str], list[Finding]]] = {}  # hosts and findings of each identity
        if self._kept:
            aws.prepare(environ)
        self._start(values)

    def sections(self) -> Iterator[tuple[str, list[Finding]]]:
        for name in self._names():
            executable = self._executables.result(name)
            text, remedy = f"{PREFIX}{name} does not report its version", f"{PREFIX}{quote(name)} version"
            yield (
                PREFIX + name,
                executable[1] if executable else [fail(ON_PATH, "no-version", text, f"see why: {remedy}")],
            )
        for place in self._places():
            silent = fail(place.name, "silent", f"the {place.name} does not answer", place.remedy)
            yield place.name, self._findings.result(place.name) or [silent]
        for name, (hosts, found) in self._amazon.items():
            yield f"AWS for {', '.join(hosts)}", self._findings.result(f"AWS {name}") or _late(found)
        for hop in self._plan.hops:
            yield hop.server, self._server(hop)

    def _names(self) -> list[str]:
        """Return the helpers that are started; auto starts none for those that are built in."""
        behind = [hop.target for hop in self._plan.hops if hop.helper == AUTO.name]
        external = [name for name in behind if name not in (*BUILT_IN, AUTO.name)]
        return list(dict.fromkeys([*self._plan.helpers, *external]))

    def _places(self) -> list[Place]:
        return list(dict.fromkeys(_PLACES[name] for name in self._plan.all_helpers if name in _PLACES))

    def _start(self, values: Mapping[str, str]) -> None:
        environ = self._environ
        for name in self._names():
            self._executables.start(name, partial(self._executable, name))
        for place in self._places():
            self._findings.start(place.name, partial(place.check, environ))
        for kept in self._kept.values():
            hosts, found = self._amazon.setdefault(kept.name, ([], []))
            hosts.append(kept.registry.host)
            is_pull = any(target.repository for target in self._targets.values())
            ask = partial(aws.ask, kept.registry, kept.chosen, values, environ, is_pull=is_pull)
            self._findings.start(f"AWS {kept.name}", partial(_ask_amazon, ask, found))
        for hop in self._plan.hops:
            self._answers.start(hop.server, partial(self._answer, hop))
        for hop, target in self._targets.items():
            self._findings.start(f"registry {hop.server}", partial(self._registry, hop, target))

    def _executable(self, name: str) -> tuple[Executable | None, list[Finding]]:
        return check_executable(name, self._environ, self._plan.instead(name))

    def _answer(self, hop: Hop) -> Answer:
        """Return what Docker gets for a server."""
        if not hop.helper:
            return self._in_the_file(hop.server)
        path = next(iter(all_on_path(hop.helper, self._environ)), None)
        if not path:
            text = f"Docker cannot start {PREFIX}{hop.helper}: it is not on PATH"
            return Answer(fail(ANSWER, "helper-missing", text), is_known=False)
        seconds = max(0.1, round(self._deadline - time.monotonic() - 0.3, 1))  # its own error comes in time
        return check_answer(path, hop.server, self._environ, seconds, is_ecr=hop in self._kept)

    def _answered(self, hop: Hop) -> Answer:
        """Wait for what Docker gets for a server."""
        answer = self._answers.result(hop.server)
        text = f"{PREFIX}{hop.helper} did not answer within {SECONDS:g} s"
        late = fail(ANSWER, "late", text, see_why(PREFIX + hop.helper, hop.server))
        return answer or Answer(late, is_known=False)

    def _registry(self, hop: Hop, target: registries.Target) -> list[Finding]:
        deadline = self._deadline - 0.3  # its own error comes in time
        own = self._taken_first.get(hop.server)
        answered = partial(self._answered, hop)
        if own:
            answered = partial(Answer, ok(ANSWER, "the environment has the credential"), own)
        return registries.check_registry(target, answered, self._environ, self._settings, deadline)

    def _server(self, hop: Hop) -> list[Finding]:
        found = [] if not hop.helper else self._helper(hop)
        answer = self._answered(hop)
        found += [answer.finding, *ecr_public.check_login(hop, answer.credential)]
        if hop in self._targets:
            asked = self._findings.result(f"registry {hop.server}")
            found += asked or [registries.silent(self._targets[hop], SECONDS)]
        return found

    def _helper(self, hop: Hop) -> list[Finding]:
        """Return what is known of a server's helper before it is asked."""
        behind = f", which asks {hop.target}" if hop.target != hop.helper else ""
        found = [ok(_HELPER, f"Docker asks {PREFIX}{hop.helper}{behind}")]
        if hop.target != ECR.name:
            return [*found, *ecr.check_look_alike(hop.server, self._settings)]
        instead = self._plan.instead(hop.target, hop.server)
        found.append(ecr.check_host(hop.server, self._settings, instead))
        executable = self._executables.result(hop.helper)
        if executable and executable[0] and executable[0].owner == OURS:
            found += self._cached.get(hop, [])
        return found

    def _in_the_file(self, server: str) -> Answer:
        secret = self._config.plaintext_for(server)
        if secret is None:
            text = f"Docker asks no helper for {server}, and config.json has no credential for it"
            command = "credhelpers configure --store auto"  # which hides plaintext until it has moved
            remedy = command if self._config.plaintext() else Fix(command)
            return Answer(warn(_HELPER, "none", text, remedy))
        text = f"Docker asks no helper: the {secret.kind} for {server} is in config.json in plain text"
        finding = warn(_HELPER, "plaintext", text, ecr_logins.to_remove_plaintext(self._config))
        return Answer(finding, secret.credential, is_known=secret.kind in ("password", "identity token"))


def _ask_amazon(ask: Callable[[], Iterator[Finding]], found: list[Finding]) -> list[Finding]:
    """Collect findings one by one, so that those are there which come before a request that hangs."""
    for finding in ask():
        found.append(finding)
    return found


def _late(found: list[Finding]) -> list[Finding]:
    check = aws.PERMISSION if found else aws.IDENTITY
    text = f"AWS, or the source of its credentials, did not answer within {SECONDS:g} s"
    return [*found, fail(check, "late", text, "check the network to the ECR, STS and metadata endpoints")]
