#!/bin/sh
# Stages the failures of tests/gallery, has doctor name each, carries out its remedy, and prints how many then work.
# Arguments go to pytest: scripts/gallery.sh -k expired
# It needs what scripts/test.sh installs; a tool that is missing is named by the test that needs it.
set -eu

cd "$(dirname -- "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh
# shellcheck source=scripts/environment.sh
. scripts/environment.sh

make_environment
run_tests tests/gallery "$@"
