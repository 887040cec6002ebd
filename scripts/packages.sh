#!/bin/sh
# Builds the sdist and the wheel, without a network: hatchling is the one in .venv, which packaging/dev.lock pins. The
# same commit gives the same bytes.
set -eu

usage() {
    cat <<'END'
Usage: scripts/packages.sh [--output DIR]

  --output DIR   where to put them; default: dist
  SOURCE_DATE_EPOCH in the environment is the time of every file in them; default: that of the last commit
END
}

cd "$(dirname -- "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh

output=dist
case ${1:-} in
    '') ;;
    -h | --help)
        usage
        exit 0
        ;;
    --output)
        output=${2:?"--output needs a folder"}
        ;;
    *)
        usage >&2
        fail "unknown argument: $1"
        ;;
esac
need_environment .
# What is not a repository, such as an unpacked sdist, gets the fixed time that hatchling has for that.
committed=$(git log -1 --format=%ct 2>/dev/null) || committed=''
[ -z "${SOURCE_DATE_EPOCH:-$committed}" ] || export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$committed}"
umask 022
mkdir -p "$output"
.venv/bin/python -I -m hatchling build -d "$output" >&2
(cd "$output" && sha256sum -- credhelpers-*.tar.gz credhelpers-*.whl)
