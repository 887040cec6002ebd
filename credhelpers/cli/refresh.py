"""`credhelpers refresh`: fetches ECR tokens ahead of need, once or for as long as it runs."""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Self

import click

from credhelpers import config, paths
from credhelpers.cli.shared import options, output
from credhelpers.cli.shared.progress import progress
from credhelpers.clients.containers_auth import own_auth_paths
from credhelpers.clients.docker_config import DockerConfig
from credhelpers.config import Settings
from credhelpers.credential import CredentialError
from credhelpers.log import Log
from credhelpers.servers import host_of
from credhelpers.stores.ecr.hosts import registry_for
from credhelpers.stores.ecr.store import EcrStore
from credhelpers.suite import AUTO, ECR

_ISSUERS = (ECR.name, AUTO.name)  # helpers that get tokens for ECR
_LOOK_AGAIN = 60.0  # seconds; the machine may have slept, or another registry may be configured

_EXAMPLES = """\b
Examples:
  credhelpers refresh --all
  credhelpers refresh 123456789012.dkr.ecr.eu-central-1.amazonaws.com
  credhelpers refresh --all --watch

\b
Exit status: 0 when every token is new, also when there was none to fetch, and when a signal
ends --watch; 1 when one could not be fetched or stored; 2 when the command line is wrong."""


@dataclass
class _Outcome:
    """When each new token expires and is to be renewed, and the error of each registry without one."""

    expires: dict[str, int] = field(default_factory=dict)
    renew_at: dict[str, int] = field(default_factory=dict)
    failed: dict[str, CredentialError] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        refreshed = [{"server": host, "expires": _iso(end)} for host, end in self.expires.items()]
        return {"refreshed": refreshed, "failed": output.failures(self.failed)}


@click.command(epilog=_EXAMPLES)
@click.argument("hosts", metavar="[HOST]...", nargs=-1, shell_complete=options.complete_server)
@click.option("--all", "everything", is_flag=True, help="Every registry that is cached or configured.")
@click.option("--watch", is_flag=True, help="Keep running, and renew each token at half of its life.")
@options.docker_config
@options.json_report("Report in JSON; with --watch one object a line.")
@click.pass_context
def refresh(
    context: click.Context,
    *,
    hosts: tuple[str, ...],
    everything: bool,
    watch: bool,
    config_path: str,
    as_json: bool,
) -> None:
    """Fetch new tokens for Amazon ECR registries, also where the cached ones are still valid.

    For a timer or a boot script: the next pull then finds its token in the cache. --all takes the registries
    that are cached, those in [[ecr.registry]] of config.toml, and those for which Docker's or podman's
    configuration names docker-credential-ecr-login or docker-credential-auto.
    """
    if everything == bool(hosts):
        raise click.UsageError("Say which registries: HOST..., or --all.")
    configuration = config.load(os.environ)
    log = Log(ECR.name, paths.state_directory(os.environ), configuration)
    store = EcrStore(os.environ, configuration, log)

    def wanted() -> list[str]:
        return _all_hosts(store, configuration, config_path) if everything else list(dict.fromkeys(hosts))

    if watch:
        with _Signals() as signals:
            _watch(store, wanted, signals, configuration.number("ecr.failure_seconds"), as_json=as_json)
        return
    found = wanted()
    with progress("Fetching", len(found), shown=not as_json) as advance:
        outcome = _refresh_each(store, found, advance)
    if as_json:
        output.report_json(outcome.as_json())
    else:
        _show(outcome)
        if not found:
            output.say("No ECR registry is cached or configured; nothing to fetch.")
    context.exit(1 if outcome.failed else 0)


def _all_hosts(store: EcrStore, configuration: Settings, docker_path: str) -> list[str]:
    """Return the ECR hosts that are cached or configured."""
    servers = list(store.list())
    for path in dict.fromkeys([docker_path, *own_auth_paths(os.environ)]):
        config = DockerConfig.read(path)
        known = [*config.cred_helpers, *config.auths]
        servers += [server for server in known if config.helper_for(server) in _ISSUERS]
    hosts = dict.fromkeys(host_of(server) for server in servers)
    return [host for host in hosts if host and registry_for(host, configuration)[0]]


def _refresh_each(store: EcrStore, hosts: list[str], advance: Callable[[], object]) -> _Outcome:
    outcome = _Outcome()
    since = int(time.time())  # tokens know whole seconds
    for host in hosts:
        try:
            token = store.refresh(host, since)
            outcome.expires[host], outcome.renew_at[host] = token.expires, token.renew_at
        except CredentialError as error:
            outcome.failed[host] = error
        advance()
    return outcome


def _watch(
    store: EcrStore, wanted: Callable[[], list[str]], signals: "_Signals", pause: float, *, as_json: bool
) -> None:
    """Refresh each registry at half of its token's life.

    Args:
        store: The tokens.
        wanted: Returns the registries to refresh.
        signals: Ends the loop.
        pause: Seconds until a failure is tried again, and the shortest time between two tokens.
        as_json: Whether to report in JSON.
    """
    due: dict[str, float] = {}
    while True:
        now = time.time()
        known = dict.fromkeys([*due, *wanted()])  # a cached one is not forgotten when AWS fails for too long
        hosts = [host for host in known if due.get(host, now) <= now]
        outcome = _refresh_each(store, hosts, signals.check)
        if hosts and as_json:
            click.echo(json.dumps(outcome.as_json()))
        else:
            _show(outcome)
        now = time.time()
        due |= {host: max(moment, now + pause) for host, moment in outcome.renew_at.items()}
        due |= dict.fromkeys(outcome.failed, now + pause)
        signals.wait(min([_LOOK_AGAIN, *(moment - now for moment in due.values())]))


class _Ended(BaseException):
    """A signal ends the process; not an Exception, so that nothing takes it for a failed request."""


class _Signals:
    """Ends its ``with`` block on SIGTERM, SIGINT or SIGHUP, at the next `check` or `wait`.

    An exception from a signal handler could come up anywhere in a library, and be lost in a finaliser. So the
    first signal is only noted, and a second one interrupts what runs, such as a call to AWS.
    """

    _NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def __init__(self) -> None:
        self._noted = False

    def __enter__(self) -> Self:
        for number in self._NUMBERS:
            signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        for number in self._NUMBERS:
            signal.signal(number, signal.SIG_IGN)  # nothing must interrupt the end
        return kind is _Ended

    def check(self) -> None:
        """End the block if there was a signal."""
        if self._noted:
            raise _Ended

    def wait(self, seconds: float) -> None:
        """Wait; a signal ends the block at once, also one just before."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self._NUMBERS)
        try:
            self.check()
            if signal.sigtimedwait(self._NUMBERS, max(0.0, seconds)):
                raise _Ended
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._NUMBERS)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.check()
        self._noted = True


def _show(outcome: _Outcome) -> None:
    for host, end in outcome.expires.items():
        output.say(f"{host}: a new token, valid until {_iso(end)}")
    output.fail_each(outcome.failed)


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
