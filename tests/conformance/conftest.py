"""The fixtures of the conformance suite: a helper, its store from outside, and the watch for secrets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from credhelpers.emulator import Emulator
from tests.conformance.canary import CANARY, WatchedHelper
from tests.conformance.corpus import SERVER
from tests.conformance.outside import check_names, declared, is_for, known_deviations, subjects
from tests.conformance.subjects import VERBS, Subject, chosen
from tests.support.client import CredentialsNotFoundError, HelperFailedError
from tests.support.keyring import Item, SecretService
from tests.support.tools import require

_FAILURES = (AssertionError, CredentialsNotFoundError, HelperFailedError)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance", "the conformance suite on one executable (docs/conformance.md)")
    group.addoption("--helper", metavar="PATH", help="run on this executable alone")
    group.addoption("--verbs", metavar="LIST", default=",".join(VERBS), help="the verbs that it implements")
    group.addoption(
        "--env", metavar="NAME=VALUE", action="append", default=[], help="set for it; may be repeated"
    )
    group.addoption("--deviations", metavar="FILE", help="a TOML file: what it is known not to do")


def pytest_configure(config: pytest.Config) -> None:
    subjects(config)  # what is wrong with the options is said before the first test


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each test the rows that it is for: those of the table, or the one executable that was named."""
    marks = list(metafunc.definition.iter_markers("subjects"))
    if marks:
        metafunc.parametrize("subject", chosen(subjects(metafunc.config), marks), ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    check_names(declared(config), items)
    left_out = [item for item in items if not is_for(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
    for item in items:
        for reason in known_deviations(item):
            item.add_marker(pytest.mark.xfail(strict=True, raises=_FAILURES, reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """End a known deviation without a traceback, which is never shown and takes longer than the test."""
    try:
        result = yield
    except _FAILURES:
        for reason in known_deviations(pyfuncitem):
            raise pytest.xfail.Exception(reason, pytrace=False) from None
        raise
    return result


@pytest.fixture
def aws() -> Iterator[Emulator]:
    """A stand-in for AWS whose tokens hold the canary."""
    with Emulator(password=CANARY) as emulator:
        yield emulator


@pytest.fixture
def ecr_env(private_env: dict[str, str], aws: Emulator) -> dict[str, str]:
    """The environment of a user on an instance whose role AWS knows."""
    return {**private_env, **aws.environment()}


@pytest.fixture
def environment(
    subject: Subject, private_env: dict[str, str], request: pytest.FixtureRequest
) -> dict[str, str]:
    """The environment of the helper; its temporary files, too, are below the home."""
    temporary = Path(private_env["HOME"], "tmp")
    temporary.mkdir()
    env: dict[str, str] = request.getfixturevalue(subject.environment)
    return {**env, "TMPDIR": str(temporary)}


@pytest.fixture
def outside_env(private_env: dict[str, str], pytestconfig: pytest.Config) -> dict[str, str]:
    """The environment of the executable that `--helper` names."""
    added: list[str] = pytestconfig.getoption("--env")
    return {**private_env, **dict(pair.split("=", 1) for pair in added)}


@pytest.fixture
def helper(
    subject: Subject, environment: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[WatchedHelper]:
    """The helper under test; after the test no secret may stand on its stderr or in its log."""
    if subject.package:
        executable = Path(require(subject.executable, subject.package))
    elif subject.executable.startswith("/"):
        executable = Path(subject.executable)
    else:
        executable = request.getfixturevalue("installed") / subject.executable
    watched = WatchedHelper(executable, environment)
    yield watched
    watched.assert_no_secret_was_shown()


@pytest.fixture
def state(environment: dict[str, str], request: pytest.FixtureRequest) -> Callable[[], object]:
    """A function that tells all that is kept: every file of the home but the logs, and every item."""
    home = Path(environment["HOME"])
    service: SecretService | None = None
    if "DBUS_SESSION_BUS_ADDRESS" in environment:
        service = request.getfixturevalue("secret_service")

    def kept() -> object:
        files = {
            str(path.relative_to(home)): path.read_bytes() if path.is_file() else b""
            for path in home.rglob("*")
            if ".ecr" not in path.relative_to(home).parts
        }
        tokens = sorted(home.glob(".ecr/tokens/**/*"))
        items = sorted(map(repr, service.items())) if service else []
        return files, tokens, items

    return kept


@dataclass
class _Kept:
    """A store with one entry, as files with their modes and as items of the keyring."""

    files: dict[Path, tuple[bytes, int]]
    items: list[Item]


@pytest.fixture(scope="session")
def stores_with_one_entry() -> dict[Subject, _Kept]:
    """What each helper wrote when it was first asked to keep something; to write it again is quicker."""
    return {}


def _files(home: Path) -> dict[Path, tuple[bytes, int]]:
    """Return the content and mode of every file of a home but the logs."""
    return {
        path.relative_to(home): (path.read_bytes(), path.stat().st_mode & 0o777)
        for path in home.rglob("*")
        if path.is_file() and ".ecr" not in path.relative_to(home).parts
    }


@pytest.fixture
def something_kept(
    subject: Subject,
    helper: WatchedHelper,
    stores_with_one_entry: dict[Subject, _Kept],
    request: pytest.FixtureRequest,
) -> None:
    """One credential of alice's for `SERVER`, which the helper under test has stored."""
    if not subject.keeps:
        return
    home = Path(helper.env["HOME"])
    service: SecretService | None = None
    if "DBUS_SESSION_BUS_ADDRESS" in helper.env:
        service = request.getfixturevalue("secret_service")
    if subject not in stores_with_one_entry:
        before = _files(home)
        assert helper.store(SERVER, "alice", CANARY).code == 0
        written = {path: file for path, file in _files(home).items() if before.get(path) != file}
        stores_with_one_entry[subject] = _Kept(written, service.items() if service else [])
        return
    kept = stores_with_one_entry[subject]
    for path, (content, mode) in kept.files.items():
        (home / path).parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        (home / path).write_bytes(content)
        (home / path).chmod(mode)
    for item in kept.items:
        assert service
        service.add(item.label, item.attributes, item.secret)
