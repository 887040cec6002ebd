#!/bin/sh
# The quick loop: the tests of tests/unit, which start no daemon, in less than half a minute.
# Arguments go to pytest: scripts/unit.sh -k name
# The Python packages go to .venv; a tool of the system that is missing is named by the test that needs it.
set -eu

cd "$(dirname -- "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh
# shellcheck source=scripts/environment.sh
. scripts/environment.sh

make_environment
run_tests tests/unit "$@"
