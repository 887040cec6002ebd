#!/bin/sh
# Runs the conformance suite on one executable, of any project; docs/conformance.md says what it checks.
set -eu

usage() {
    cat <<'END'
Usage: scripts/conformance.sh EXECUTABLE [--verbs LIST] [--env NAME=VALUE]... [--deviations FILE] [-- PYTEST-ARGS]

  --verbs LIST        the verbs that it implements, such as get,list; default: store,get,erase,list
  --env NAME=VALUE    set this variable for it; it gets HOME, an empty directory for each test, PATH, LANG and TMPDIR
  --deviations FILE   what it is known not to do, as TOML; each of these tests must fail
  PYTEST-ARGS         such as -x, or -k secret, or -n 2
END
}

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck disable=SC1091 source=scripts/system.sh
. "$checkout/scripts/system.sh"

case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
    '' | -*)
        usage >&2
        fail 'name an executable'
        ;;
esac
executable=$(command -v -- "$1") || fail "there is no executable $1"
shift
# The options are pytest's, too: tests/conformance/conftest.py declares them.
for argument do
    shift
    [ "$argument" = -- ] || set -- "$@" "$argument"
done
need_environment "$checkout"
# -P: no module of the working directory is imported.
exec "$checkout/.venv/bin/python" -P -m pytest -q -c "$checkout/pyproject.toml" "--helper=$executable" "$@" "$checkout/tests/conformance"
