"""A service as systemd starts it: which helpers it finds, what they answer, what is wrong with its unit."""

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from shlex import quote
from typing import TypeVar

from credhelpers import process
from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.executable import check_trust
from credhelpers.cli.shared.helper_programs import helper_beside
from credhelpers.clients.systemd_unit import DIRECTORIES, SEARCH_PATH, Unit, read_unit
from credhelpers.finding import OK, Finding, fail, ok, warn
from credhelpers.process import Outcome
from credhelpers.stores.auto.external import PREFIX

_T = TypeVar("_T")

_UNIT, _USER, _ENVIRONMENT = "unit", "unit user", "unit environment"
_CREDENTIAL, _FILES = "unit credential", "unit file system"

HELPER_NAME = re.compile(r"[\w.-]+")
"""A helper's name that can stand in a command line as it is."""

_ASKING_SECONDS = 5.0
_SYSTEMCTL_SECONDS = 2.0
_AT_ONCE = 16
_LARGEST = 1 << 20  # bytes of an answer
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_ELSEWHERE = ("/usr/local/bin", "/usr/local/sbin", "/opt/credhelpers/bin", "/snap/bin", "/opt/bin")
_LAST_SECONDS = 0.3  # for what remains to be done with an answer


class Service:
    """A service, and how this process looks at it.

    Args:
        unit: How systemd starts it.
        machine: Where it runs.
        known: Whether there is such a unit; else it is assumed to be started as services usually are.
    """

    def __init__(self, unit: Unit, machine: Machine, *, known: bool = True) -> None:
        self.unit = unit
        self.name = unit.name
        self.known = known
        self._machine = machine

    def helper(self, name: str) -> str | None:
        """Return the path of a helper on the service's ``PATH``; None when it is not there."""
        return self._find(PREFIX + name, self.unit.environ.get("PATH", SEARCH_PATH).split(":"))

    def elsewhere(self, name: str) -> str | None:
        """Return the path of a helper that is installed, but not on the service's ``PATH``; or None."""
        own = self._machine.environ.get("PATH", "").split(":")
        homes = [os.path.join(self.unit.home, ".local/bin")] if self.unit.home else []
        return self._find(PREFIX + name, [*own, *_ELSEWHERE, *homes]) or helper_beside(name)

    def _find(self, name: str, directories: list[str]) -> str | None:
        for directory in directories:
            path = self.unit.below_root(os.path.join(directory, name))
            is_usable = directory.startswith("/") and HELPER_NAME.fullmatch(name)
            if is_usable and os.path.isfile(path) and os.access(path, os.X_OK):
                return path
        return None

    @property
    def can_be_asked(self) -> bool:
        """Whether this process may run programs as the service's user."""
        account = self.unit.account
        return account is not None and os.geteuid() in (0, account.pw_uid)

    def run(self, command: list[str], stdin: bytes = b"", more: Mapping[str, str] | None = None) -> Outcome:
        """Run a program as the service would: as its user, with its environment.

        Args:
            command: The absolute path and the arguments.
            stdin: Its standard input.
            more: What to add to the environment.

        Returns:
            What it did; of one that has not ended in time, the only message is that.

        Raises:
            OSError: It cannot be started.
        """
        left = self._machine.deadline - time.monotonic() - _LAST_SECONDS
        seconds = max(0.1, min(_ASKING_SECONDS, left))
        environ = {**self.unit.environ, **(more or {})}
        began = time.monotonic()
        done = process.run([*self._as_user(), *command], environ, stdin, seconds, _LARGEST, new_session=True)
        if done.exit_status is not None or time.monotonic() - began < seconds:
            return done
        late = f"{os.path.basename(command[0])}: it did not answer within {seconds:.0f} s"
        return Outcome(None, done.output, late.encode(), done.status)

    def can_read(self, path: str) -> bool:
        """Return whether the service's user can read a file."""
        if not self._as_user():
            return os.access(path, os.R_OK)
        return self.run(["/usr/bin/test", "-r", path]).exit_status == 0

    def _as_user(self) -> list[str]:
        account = self.unit.account
        if account is None or account.pw_uid == os.geteuid():
            return []
        setpriv = process.find(("setpriv",), {}) or "setpriv"
        return [setpriv, f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups", "--"]


def find_service(machine: Machine, name: str) -> Service:
    """Return the service of a unit, or one that is started as services usually are."""
    inherited = _inherited(machine) if has_unit(machine, name) else None
    unit = read_unit(name, machine.root, inherited)
    return Service(unit or Unit(name, (), {}, machine.root, inherited), machine, known=unit is not None)


def at_once(ask: Callable[[_T], list[Finding]], items: Iterable[_T]) -> list[Finding]:
    """Return what is found about each item, in their order; several helpers are asked at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [finding for found in pool.map(ask, items) for finding in found]


def has_unit(machine: Machine, name: str) -> bool:
    """Return whether there is a unit of this name."""
    return any(os.path.lexists(os.path.join(machine.root, place, name)) for place in DIRECTORIES)


def check_helper(service: Service, check: str, name: str, effect: str, instead: str) -> Finding:
    """Return whether a service finds a helper that only its owner and root can change.

    Args:
        service: The service.
        check: What is checked.
        name: What follows ``docker-credential-``.
        effect: What comes of it when it does not.
        instead: What to do if it is not meant to be installed.
    """
    unit, program = service.unit, PREFIX + name
    if found := service.helper(name):
        trust = check_trust(found)
        return ok(check, f"{unit.name} starts {found}") if trust.state == OK else trust
    directories = unit.environ.get("PATH", "").split(":")
    for directory in directories:
        path = os.path.join(directory, program)
        if os.path.isfile(unit.below_root(path)):
            text = f"{unit.name} cannot start {path}, which is not executable, {effect}"
            return fail(check, "not-executable", text, f"as root: chmod a+x {quote(path)}")
    text = f"{program} is not on the PATH of {unit.name} ({':'.join(directories)}), {effect}"
    elsewhere = service.elsewhere(name)
    targets = ["/usr/local/bin"] * ("/usr/local/bin" in directories) + directories
    target = next((path for path in targets if path and os.path.isdir(unit.below_root(path))), None)
    if elsewhere is None or target is None:
        return fail(check, "not-installed", text, f"install {program} into /usr/local/bin, or {instead}")
    return fail(check, "not-on-path", text, f"as root: ln -s {quote(elsewhere)} {quote(target)}/")


def check_unit(
    service: Service, machine: Machine, *, gets_tokens: bool = False, needs_proxy: bool = True
) -> list[Finding]:
    """Return what is wrong with how a service is started.

    Args:
        service: The service.
        machine: Where it runs.
        gets_tokens: Whether it asks a helper that caches tokens.
        needs_proxy: Whether it can have a proxy by its environment only.
    """
    unit = service.unit
    if unit.unread:
        text = f"cannot read {', '.join(unit.unread)}"
        return [warn(_UNIT, "unreadable", text, "as root: credhelpers doctor")]
    user = unit.last("User") or "root"
    if unit.account is None:
        text = f"{unit.name} cannot start: its user {user} does not exist"
        return [fail(_USER, "missing", text, f"as root: useradd --system {quote(user)}")]
    found = [_check_changed(service, machine)]
    found += _check_files(service)
    found += _check_credentials(service)
    if gets_tokens:
        found += _check_state(service)
    return found + (_check_proxy(service, machine) if needs_proxy else [])


def drop_in(unit: str, lines: str) -> str:
    """Return the command that adds lines to the ``[Service]`` part of a unit.

    Args:
        unit: Its name.
        lines: As printf(1) takes them.
    """
    folder = f"/etc/systemd/system/{unit}.d"
    return (
        f"as root: mkdir -p {folder} && printf '[Service]\\n{lines}\\n' >> {folder}/credhelpers.conf"
        f" && systemctl daemon-reload; then restart it: systemctl restart {unit}"
    )


def _inherited(machine: Machine) -> dict[str, str] | None:
    """Return what systemd gives every service; None where it does not run."""
    if machine.root != "/" or not os.path.isdir("/run/systemd/system"):
        return None
    lines = _systemctl("show-environment").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and "=$'" not in line) or None


def _systemctl(*arguments: str) -> str:
    program = process.find(("systemctl",), {})
    if program is None:
        return ""
    try:
        done = process.run([program, *arguments], {}, b"", _SYSTEMCTL_SECONDS, _LARGEST, new_session=True)
    except OSError:
        return ""
    return done.output.decode(errors="replace") if done.exit_status == 0 else ""


def _check_changed(service: Service, machine: Machine) -> Finding:
    unit = service.unit
    if _inherited(machine) is not None:
        shown = _systemctl("show", "--property=NeedDaemonReload", unit.name)
        if shown.strip() == "NeedDaemonReload=yes":
            text = f"the files of {unit.name} have changed since systemd read them"
            return warn(_UNIT, "changed", text, "as root: systemctl daemon-reload")
    drop_ins = f" and {', '.join(unit.files[1:])}" if unit.files[1:] else ""
    home = unit.environ.get("HOME", "not set")
    text = f"{unit.files[0]}{drop_ins}: runs as {unit.last('User') or 'root'}"
    return ok(_UNIT, f"{text}, HOME {home}, PATH {unit.environ.get('PATH', '')}")


def _check_files(service: Service) -> list[Finding]:
    unit = service.unit
    missing = [
        path
        for path, needed in unit.environment_files()
        if needed and not os.path.exists(unit.below_root(path))
    ]
    return [
        fail(
            _ENVIRONMENT,
            "file-missing",
            f"{unit.name} cannot start: its EnvironmentFile {path} does not exist",
            f"as root: install -D -m 600 /dev/null {quote(path)}; then fill it in",
        )
        for path in missing
        if not set(path) & set("*?[")
    ]


def _check_credentials(service: Service) -> list[Finding]:
    unit = service.unit
    return [
        fail(
            _CREDENTIAL,
            "missing",
            f"{unit.name} cannot start: the file of its credential {name} does not exist: {path}",
            f"as root, with the secret in FILE: install -D -m 600 FILE {quote(path)}",
        )
        for name, path in unit.credentials().items()
        if not os.path.exists(unit.below_root(path))
    ]


def _check_state(service: Service) -> list[Finding]:
    """Check that a helper that the service starts can cache tokens."""
    unit = service.unit
    state = unit.environ.get("AWS_ECR_CACHE_DIR") or os.path.join(unit.home, ".ecr")
    protection = unit.write_protects(state)
    if not protection:
        return []
    text = f"{protection} of {unit.name} keeps its helper from caching tokens in {state}: every pull asks AWS"
    lines = (
        "CacheDirectory=credhelpers\\nCacheDirectoryMode=0700\\n"
        "Environment=AWS_ECR_CACHE_DIR=/var/cache/credhelpers"
    )
    return [warn(_FILES, "no-cache", text, drop_in(unit.name, lines))]


def _check_proxy(service: Service, machine: Machine) -> list[Finding]:
    """Compare the proxy of this shell with that of the service."""
    own = next((name for name in _PROXIES if machine.environ.get(name)), None)
    if own is None or any(service.unit.environ.get(name) for name in _PROXIES):
        return []
    text = f"{own} is set in this shell, but not for {service.name}, which connects without a proxy"
    return [warn(_ENVIRONMENT, "no-proxy", text, _proxy_drop_in(service.name, own))]


def _proxy_drop_in(unit: str, variable: str) -> str:
    """Return the command that gives a service the proxy of this shell, which may contain a password."""
    folder = f"/etc/systemd/system/{unit}.d"
    return (
        f"as root: mkdir -p {folder} && (umask 077 && printf"
        ' \'[Service]\\nEnvironment="HTTPS_PROXY=%s" "NO_PROXY=%s"\\n\''
        f' "$(printf %s "${variable}" | sed s/%/%%/g)" "$NO_PROXY" > {folder}/proxy.conf)'
        f" && systemctl daemon-reload; then restart it: systemctl restart {unit}"
    )
