"""The fixtures of the conformance suite: a helper, its store from outside, and the watch for secrets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from credhelpers.emulator import Emulator
from tests.conformance.canary import CANARY, WatchedHelper
from tests.conformance.corpus import SERVER
from tests.conformance.subjects import Subject
from tests.support.client import CredentialsNotFoundError, HelperFailedError
from tests.support.keyring import Item, SecretService
from tests.support.tools import require


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "deviation(subjects, reason): these helpers are known not to do what the test asserts"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = (
            item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        )
        subject = str(parameters.get("subject", ""))
        names = {subject, f"{subject}/{parameters.get('verb')}"}
        known = [(mark.args[0], mark.args[1]) for mark in item.iter_markers("deviation")]
        known += getattr(parameters.get("case"), "deviations", ())
        for subjects, reason in known:
            if names.intersection(subjects.split()):
                failures = (AssertionError, CredentialsNotFoundError, HelperFailedError)
                item.add_marker(
                    pytest.mark.xfail(strict=True, raises=failures, reason=f"{subject}: {reason}")
                )


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
def helper(
    subject: Subject, environment: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[WatchedHelper]:
    """The helper under test; after the test no secret may stand on its stderr or in its log."""
    if subject.package:
        executable = Path(require(subject.executable, subject.package))
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
    """A store with one entry, as files and as items of the keyring."""

    files: dict[Path, bytes]
    items: list[Item]


@pytest.fixture(scope="session")
def stores_with_one_entry() -> dict[Subject, _Kept]:
    """What each helper wrote when it was first asked to keep something; to write it again is quicker."""
    return {}


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
        assert helper.store(SERVER, "alice", CANARY).code == 0
        stores_with_one_entry[subject] = _Kept(
            {path.relative_to(home): path.read_bytes() for path in home.rglob("*.gpg")},
            service.items() if service else [],
        )
        return
    kept = stores_with_one_entry[subject]
    for path, content in kept.files.items():
        (home / path).parent.mkdir(parents=True, mode=0o700)
        (home / path).write_bytes(content)
    for item in kept.items:
        assert service
        service.add(item.label, item.attributes, item.secret)
