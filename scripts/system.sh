# What the scripts need of the machine: Python, gpg, and the system's package manager where root runs it. Sourced.
# shellcheck shell=sh

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() {
    warn "$@"
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }

# need_environment CHECKOUT: fail unless the checkout has the Python environment that environment.sh makes.
need_environment() { [ -x "$1/.venv/bin/python" ] || fail 'there is no .venv: make unit makes it'; }

# Set $python to an interpreter that is new enough and can make environments; get one where that is possible.
find_python() {
    asked=$python crippled=''
    if search_python; then return; fi
    if [ -n "$crippled" ]; then
        version=$("$crippled" -IBc 'import sys; print("python%d.%d" % sys.version_info[:2])')
        if has apt-get && system_install "$version-venv" && search_python; then return; fi
        fail "$crippled lacks venv or ensurepip: as root, on Debian or Ubuntu, apt-get install $version-venv"
    fi
    [ -z "$asked" ] || fail "$asked is not Python 3.11 or newer"
    if has apt-get; then system_install python3-venv || :; else system_install python3.12 || :; fi
    if search_python; then return; fi
    fail "there is no Python 3.11 or newer: as root, apt-get install python3-venv (Debian 12, Ubuntu 24.04) or" \
        "dnf install python3.12 (Amazon Linux, Red Hat), or name another one with --python PATH"
}

# The system's interpreters come first: those of version managers go away with an upgrade, or with their user.
search_python() {
    for candidate in ${asked:+"$asked"} ${asked:-/usr/bin/python3 /usr/bin/python3.14 /usr/bin/python3.13 \
        /usr/bin/python3.12 /usr/bin/python3.11 python3 python3.14 python3.13 python3.12 python3.11}; do
        has "$candidate" || continue
        # The name with the version on it: "python3" may mean another one after the next system upgrade.
        candidate=$("$candidate" -IBc 'import os, sys
if sys.version_info < (3, 11): sys.exit(1)
base = getattr(sys, "_base_executable", "") or sys.executable
versioned = os.path.join(os.path.dirname(base), "python%d.%d" % sys.version_info[:2])
print(versioned if os.path.exists(versioned) else base)' 2>/dev/null) || continue
        if "$candidate" -IBc 'import ensurepip, venv' 2>/dev/null; then
            python=$candidate
            case $python in
                "${HOME:-/root}"/*) ! is_root || warn "only root can run $python, and so what runs with it" ;;
            esac
            return 0
        fi
        crippled=${crippled:-$candidate}
    done
    return 1
}

# system_install PACKAGE...: with the system's package manager, as root; fails where that cannot be done.
system_install() {
    is_root || return 1
    warn "installing $* with the system's package manager"
    if has apt-get; then
        set -- env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
        "$@" </dev/null >&2 || { apt-get update -q >&2 && "$@" </dev/null >&2; }
    elif has dnf; then
        dnf install -q -y "$@" </dev/null >&2
    elif has yum; then
        yum install -q -y "$@" </dev/null >&2
    else
        return 1
    fi
}

# Get gpg, without which everything but docker-credential-pass works.
ensure_gpg() {
    if has gpg; then return; fi
    if has apt-get; then package=gnupg; else package=gnupg2; fi
    system_install "$package" || warn "gpg is missing, docker-credential-pass needs it: as root, install $package"
}
