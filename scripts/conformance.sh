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

# Print a path that stays true in another directory.
absolute() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s' "$PWD/$1" ;; esac; }

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
executable=$(absolute "$executable")
shift

# The options are put behind the others one by one, until all have gone round.
left=$#
while [ "$left" -gt 0 ]; do
    case $1 in
        --)
            shift
            left=$((left - 1))
            while [ "$left" -gt 0 ]; do
                set -- "$@" "$1"
                shift
                left=$((left - 1))
            done
            break
            ;;
        --verbs | --env | --deviations)
            [ "$left" -ge 2 ] || fail "$1 needs a value"
            case $1 in
                --verbs) set -- "$@" "--verbs=$2" ;;
                --env) set -- "$@" "--helper-env=$2" ;;
                --deviations) set -- "$@" "--deviations=$(absolute "$2")" ;;
            esac
            shift 2
            left=$((left - 2))
            ;;
        *)
            usage >&2
            fail "unknown argument: $1 (those of pytest come after --)"
            ;;
    esac
done

cd "$checkout"
[ -x .venv/bin/python ] || fail 'there is no .venv: make unit makes it'
exec .venv/bin/python -m pytest -q --helper="$executable" "$@" tests/conformance
