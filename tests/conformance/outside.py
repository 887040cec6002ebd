"""Which tests run on which executable: the table's, or the one that `--helper` names, and its deviations."""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.conformance.subjects import SUBJECTS, VERBS, Subject


def subjects(config: pytest.Config) -> Sequence[Subject]:
    """Return the rows of the table, or the one executable that was named on the command line."""
    helper = config.getoption("--helper", default=None)
    if not helper:
        return SUBJECTS
    path = Path(helper).absolute()
    if not path.is_file():
        raise pytest.UsageError(f"--helper: {path} is not a file")
    verbs = tuple(config.getoption("--verbs").split(","))
    unknown = set(verbs) - set(VERBS)
    if unknown:
        raise pytest.UsageError(f"--verbs: {', '.join(sorted(unknown))} is not one of {', '.join(VERBS)}")
    if not all("=" in pair for pair in config.getoption("--env")):
        raise pytest.UsageError("--env: say NAME=VALUE")
    name = path.name.removeprefix("docker-credential-")
    return [Subject(name, str(path), "outside_env", keeps=set(VERBS) <= set(verbs), verbs=verbs)]


def is_for(item: pytest.Item) -> bool:
    """Return whether a test asks of its subject only what that implements."""
    parameters = _parameters(item)
    if "subject" not in parameters:
        return True
    subject = parameters["subject"]
    if not isinstance(subject, Subject):
        return False  # none of the subjects is what the test is about
    needed = {verb for mark in item.iter_markers("needs") for verb in mark.args}
    needed |= {parameters.get("verb")} & set(VERBS)
    return needed <= set(subject.verbs)


def known_deviations(item: pytest.Item) -> Iterator[str]:
    """Give the reasons for which a test is known to fail on its subject."""
    parameters = _parameters(item)
    subject = str(parameters.get("subject", ""))
    names = {subject, f"{subject}/{parameters.get('verb')}"}
    known = [(mark.args[0], mark.args[1]) for mark in item.iter_markers("deviation")]
    known += getattr(parameters.get("case"), "deviations", ())
    yield from (f"{subject}: {reason}" for names_of, reason in known if names & set(names_of.split()))
    values = {str(value) for value in parameters.values()}
    for row in declared(item.config):
        if row["test"] == getattr(item, "originalname", "") and row.get("case", subject) in values:
            yield f"{subject}: {row['reason']}"


def _parameters(item: pytest.Item) -> dict[str, object]:
    return (
        dict(item.callspec.params) if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    )


def declared(config: pytest.Config) -> list[dict[str, str]]:
    """Return the deviations that the file of `--deviations` declares for the executable."""
    path = config.getoption("--deviations", default=None)
    if not path:
        return []
    rows = tomllib.loads(Path(path).read_text()).get("deviation", [])
    if not all(row.keys() in ({"test", "reason"}, {"test", "case", "reason"}) for row in rows):
        raise pytest.UsageError(f"{path}: each [[deviation]] has a test, a reason, and perhaps a case")
    return list(rows)


def check_names(declared_rows: list[dict[str, str]], items: Sequence[pytest.Item]) -> None:
    """Refuse a deviation of a test that does not exist, which would say nothing."""
    unknown = {row["test"] for row in declared_rows} - {getattr(item, "originalname", "") for item in items}
    if unknown:
        raise pytest.UsageError(f"--deviations: there is no test {', '.join(sorted(unknown))}")
