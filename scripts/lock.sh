#!/bin/sh
# Writes packaging/*.lock anew: the newest versions that pyproject.toml allows, with their hashes, for every
# supported Python and platform. Run it when a dependency changes or has a fix; then look at the difference.
set -eu

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# lock NAME WHAT [uv-argument...]: write packaging/NAME.lock, which says in its first line WHAT it pins.
# Versions of the last days are passed over: one that somebody else published in a project's name is mostly
# found out by then.
lock() {
    name=$1 what=$2
    shift 2
    "$work/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
        --exclude-newer '7 days' --constraint "$work/constraints" \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@" -o "$work/$name.lock"
    {
        printf '# %s\n# Written by scripts/lock.sh; not edited by hand.\n' "$what"
        cat "$work/$name.lock"
    } >"$work/$name"
    mv "$work/$name" "packaging/$name.lock"
}

cd "$checkout"
umask 022
python3 -m venv "$work"
"$work/bin/python" -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'

# 10.2 brings lazy-importer, which names no author and replaces the built-in __import__ of the whole process.
echo 'importlib-metadata<10.2' >"$work/constraints"

lock runtime 'What the installed executables run with.' pyproject.toml
lock build 'What builds the wheel of this project.' --group build
lock dev 'What tests, lint and types need, and all that the executables run with.' pyproject.toml \
    --group dev --group build --constraint packaging/runtime.lock --constraint packaging/build.lock
