# Runs pip with what packaging/*.lock name, untouched by the settings of other Pythons. Sourced.
# shellcheck shell=sh disable=SC2154 # checkout, tools, wheels and log are the sourcing script's

# Nothing that is set for another Python or another pip may reach the ones here, and these write nothing but
# what they were told: no cache of pip, no compiled modules beside the system's Python.
isolate_pip() {
    unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_REQUIREMENT PIP_PYTHON
    export PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
    export PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
    [ -z "$wheels" ] || export PIP_CONFIG_FILE=/dev/null # which could name more places to look at
}

# locked NAME pip-argument...: let pip do something with what packaging/NAME.lock names.
locked() {
    lock=$checkout/packaging/$1.lock
    shift
    [ -z "$wheels" ] || set -- "$@" --no-index --find-links "$wheels"
    pip "$@" --require-hashes --only-binary :all: --no-deps -r "$lock"
}

pip() {
    rm -f "$log.all"
    "$tools/bin/python" -IBm pip --quiet --log "$log.all" "$@" >"$log" 2>&1 || explain_pip
}

# What pip says last when there is no network is that it found no version of a package.
explain_pip() {
    missing=$(sed -n 's/^ERROR: No matching distribution found for \([^ ]*\).*/\1/p' "$log")
    if [ -n "$missing" ] && [ -n "$wheels" ]; then
        fail "$wheels lacks $missing for this Python; nothing was changed: fill it with scripts/lock.sh --download"
    fi
    if [ -n "$missing" ] && grep 'Could not fetch URL' "$log.all" | grep -qv ': 404 '; then
        reason=$(grep -Eo 'Errno -?[0-9]+\] [A-Za-z ]+|timed out|: [45][0-9]{2} [A-Za-z ]+|certificate verify failed' \
            "$log.all" | grep -v '^: 404' | head -n 1 | sed 's/^.*[]:] //')
        fail "the package index cannot be reached${reason:+ ($reason)}; nothing was changed: check the network and" \
            "the proxy, or bring the packages in a folder (see --wheels in scripts/install.sh --help)"
    fi
    cat "$log" >&2
    fail 'pip failed; nothing was changed'
}
