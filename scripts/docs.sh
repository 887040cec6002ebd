#!/bin/sh
# Checks the documentation: links and anchors lead somewhere, shell blocks can be parsed, and the commands, options,
# scripts and targets that are shown exist. Every option of credhelpers is in its reference.
set -eu

cd "$(dirname -- "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh

case ${1:-} in
    -h | --help)
        say 'Usage: scripts/docs.sh [PYTEST-ARGS]'
        exit 0
        ;;
esac
need_environment .
exec .venv/bin/python -m pytest -q tests/unit/test_docs.py tests/unit/test_cli_reference.py "$@"
