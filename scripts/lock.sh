#!/bin/sh
# Writes packaging/*.lock anew: the newest versions that pyproject.toml allows, with their hashes, for every
# supported Python and platform. Run it when a dependency changes or has a fix; then look at the difference.
# With --download it changes no lock, but gets what these name into a folder.
set -eu

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck disable=SC1091 source=scripts/system.sh
. "$checkout/scripts/system.sh"
# shellcheck disable=SC1091 source=scripts/pip.sh
. "$checkout/scripts/pip.sh"

usage() {
    cat <<'END'
Usage: scripts/lock.sh
       scripts/lock.sh --download DIR [--python PATH]

  --download DIR  download all that scripts/install.sh --wheels DIR needs, for this system and its Python
  --python PATH   for this Python, 3.11 or newer; default: the one that scripts/install.sh takes
END
}

main() {
    python='' wheels='' directory=''
    while [ $# -gt 0 ]; do
        case $1 in
            --download | --python)
                [ -n "${2:-}" ] || fail "$1 needs a value"
                if [ "$1" = --download ]; then directory=$2; else python=$2; fi
                shift
                ;;
            -h | --help)
                usage
                exit 0
                ;;
            *)
                usage >&2
                fail "unknown argument: $1"
                ;;
        esac
        shift
    done
    umask 022
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    if [ -n "$directory" ]; then download; else write_locks; fi
}

download() {
    isolate_pip
    find_python
    tools=$work/tools log=$work/log
    "$python" -IBm venv "$tools"
    mkdir -p "$directory" || fail "cannot make $directory"
    for name in build runtime; do locked "$name" download --dest "$directory"; done
    say "$directory has all packages for $python; on a machine without network: scripts/install.sh --wheels DIR"
}

write_locks() {
    cd "$checkout"
    python3 -m venv "$work"
    "$work/bin/python" -m pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'

    # 10.2 brings lazy-importer, which names no author and replaces the built-in __import__ of the whole process.
    echo 'importlib-metadata<10.2' >"$work/constraints"

    lock runtime 'What the installed executables run with.' pyproject.toml
    lock build 'What builds the wheel of this project.' --group build
    lock dev 'What tests, lint and types need, and all that the executables run with.' pyproject.toml \
        --group dev --group build --constraint packaging/runtime.lock --constraint packaging/build.lock
}

# lock NAME WHAT [uv-argument...]: write packaging/NAME.lock, which says in its first line WHAT it pins.
# Versions of the last days are skipped: one that an attacker published in a project's name is mostly
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

main "$@"
