"""What the benchmarks make of their measurements: ratios, verdicts, the table, and whose turn it is."""

import sys

import pytest

from benchmarks.result import Result, table
from benchmarks.sampling import Command, MeasurementError, interleave


def row(*, ours: list[float], theirs: list[float], limit: float = 1.0, condition: bool = True) -> Result:
    return Result("row", "a case", "a peer", limit, "ms", ours, theirs, condition=condition, note="a note")


def test_the_ratio_is_that_of_the_medians() -> None:
    result = row(ours=[1.0, 2.0, 900.0], theirs=[4.0, 4.0, 4.0], limit=0.5)

    assert result.ratio == 0.5
    assert result.ratio_of_minima == 0.25
    assert result.met


def test_a_ratio_above_the_target_misses_it() -> None:
    assert not row(ours=[3.0], theirs=[2.0], limit=1.4).met


def test_an_unmeasured_row_is_missed() -> None:
    result = Result("row", "a case", "a peer", 1.0, error="the peer is not there")

    assert not result.met
    assert "**missed**" in table([result])
    assert "the peer is not there" in table([result])


def test_a_broken_condition_misses_the_target() -> None:
    assert not row(ours=[1.0], theirs=[2.0], condition=False).met


@pytest.mark.parametrize(("calls", "met"), [([0.0, 0.0], True), ([0.0, 1.0], False)])
def test_a_count_has_to_hold_in_every_run(calls: list[float], met: bool) -> None:
    result = Result("row", "a case", "a peer", 0, "calls", calls, [3.0, 3.0], is_ratio=False)

    assert result.met is met


def test_the_table_shows_median_and_range() -> None:
    shown = table([row(ours=[1.0, 2.0, 3.0], theirs=[150.0, 200.0, 250.0])])

    assert "| 2.00 ms (1.00 to 3.00) | 200 ms (150 to 250) | 0.01 |" in shown
    assert "| ≤ 1 | met |" in shown
    assert "- row: a note" in shown


def test_the_sides_alternate_after_a_warm_up() -> None:
    order = ""

    def side(name: str) -> float:
        nonlocal order
        order += name
        return len(order)

    first, second = interleave(3, [lambda: side("A"), lambda: side("B")])

    assert order == "AB" + "AB" + "BA" + "AB"
    assert (first, second) == ([3, 6, 7], [4, 5, 8])


def test_only_the_expected_answer_is_timed() -> None:
    arguments = (sys.executable, "-ISc", "import sys; print(sys.stdin.read())")

    assert Command(arguments, {}, b"the answer", b"the answer").time() > 0
    with pytest.raises(MeasurementError, match="something else"):
        Command(arguments, {}, b"something else", b"the answer").time()


def test_a_program_that_fails_is_not_timed() -> None:
    with pytest.raises(MeasurementError, match="status 3"):
        Command((sys.executable, "-ISc", "raise SystemExit(3)"), {}).time()
