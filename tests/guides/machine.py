"""A machine for one guide: its own /etc, home, dockerd and processes, which all end with it."""

import base64
import os
import select
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from types import TracebackType
from typing import Self

from tests.e2e.namespace import Namespace

_SECONDS = 120  # a dockerd starts within a few, but not beside a dozen others
_END = "the command has ended with"

# Debian's programs take their configuration from /etc, so the guide's files are where they say they are.
# Of the real machine only the folders for temporary files can be written to.
_SET_UP = """
set -eu
for kept in /tmp /var/tmp; do mount --bind $kept $kept; done
cd "$1"
mkdir etc home bin sbin containers
cp -a /etc/. etc
mount --bind etc /etc
mount --bind home /root
ln -s "$4"/* sbin
mount --bind sbin /usr/local/sbin
for emptied in /run /var/log /var/lib/nginx; do mount -t tmpfs tmpfs $emptied; done
mount -o remount,bind,ro /
mkdir -p /run/lock /var/log/nginx /etc/docker/registry
cat "$2" >>/etc/ssl/certs/ca-certificates.crt
if [ -d /etc/containers ]; then
    printf '[storage]\\ndriver = "vfs"\\ngraphroot = "%s"\\nrunroot = "%s"\\n' \
        "$1/containers/graph" "$1/containers/run" >/etc/containers/storage.conf
fi
rm -rf /etc/nomad.d /etc/credhelpers /etc/docker/daemon.json
cp "$3"/* bin
export PATH="$1/bin:/usr/local/sbin:$PATH"
systemctl start docker
cd
exec 2>&1
"""


class Machine:
    """A shell of root on a machine of its own, while its `with` block lasts.

    Its network is the namespace's, with the registries and AWS. `sudo` and `systemctl`, which are not there,
    are the scripts in `stand-ins/`.

    Args:
        namespace: The network, and the names in it.
        directory: A folder near the root, for its files.
        authority: A certificate that it trusts.
        installed: The folder of our executables, which it has in /usr/local/sbin, where services look too.
        environment: What the shell begins with; HOME is /root.
    """

    def __init__(
        self,
        namespace: Namespace,
        directory: Path,
        authority: Path,
        installed: Path,
        environment: Mapping[str, str],
    ) -> None:
        alone = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"]
        stand_ins = Path(__file__).with_name("stand-ins")
        self._argv = namespace.join(*alone, "sh")
        self._set_up = f"set -- {directory} {authority} {stand_ins} {installed}\n{_SET_UP}"
        self._environment = {**environment, "HOME": "/root"}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *self._argv],
            env=self._environment,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._write(self._set_up)
        printed, status = self.run("set +eu")
        assert status == 0, printed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_SECONDS)
        self._process.stdout.close()

    def run(self, command: str) -> tuple[str, int]:
        """Return what a command prints, on either stream, and its exit status."""
        self._write(f"{{ {command}\n}} </dev/null; printf '\\n{_END} %s\\n' $?\n")
        printed = self._read()
        output, _, status = printed.rpartition(f"\n{_END} ")
        assert status, f"$ {command}\n{printed}"
        return output, int(status)

    def write(self, name: str, text: str) -> None:
        """Write a file; from inside, because a link in its path is one of the machine."""
        path = quote(name.replace("~", "/root", 1))
        content = base64.b64encode(text.encode()).decode()
        printed, status = self.run(f'mkdir -p "$(dirname {path})" && echo {content} | base64 -d >{path}')
        assert status == 0, printed

    def _write(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def _read(self) -> str:
        """Return what is printed until a command has ended, or the shell has."""
        assert self._process.stdout is not None
        descriptor, deadline, printed = self._process.stdout.fileno(), time.monotonic() + _SECONDS, b""
        while not (_END.encode() in printed and printed.endswith(b"\n")):
            ready, _, _ = select.select([descriptor], [], [], deadline - time.monotonic())
            chunk = os.read(descriptor, 1 << 16) if ready else b""
            if not chunk:
                break
            printed += chunk
        return printed.decode(errors="replace")
