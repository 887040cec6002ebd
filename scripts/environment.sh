# Makes the Python environment of the checks and tests, .venv. Sourced in the project's directory, after system.sh.
# shellcheck shell=sh

unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE # compiled modules save seconds
VENV=.venv

# Make .venv anew whenever the lock differs from the one that it was made from.
make_environment() {
    if ! cmp -s packaging/dev.lock "$VENV/dev.lock" || ! "$VENV/bin/python" -c ''; then
        python=${PYTHON:-}
        find_python
        run "$python" -m venv --clear "$VENV"
        run "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
            --require-hashes -r packaging/dev.lock
        cp packaging/dev.lock "$VENV/dev.lock"
    fi
    "$VENV/bin/python" -VV
}

# run_tests pytest-argument...: two at a time, and the one that is done first takes over what is left to the other.
run_tests() { run "$VENV/bin/python" -m pytest -n 2 --dist worksteal --durations 10 "$@"; }

run() {
    echo "+ $*"
    "$@"
}
