"""Runs the installed `credhelpers` in forks of its own Python that has imported its libraries already.

What a run sees is what it sees when it is started: the installed file, its arguments, environment, standard
streams and a session of its own. Only the time that a start takes is saved, in hundreds of runs.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

_SECONDS = 90.0
_PIPE = 1 << 16  # bytes that a pipe takes without a reader
_LANGUAGE = {"LANG": "C.UTF-8"}

# sys.argv: the descriptor of the socket on which orders come, and the executable.
_PARENT = """
import array, atexit, contextlib, gc, importlib, json, os, resource, socket, sys
channel, executable = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
STREAMS = (("stdin", "r", False), ("stdout", "w", False), ("stderr", "w", True))
code = compile(open(executable).read(), executable, "exec")

def run(order, streams, report):
    os.setsid()
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    for number, (name, mode, lines) in enumerate(STREAMS):
        former = getattr(sys, name)
        if number in order["closed"]:
            os.close(number)
            setattr(sys, name, None)
            setattr(sys, f"__{name}__", None)
            continue
        stream = open(number, mode, encoding=former.encoding, errors=former.errors, closefd=False)
        stream.reconfigure(line_buffering=lines)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    channel.close()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    sys.argv = [executable, *order["arguments"]]
    status = 1
    try:
        exec(code, {"__name__": "__main__", "__file__": executable})
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os.write(report, json.dumps([sys.path, sorted(sys.modules)]).encode())
        try:
            atexit._run_exitfuncs()
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
        except OSError:
            status = 120  # as the interpreter ends with what it cannot write
        finally:
            os._exit(status)

while True:
    message, ancillary, _, _ = channel.recvmsg(1 << 20, 1 << 10)
    if not message:
        break
    streams = array.array("i", ancillary[0][2])
    ours, theirs = os.pipe()
    gc.freeze()  # so that a collection in the child copies no page
    child = os.fork()
    if not child:
        run(json.loads(message), streams, theirs)
    os.close(theirs)
    for descriptor in streams:
        os.close(descriptor)
    channel.send(b"%d" % child)
    with os.fdopen(ours) as report:
        said = report.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    channel.send(b"%d" % status)
    path, modules = json.loads(said or "[[], []]")
    own, sys.path = sys.path, path
    for name in set(modules) - set(sys.modules):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.path = own
"""


def run(
    executable: Path,
    arguments: Sequence[str],
    env: Mapping[str, str],
    stdin: bytes = b"",
    *,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    closed: Sequence[int] = (),
    cwd: str | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run the installed `credhelpers` to its end, in a session of its own.

    Args:
        executable: Its path.
        arguments: Its command line.
        env: Its environment.
        stdin: What it can read.
        stdout: Where its output goes instead of into the answer.
        stderr: Where its messages go instead of into the answer; `subprocess.STDOUT`: to its output.
        closed: Which of the streams 0 to 2 are closed.
        cwd: Its working directory; that of this process when none is named.
    """
    command = [str(executable), *arguments]
    python = executable.parent.parent / "lib/credhelpers/bin/python"
    speaks_alike = {name: value for name, value in env.items() if name.startswith(("LANG", "LC_", "PYTHON"))}
    alone = threading.current_thread() is threading.main_thread()  # the parent makes one fork at a time
    if len(stdin) > _PIPE or speaks_alike != _LANGUAGE or not python.exists() or not alone:
        closing = " ".join(f"{number}>&-" for number in closed)
        return subprocess.run(
            ["/bin/sh", "-c", f'exec "$0" "$@" {closing}', *command] if closed else command,
            input=stdin,
            env=env,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            timeout=_SECONDS,
            check=False,
            start_new_session=True,
        )
    channel = _parent(python, executable)
    pipes = [os.pipe() for _ in range(3)]
    os.write(pipes[0][1], stdin)
    os.close(pipes[0][1])
    theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
    passed = [theirs[0], theirs[1] if stdout == subprocess.PIPE else stdout, theirs[2]]
    if stderr != subprocess.PIPE:
        passed[2] = passed[1] if stderr == subprocess.STDOUT else stderr
    order = {"arguments": arguments, "env": dict(env), "cwd": cwd or os.getcwd(), "closed": closed}
    socket.send_fds(channel, [json.dumps(order).encode()], passed)
    for descriptor in theirs:
        os.close(descriptor)
    child = int(channel.recv(100))
    try:
        out, err = _read_all([pipes[1][0], pipes[2][0]])
    except TimeoutError:
        os.killpg(child, signal.SIGKILL)
        channel.recv(100)
        raise subprocess.TimeoutExpired(command, _SECONDS) from None
    return subprocess.CompletedProcess(command, int(channel.recv(100)), out, err)


def _read_all(descriptors: list[int]) -> list[bytes]:
    """Read pipes to their ends and close them.

    Raises:
        TimeoutError: They have not all come to an end in time.
    """
    deadline = time.monotonic() + _SECONDS
    content = dict.fromkeys(descriptors, b"")
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, _PIPE)
                content[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return list(content.values())


@cache
def _parent(python: Path, executable: Path) -> socket.socket:
    """Start the process of which every run is a fork; it ends when its channel does, with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    subprocess.Popen(
        [python, "-IS", "-X", "no_core_files", "-c", _PARENT, str(theirs.fileno()), executable],
        env=_LANGUAGE,
        stdin=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        cwd="/",
    )
    theirs.close()
    return ours
