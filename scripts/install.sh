#!/bin/sh
# Installs the credential helpers: DIR/bin holds the executables, DIR/lib/credhelpers their own Python environment.
# A new environment is built beside the old one and takes its place in one rename, so a run that is killed leaves
# what was there at work. Every executable runs isolated: it imports what packaging/runtime.lock pins, nothing else.
# Nothing outside of DIR is changed, save that root on a system without Python or gpg gets these.
set -eu

MARKER='installed by scripts/install.sh of credhelpers'
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck disable=SC1091 source=scripts/system.sh
. "$checkout/scripts/system.sh"
# shellcheck disable=SC1091 source=scripts/launchers.sh
. "$checkout/scripts/launchers.sh"
# shellcheck disable=SC1091 source=scripts/pip.sh
. "$checkout/scripts/pip.sh"

usage() {
    cat <<'END'
Usage: scripts/install.sh [--prefix DIR] [--python PATH] [--wheels DIR] [--force] [--demo]
       scripts/install.sh [--prefix DIR] --uninstall

  --prefix DIR   install to DIR/bin and DIR/lib/credhelpers; default: /usr/local for root, ~/.local for others
  --python PATH  the Python, 3.11 or newer, to run with; default: the system's own
  --wheels DIR   take all packages from this folder, which `scripts/lock.sh --download DIR` has filled; no network
  --force        replace executables of the same names in DIR/bin that something else installed
  --demo         install, then show a round trip through a throwaway store and an ECR token from a local emulator
  --uninstall    remove what this script installed; credentials, caches and logs of users stay
END
}

is_ours() { [ -f "$1" ] && [ ! -L "$1" ] && head -c 4096 "$1" | grep -qF "$MARKER"; }

main() {
    prefix='' python='' wheels='' force='' demo='' action=install_helpers
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix | --python | --wheels)
                [ -n "${2:-}" ] || fail "$1 needs a value"
                option=${1#--} value=$2
                shift
                shift
                set -- "--$option=$value" "$@"
                continue
                ;;
            --prefix=?*) prefix=${1#*=} ;;
            --python=?*) python=${1#*=} ;;
            --wheels=?*) wheels=$(folder "${1#*=}") ;;
            --force) force=yes ;;
            --demo) demo=yes ;;
            --uninstall) action=uninstall_helpers ;;
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
    umask 022 # what root installs, everybody may read and run
    isolate_pip
    locate
    "$action"
}

folder() { (CDPATH='' cd -- "$1" 2>/dev/null && pwd) || fail "$1 is not a folder: scripts/lock.sh --download makes one"; }

# Name every place that is touched.
locate() {
    if [ -z "$prefix" ] && is_root; then prefix=/usr/local; fi
    [ -n "$prefix" ] || prefix=${HOME:?is not set; say --prefix DIR}/.local
    case $prefix in
        *[[:cntrl:]\"\'\`\$\\]*) fail "quotes, backslashes, dollar signs and control characters cannot stand in --prefix" ;;
        /*) ;;
        *) prefix=$PWD/$prefix ;;
    esac
    while [ "$prefix" != "${prefix%/}" ]; do prefix=${prefix%/}; done
    bin=$prefix/bin
    lib=$prefix/lib
    environment=$lib/credhelpers
    staging=$lib/.credhelpers.new # always rubbish to whoever holds the lock
    aside=$lib/.credhelpers.old
    launchers=$staging/launchers
    launcher=$bin/.credhelpers.new
}

install_helpers() {
    find_python
    executables=$("$python" -B "$checkout/packaging/executables.py")
    refuse_foreign
    made=$(missing_directories "$lib")
    until make_writable "$lib" && lock; do :; done
    trap clean_up EXIT
    trap 'exit 130' HUP INT TERM
    refuse_foreign
    made=$(printf '%s\n' "$made" && missing_directories "$bin")
    make_writable "$bin"
    recover
    say "Installing into $prefix with $python"
    earlier=$(version_in "$environment")
    build_environment
    version=$(version_in "$new")
    swap
    write_launchers
    clean_up
    trap - EXIT
    exec 9<&-
    case $earlier in
        '' | "$version") say "Installed credhelpers $version in $bin: $(in_one_line "$executables")" ;;
        *) say "Upgraded credhelpers from $earlier to $version in $bin: $(in_one_line "$executables")" ;;
    esac
    ensure_gpg
    warn_about_path
    [ -z "$demo" ] || "$bin/credhelpers" demo
    [ -n "$earlier" ] || say "Next, make a store and let Docker use it: credhelpers setup"
}

in_one_line() { printf '%s' "$1" | tr '\n' ' '; }

# Print the version that an environment has of this project; nothing where there is none.
version_in() {
    for found in "$1"/site-packages/credhelpers-*.dist-info; do
        found=${found##*/credhelpers-}
        [ "$found" = '*.dist-info' ] || printf '%s' "${found%.dist-info}"
    done
}

uninstall_helpers() {
    if is_ours "$environment/installed" && [ ! -w "$lib" ]; then fail "cannot write to $lib: run this as root"; fi
    for python in python3 "$environment/bin/python" ''; do ! has "$python" || break; done
    while [ -d "$lib" ] && ! lock; do :; done
    found='' made=''
    for file in "$bin"/docker-credential-* "$bin/credhelpers" "$launcher"; do
        if is_ours "$file"; then
            rm -f "$file"
            found="$found $file"
        fi
    done
    if is_ours "$environment/installed"; then
        made=$(sed -n 's/^made //p' "$environment/installed")
        found="$found $environment"
        rm -rf "$staging"
        mv "$environment" "$staging"
    fi
    if [ -e "$staging" ] || [ -e "$aside" ]; then
        rm -rf "$staging" "$aside"
        found=${found:- what an interrupted run had left}
    fi
    remove_empty "$made"
    if [ -n "$found" ]; then say "Removed:$found"; else say "Nothing of credhelpers is installed in $prefix"; fi
}

refuse_foreign() {
    if [ -e "$environment" ] && ! is_ours "$environment/installed"; then
        fail "$environment was not made by this script: move it away first"
    fi
    printf '%s\n' "$executables" | while read -r name; do
        [ ! -d "$bin/$name" ] || fail "$bin/$name is a directory: move it away first"
        if [ -e "$bin/$name" ] || [ -L "$bin/$name" ]; then
            is_ours "$bin/$name" || [ -n "$force" ] ||
                fail "$bin/$name was installed by something else: --force replaces it, --prefix avoids it"
        fi
    done
}

# Print each directory that making $1 will make.
missing_directories() {
    directory=$1
    while [ ! -d "$directory" ] && [ -n "$directory" ]; do
        printf '%s\n' "$directory"
        directory=${directory%/*}
    done
}

make_writable() {
    if mkdir -p "$1" 2>/dev/null && [ -w "$1" ]; then return; fi
    fail "cannot write to $1: run this as root, or choose a --prefix of your own"
}

# Hold the only run in this prefix until descriptor 9 is closed; the kernel closes it with the last process of this
# run. Fails when the directory was removed meanwhile.
lock() {
    exec 9<"$lib"
    [ -n "$python" ] || return 0
    status=0
    "$python" -IBc 'import fcntl, os, sys
try:
    try:
        fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("install.sh: waiting for another run in this prefix", file=sys.stderr, flush=True)
        fcntl.flock(9, fcntl.LOCK_EX)
except OSError as error:
    print(f"install.sh: cannot lock {sys.argv[1]} ({error.strerror}): let no other run go on", file=sys.stderr)
still_there = os.path.isdir(sys.argv[1]) and os.path.samestat(os.fstat(9), os.stat(sys.argv[1]))
sys.exit(0 if still_there else 75)' "$lib" 9<&9 || status=$?
    [ "$status" -eq 0 ] || [ "$status" -eq 75 ] || fail "cannot lock $lib"
    return "$status"
}

# Clear away what a run that was killed has left.
recover() {
    rm -rf "$staging" "$launcher"
    if [ -d "$aside" ] && [ ! -e "$environment" ]; then mv "$aside" "$environment"; fi
    rm -rf "$aside"
}

clean_up() {
    rm -rf "$staging" "$launcher"
    remove_empty "$made"
}

# Remove those directories of a list, one on a line, that are empty, innermost first.
remove_empty() {
    printf '%s\n' "$1" | sort -ru | while read -r directory; do
        [ -z "$directory" ] || rmdir "$directory" 2>/dev/null || :
    done
}

build_environment() {
    mkdir "$staging" "$staging/tmp"
    export TMPDIR="$staging/tmp"
    new=$staging/environment tools=$staging/tools log=$staging/log
    "$python" -IBm venv "$tools"
    locked build install --no-compile
    (cd "$checkout" && "$tools/bin/python" -IBm hatchling build -t wheel -d "$staging/wheel" >"$log" 2>&1) ||
        fail "the wheel cannot be built: $(cat "$log")"
    "$python" -IBm venv --without-pip "$new"
    locked runtime --python "$new/bin/python" install --no-compile
    pip --python "$new/bin/python" install --no-index --no-deps --no-compile "$staging"/wheel/*.whl
    make_launchers
    packages=$(cd "$new" && echo lib/python3.*/site-packages)
    ln -s "$packages" "$new/site-packages" # a path that stays when an upgrade brings another Python
    "$new/bin/python" -IBm compileall -q -j 2 -s "$new/$packages" -p "$environment/site-packages" "$new/$packages"
    "$new/bin/python" -IBSc 'import sys
sys.path.append(sys.argv[1])
import botocore.session, click, credhelpers.executables, gnupg, keyring, rich, secretstorage' "$new/site-packages" ||
        fail "the new environment does not work on this machine; nothing was changed"
    {
        printf '# This Python environment was %s.\n' "$MARKER"
        if [ -f "$environment/installed" ]; then grep '^made ' "$environment/installed" || :; fi
        printf '%s\n' "$made" | sed -n 's/^./made &/p'
    } >"$new/installed"
}

# Put the new environment in the place of the old one, which then lies in the staging directory.
swap() {
    if [ ! -e "$environment" ]; then
        mv "$new" "$environment"
        return
    fi
    "$python" -IBc 'import os, sys
new, current, aside = map(os.fsencode, sys.argv[1:])
here, exchange = -100, 2  # AT_FDCWD and RENAME_EXCHANGE, from linux/fcntl.h and linux/fs.h
try:
    import ctypes
    exchanged = ctypes.CDLL(None).renameat2(here, new, here, current, exchange) == 0
except (ImportError, OSError, AttributeError):
    exchanged = False
if not exchanged:  # an old kernel or file system; the next run puts right what is killed between the two
    os.rename(current, aside)
    os.rename(new, current)' "$new" "$environment" "$aside"
    rm -rf "$aside"
}

# Clients look helpers up on PATH, so say what they will find there.
warn_about_path() {
    case ":$PATH:" in
        *":$bin:"*) ;;
        *)
            warn "$bin is not on PATH, so clients do not find the helpers: export PATH=\"$bin:\$PATH\""
            return
            ;;
    esac
    printf '%s\n' "$executables" | while read -r name; do
        first=$(command -v "$name") || continue
        cmp -s "$first" "$bin/$name" || warn "$first stands before $bin/$name on PATH: clients run that one"
    done
}

main "$@"
