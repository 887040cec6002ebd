# What stands in DIR/bin: launchers of Python, and fronts in plain sh that answer without it. Sourced.
# shellcheck shell=sh disable=SC2154 # MARKER, checkout and environment are install.sh's

# Print an executable of Python: what is in packaging/scripts behind a first line for this environment.
# -I: neither environment, user site nor current directory; -S: no site at all, which is also the fastest start.
print_launcher() {
    shebang="#!$environment/bin/python -IS"
    case $shebang in
        *[[:space:]]*' -IS') long=yes ;;
        *) if [ "$(printf '%s' "$shebang" | wc -c)" -gt 127 ]; then long=yes; else long=''; fi ;;
    esac
    if [ -z "$long" ]; then
        printf '%s\n' "$shebang"
    else # what the kernel cannot read, sh can: to Python its line is a string
        printf '#!/bin/sh\n%s\n%s\n' "'''exec' '$environment/bin/python' -IS \"\$0\" \"\$@\"" "' '''"
    fi
    cat <<END
# This executable was $MARKER.
import sys

sys.path.append("$environment/site-packages")

END
    sed 1d "$checkout/packaging/scripts/$1"
}

has_front() { [ -f "$checkout/packaging/${1#docker-credential-}-front.sh" ]; }

# Print the front of an executable, which starts the launcher in the environment for all that it does not answer.
print_front() {
    helper=$(printf '%s' "$environment/bin/$1" | sed 's/[&|]/\\&/g')
    sed -e "s|@HELPER@|$helper|" -e "1a # This executable was $MARKER." \
        "$checkout/packaging/${1#docker-credential-}-front.sh"
}
