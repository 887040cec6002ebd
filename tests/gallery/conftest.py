"""What every failure is staged with, and the count of them at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gallery.exhibit import Exhibit
from tests.remedies import catalogue
from tests.remedies.conftest import aws, keeper, name_of, open_directory, powerless, registry, user
from tests.remedies.mending import Mending, Shell

__all__ = ["aws", "keeper", "open_directory", "powerless", "registry", "user"]

_FAILED = pytest.StashKey[bool]()


@pytest.fixture
def exhibit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exhibit]:
    """Goes through the failure that the test's marker names; a test that does not do so fails.

    Where the catalogue of remedies names the test, it has to carry those remedies out.
    """
    marker = request.node.get_closest_marker("failure")
    assert marker, "a test of the gallery has the marker failure(id)"
    entries = catalogue.entries_of(name_of(request))
    shell = Mending(tmp_path, entries) if entries else Shell(tmp_path)
    shown = Exhibit(marker.args[0], shell)
    yield shown
    if not request.node.stash.get(_FAILED, default=False):
        assert shown.done, "the failure was not gone through"
        if isinstance(shell, Mending):
            shell.assert_complete()
        request.node.user_properties.append(("failure", shown.id))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note a failure, so that `exhibit` does not hide it behind another one."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, default=False) or report.failed  # type: ignore[attr-defined]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many failures were named and mended."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    there = {report.nodeid for report in reports if "tests/gallery/" in getattr(report, "nodeid", "")}
    mended = {
        report.nodeid
        for report in reports
        for name, _ in getattr(report, "user_properties", ())
        if name == "failure" and report.when == "teardown" and report.passed
    }
    if there:
        terminalreporter.write_line(f"failure gallery: {len(mended)} of {len(there)} named and mended")
