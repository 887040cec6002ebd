#!/bin/sh
# Installs what the tests need and runs lint, types and all tests.
# Arguments go to pytest: scripts/test.sh tests/unit -k name
# As root on a system with apt the missing Debian packages are installed; the Python packages go to .venv.
# With CI=true whatever is missing is a failure; elsewhere it is named, and the tests that need it are skipped.
# shellcheck disable=SC2317 # the functions of the stages are called through stage()
set -eu

cd "$(dirname -- "$0")/.."
# shellcheck source=scripts/system.sh
. scripts/system.sh
# shellcheck source=scripts/environment.sh
. scripts/environment.sh

SYSTEM_PATH=/usr/sbin:/usr/bin:/sbin:/bin # where tests/support/tools.py looks, too
POLICY=/usr/sbin/policy-rc.d

# command:package, one for each tool. A tool that came some other way, as with Docker's own packages, is as good.
TOOLS='
    gpg:gnupg pass:pass git:git
    gnome-keyring-daemon:gnome-keyring dbus-daemon:dbus
    docker-credential-pass:golang-docker-credential-helpers
    docker-credential-secretservice:golang-docker-credential-helpers
    docker-credential-ecr-login:amazon-ecr-credential-helper
    dockerd:docker.io docker:docker.io docker-registry:docker-registry skopeo:skopeo
    podman:podman buildah:buildah
    htpasswd:apache2-utils openssl:openssl setfacl:acl getfacl:acl
    unshare:util-linux nsenter:util-linux setpriv:util-linux setsid:util-linux ip:iproute2
    mount:mount umount:mount gpgconf:gpgconf pinentry-curses:pinentry-curses strace:strace
    python3:python3 systemd-analyze:systemd
    shellcheck:shellcheck dash:dash busybox:busybox bash:bash zsh:zsh fish:fish tmux:tmux
    nginx:nginx-light
'

main() {
    failed=''
    stage tools install_tools
    # Without these two the rest would only fail in other words.
    stage environment make_environment
    [ -z "$failed" ] || finish
    stage lint run scripts/lint.sh
    stage tests run_tests "$@"
    finish
}

# stage NAME COMMAND...: run the command and end with a line that tells how it went.
stage() {
    name=$1
    shift
    echo "==> $name"
    started=$(date +%s)
    # In a subshell of its own, because `set -e` is of no effect in a command whose status is asked for.
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    took="$(($(date +%s) - started)) s"
    if [ "$status" -eq 0 ]; then
        echo "==> $name: passed ($took)"
    else
        echo "==> $name: FAILED with status $status ($took)"
        failed="$failed $name"
    fi
}

finish() {
    if [ -n "$failed" ]; then
        echo "==> scripts/test.sh: FAILED:$failed"
        exit 1
    fi
    echo '==> scripts/test.sh: everything passed'
    exit 0
}

in_ci() { [ "${CI:-}" = true ]; }
has_tool() { PATH=$SYSTEM_PATH command -v "$1" >/dev/null; }

install_tools() {
    missing=$(missing_packages)
    if [ -n "$missing" ] && is_root && has apt-get; then
        install_packages "$missing"
        missing=$(missing_packages)
    fi
    if [ -n "$missing" ]; then
        echo "Missing, and so skipped where a test needs it: $missing"
        is_root || echo "As root this script installs the packages itself."
    fi
    is_root || echo 'Skipped without root: tests/e2e, tests/guides (dockerd and registries in a namespace of their own)'
    show_versions
    if in_ci && [ -n "$missing" ]; then return 1; fi
}

# The packages of the tools that are not there, each once, in one line.
missing_packages() {
    for tool in $TOOLS; do
        has_tool "${tool%%:*}" || echo "${tool##*:}"
    done | sort -u | paste -sd ' ' -
}

# The tests start a dockerd and registries of their own, and no package shall start one for the whole machine:
# not now (policy-rc.d, see invoke-rc.d(8)), and not with the next boot.
install_packages() {
    units=''
    has_tool docker-registry || units="$units docker-registry.service"
    has_tool nginx || units="$units nginx.service"
    has_tool podman || units="$units podman.socket podman.service podman-auto-update.timer podman-restart.service"
    has_tool dockerd || units="$units docker.socket docker.service"
    has_tool dockerd || has_tool containerd || units="$units containerd.service"
    if [ ! -e "$POLICY" ]; then
        trap 'rm -f "$POLICY"' EXIT
        trap 'exit 130' HUP INT TERM
        printf '#!/bin/sh\n# Here only while scripts/test.sh of credhelpers runs.\nexit 101\n' >"$POLICY"
        chmod 755 "$POLICY"
    fi
    echo "Installing: $1"
    apt_get update
    # shellcheck disable=SC2086 # one word for each package
    apt_get install $1
    has_tool docker || apt_get install docker-cli # newer systems keep it apart from the daemon
    # shellcheck disable=SC2086 # one word for each unit
    if [ -n "$units" ] && has systemctl; then systemctl --quiet disable $units; fi
}

# --no-remove: rather fail than take away what somebody has installed from elsewhere.
apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >/dev/null # its errors go elsewhere
}

show_versions() {
    for tool in $TOOLS; do echo "${tool##*:}"; done | sort -u | while read -r package; do
        # shellcheck disable=SC2016 # dpkg-query's own variables
        dpkg-query -W -f '${binary:Package} ${Version}\n' "$package" 2>/dev/null ||
            echo "$package is not from apt"
    done
}

main "$@"
