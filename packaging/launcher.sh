# What starts the Python of an executable, in sh. packaging/executables.py puts it before that Python.
# shellcheck shell=sh disable=SC2154 # self is the hook's: the path by which the file was started

# The Python is the one that the file was installed for, and it runs isolated: -I is without PYTHON* variables,
# user site and current directory, -S is without site and so without sitecustomize and .pth files.
# A directory as standard input ends CPython before any of our code runs; an empty request is answered.
[ ! -d /dev/stdin ] || exec </dev/null
# A core file would hold secrets. To Python this costs a library, so it is told that it is done.
# shellcheck disable=SC3045 # dash, busybox and bash have ulimit -S
ulimit -S -c 0
# pipx and uv make links to the executables.
if [ -L "$self" ]; then self=$(PATH=/usr/bin:/bin:${PATH-} readlink -f -- "$self"); fi
bin=${self%/*} python=''
for directory in "$bin"/../lib/python3.*/*-packages; do
    set -f # PATH is a list of names, not of patterns
    if [ -f "$directory/credhelpers/executables.py" ]; then
        isolation=-IS
    elif [ -f "$directory/_editable_impl_credhelpers.pth" ]; then
        isolation=-I # this .pth file, which site reads, leads to the package
    else
        continue
    fi
    version=${directory#"$bin/../lib/"}
    version=${version%%/*}
    IFS=:
    # A virtual environment has its Python beside the executable; for `pip install --user` it is the system's.
    for place in "$bin" ${PATH-} /usr/local/bin /usr/bin; do
        case $place in /*) ;; *) continue ;; esac
        if [ -f "$place/$version" ] && [ -x "$place/$version" ]; then
            python=$place/$version packages=$directory flags=$isolation
            break
        fi
    done
done
if [ -z "$python" ]; then
    printf '%s\n' 'credhelpers cannot be started: its Python or its packages are missing'
    printf '%s\n' "$self: no lib/python3.* beside it has credhelpers and its Python: install it again" >&2
    exit 1
fi
# Some of the packages may be the system's: outside of virtual environments, and in those that say so.
shared=yes
if [ -f "$bin/../pyvenv.cfg" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in include-system-site-packages*=*false*) shared='' ;; esac
    done <"$bin/../pyvenv.cfg"
fi
exec "$python" "$flags" -X no_core_files -X "packages=$packages" -X "shared=$shared" "$self" "$@"
