#!/bin/sh
# Checks style, format and types of the Python, and every shell script; changes nothing.
set -eu

usage() {
    cat <<'END'
Usage: scripts/lint.sh [--fix]

  --fix   let ruff mend what it can first, and format
END
}

cd "$(dirname -- "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh

# Every file that a shell runs or reads, whatever its name.
shell_scripts() {
    find .ci benchmarks packaging scripts -type f | sort | while IFS= read -r file; do
        case $file:$(head -n 1 "$file" | tr -d '\0') in *.sh:* | *:'#!'*sh) echo "$file" ;; esac
    done
}

check() {
    say "+ $*"
    "$@" || failed="$failed ${1##*/}"
}

fix='' failed=''
case ${1:-} in
    '') ;;
    --fix) fix=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        fail "unknown argument: $1"
        ;;
esac
need_environment .
if [ -n "$fix" ]; then
    check .venv/bin/ruff check --fix
    check .venv/bin/ruff format
else
    check .venv/bin/ruff check
    check .venv/bin/ruff format --check
fi
check .venv/bin/mypy
if has shellcheck; then
    # shellcheck disable=SC2046 # no path of ours has a space
    check shellcheck -x $(shell_scripts)
else
    say 'Skipped: shellcheck is missing'
fi
[ -z "$failed" ] || fail "FAILED:$failed"
