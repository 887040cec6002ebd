# What stands in DIR/bin: launchers of Python, and fast paths in plain sh that answer without it. Sourced.
# shellcheck shell=sh disable=SC2154 # MARKER, checkout, environment and the others are install.sh's

# The lines of the wheel's sh that have nothing to do with where Python is.
prologue=$(sed -n '/^# A directory/,/^ulimit/p' "$checkout/packaging/launcher.sh")

# Print an executable of the wheel for this environment: its sh need not look for the Python.
print_launcher() {
    printf '%s\n' '#!/bin/sh' "# This executable was $MARKER." "sh=r''':'" "$prologue" \
        "exec '$environment/bin/python' -IS -X no_core_files \"\$0\" \"\$@\"" "'''"
    sed -e "1,/^'''\$/d" -e "s|^packages = .*|packages = \"$(quoted "$environment")/site-packages\"|" "$1"
}

has_fast_path() { [ -f "$checkout/packaging/${1#docker-credential-}-fast-path.sh" ]; }

# Print the fast path of an executable, which starts the launcher in the environment for what it does not answer.
print_fast_path() {
    sed -e "s|@HELPER@|$(quoted "$environment/bin/$1")|" -e "1a # This executable was $MARKER." \
        "$checkout/packaging/${1#docker-credential-}-fast-path.sh"
}

# What sed puts in for this text.
quoted() { printf '%s' "$1" | sed 's/[&|]/\\&/g'; }

# Make the executables for DIR/bin in $launchers, from those that pip has put into the new environment. There stay
# the links to Python, which no chmod may follow, and the launchers that stand behind a fast path.
make_launchers() {
    mkdir "$launchers"
    printf '%s\n' "$executables" | while read -r name; do
        print_launcher "$new/bin/$name" >"$launchers/$name"
    done
    find "$new/bin" -type f -exec rm {} +
    printf '%s\n' "$executables" | while read -r name; do
        has_fast_path "$name" || continue
        mv "$launchers/$name" "$new/bin/$name"
        chmod 755 "$new/bin/$name"
        print_fast_path "$name" >"$launchers/$name"
    done
}

write_launchers() {
    printf '%s\n' "$executables" | while read -r name; do
        cat "$launchers/$name" >"$launcher"
        chmod 755 "$launcher"
        mv -f "$launcher" "$bin/$name"
    done
    for file in "$bin"/docker-credential-*; do # those that an older version had and this one has not
        case " $(in_one_line "$executables") " in
            *" ${file##*/} "*) ;;
            *) ! is_ours "$file" || rm -f "$file" ;;
        esac
    done
}
