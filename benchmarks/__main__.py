"""The command line of the benchmarks: benchmarks/run."""

import argparse
import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import growth, machine, migration, peers
from benchmarks.result import Result, table
from benchmarks.rows import ROWS, Bench
from benchmarks.sampling import MeasurementError

_RUNS, _QUICK_RUNS = 30, 5


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    options = _parser().parse_args()
    directory = Path(options.work or tempfile.mkdtemp(prefix="ch-bench-")).resolve()
    try:
        return _run(options, directory)
    finally:
        if not options.work:
            shutil.rmtree(directory, ignore_errors=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmarks/run",
        description="Measure the helpers beside their peers, in turn, and print a table.",
        epilog="As root what is missing of the peers is installed with apt. Everything else goes to a "
        "directory that is removed at the end. A row that misses its target is printed as missed.",
    )
    parser.add_argument("--rows", metavar="NAME,…", help=f"only these: {', '.join(ROWS)}")
    parser.add_argument("--runs", type=int, help=f"how often to measure each side; default: {_RUNS}")
    parser.add_argument("--quick", action="store_true", help=f"measure {_QUICK_RUNS} times only")
    parser.add_argument("--growth", action="store_true", help="show how cost grows instead of the table")
    parser.add_argument("--migrate", action="store_true", help="move a thousand secrets instead of the table")
    parser.add_argument("--json", metavar="FILE", help="write every single measurement to a file, too")
    parser.add_argument(
        "--work",
        metavar="DIR",
        help="install to DIR and keep it for the next run, which installs nothing again",
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    return parser


def _run(options: argparse.Namespace, directory: Path) -> int:
    runs = options.runs or (_QUICK_RUNS if options.quick else _RUNS)
    names = options.rows.split(",") if options.rows else list(ROWS)
    unknown = [name for name in names if name not in ROWS]
    if unknown or runs < 1:
        _say(f"no such row: {', '.join(unknown)}" if unknown else "--runs must be 1 at least")
        return 2
    with_aws = "ecr-cold" in names and not (options.growth or options.migrate)
    installed = peers.install(directory, with_aws=with_aws)
    if options.migrate:
        with tempfile.TemporaryDirectory(prefix="ch-bench-") as place:
            print(migration.report(installed, Path(place)))  # noqa: T201
        return 0
    if options.growth:
        with tempfile.TemporaryDirectory(prefix="ch-bench-") as place:
            print(growth.report(Bench(installed, Path(place), runs)))  # noqa: T201
        return 0
    before = machine.describe()
    noise: list[float] = []
    results = [_measure(name, installed, runs, noise) for name in names]
    print(table(results))  # noqa: T201
    print(f"\n{_circumstances(runs, noise, before)}")  # noqa: T201
    if options.json:
        report = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": before,
            "versions": installed.versions(),
            "runs": runs,
            "noise_ms": noise,
            "rows": [result.as_json() for result in results],
        }
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if options.check and not all(result.met for result in results) else 0


def _measure(name: str, installed: peers.Peers, runs: int, noise: list[float]) -> Result:
    """Measure a row and, before and after it, the noise; a row that cannot be measured says why."""
    _say(f"measuring {name}")
    half = max(1, runs // 2)
    noise += [machine.YARDSTICK.time() for _ in range(half)]
    try:
        with tempfile.TemporaryDirectory(prefix="ch-bench-") as place:
            result = ROWS[name](Bench(installed, Path(place), runs))
    except (MeasurementError, OSError) as error:
        result = Result(name, "", "", 0, error=str(error))
    noise += [machine.YARDSTICK.time() for _ in range(half)]
    return result


def _circumstances(runs: int, noise: list[float], before: dict[str, Any]) -> str:
    load = f"load {before['load'][0]} before, {machine.describe()['load'][0]} after"
    where = f"{before['processors']} processors, {before['processor']}; {before['system']}"
    return f"{runs} runs; {machine.noise(noise)}; {load}; {where}; Python {before['python']}"


def _say(text: str) -> None:
    print(f"benchmarks: {text}", file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
