"""What a row of the table says: the measurements of both sides, the target, and whether it is met."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Result:
    """One row.

    Attributes:
        name: What ``--rows`` calls it.
        case: What was measured.
        beside: What it was measured beside.
        unit: Of the measurements: ``ms``, ``MB`` or ``calls``.
        limit: The target: the largest ratio of the medians, ours to theirs; or the largest measurement of
            ours where ``is_ratio`` is false.
        ours: The measurements of this project's side.
        theirs: Those of the other side.
        condition: Whether all else that the row asks for holds.
        note: What else is worth knowing.
        error: Why there are no measurements.
        is_ratio: See ``limit``.
    """

    name: str
    case: str
    beside: str
    limit: float
    unit: str = "ms"
    ours: Sequence[float] = ()
    theirs: Sequence[float] = ()
    condition: bool = True
    note: str = ""
    error: str = ""
    is_ratio: bool = field(default=True, kw_only=True)

    @property
    def ratio(self) -> float | None:
        """The ratio of the medians; None without measurements, or where the other side's is nothing."""
        return _ratio(median(self.ours), median(self.theirs)) if self.ours and self.theirs else None

    @property
    def ratio_of_minima(self) -> float | None:
        """The ratio of the shortest measurements, which other work on the machine changes the least."""
        return _ratio(min(self.ours), min(self.theirs)) if self.ours and self.theirs else None

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        if not self.ours or not self.condition:
            return False
        if not self.is_ratio:
            return max(self.ours) <= self.limit
        return self.ratio is not None and self.ratio <= self.limit

    def as_json(self) -> dict[str, Any]:
        """Return all of it for a JSON file."""
        return {
            **asdict(self),
            "ratio": self.ratio,
            "ratio_of_minima": self.ratio_of_minima,
            "met": self.met,
        }


def _ratio(ours: float, theirs: float) -> float | None:
    return ours / theirs if theirs else None


def table(results: Sequence[Result]) -> str:
    """Return the rows as a Markdown table, and what is worth knowing of them below it."""
    lines = [
        "| row | case | beside | ours | theirs | ratio | of minima | target | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in results:
        limit = f"≤ {row.limit:g}" if row.is_ratio else f"{row.limit:g} {row.unit}"
        cells = (
            row.name,
            row.case,
            row.beside,
            spread(row.ours, row.unit),
            spread(row.theirs, row.unit),
            _number(row.ratio) if row.is_ratio else "",
            _number(row.ratio_of_minima) if row.is_ratio else "",
            limit,
            "met" if row.met else "**missed**",
        )
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"- {row.name}: {row.error or row.note}" for row in results if row.error or row.note]
    return "\n".join([*lines, "", *notes] if notes else lines)


def spread(samples: Sequence[float], unit: str) -> str:
    """Return the median and, in parentheses, the least and the most of some measurements."""
    if not samples:
        return "-"
    low, middle, high = (_amount(value, unit) for value in (min(samples), median(samples), max(samples)))
    return f"{middle} {unit}" if low == high else f"{middle} {unit} ({low} to {high})"


def _amount(value: float, unit: str) -> str:
    return f"{value:g}" if unit == "calls" else f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
