#!/bin/sh
# Runs the property tests on random input, round after round, until the time is up or a test fails. A round is short, so
# that each property has its turn. Hypothesis keeps a failing example in .hypothesis/, and begins later runs with it.
set -eu

usage() {
    cat <<'END'
Usage: scripts/fuzz.sh [SECONDS] [PYTEST-ARGS]

  SECONDS       how long; default: 300
  PYTEST-ARGS   such as -k json_text; they apply to the property tests of tests/unit
END
}

cd "$(dirname -- "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh

seconds=300
case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
    [0-9]*)
        case $1 in *[!0-9]*) fail "$1 is not a number of seconds" ;; esac
        seconds=$1
        shift
        ;;
esac
need_environment .
export HYPOTHESIS_PROFILE=fuzz
end=$(($(date +%s) + seconds))
round=0
while left=$((end - $(date +%s))) && [ "$left" -gt 0 ]; do
    round=$((round + 1)) status=0
    say "==> round $round, $left s left"
    # pytest ends at an interrupt in good order; a test that does not end then is killed.
    timeout --foreground --signal=INT --kill-after=30 "$left" \
        .venv/bin/python -m pytest -q -x -m hypothesis --hypothesis-seed=random -p no:cacheprovider tests/unit "$@" ||
        status=$?
    case $status in
        0) ;;
        124) break ;;
        *) fail "a property does not hold, see above (status $status)" ;;
    esac
done
say "==> no failure in $round rounds, $seconds s; the last round may be cut short"
