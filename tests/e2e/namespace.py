"""A machine within the machine: its own network, /etc/hosts and /etc/docker; the real ones stay."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.e2e.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COMMAND_SECONDS = 120

# /etc/docker is there wherever docker.io and docker-registry are installed: both packages ship it.
# A containerd of the machine is hidden, because dockerd would use it instead of starting its own.
# The last command keeps the namespaces alive until its standard input is closed.
HOLD = """
set -eu
mount --bind "$1/hosts" /etc/hosts
mount --bind "$1/docker" /etc/docker
if [ -d /run/containerd ]; then mount --bind "$1/nothing" /run/containerd; fi
ip link set lo up
while read -r address _; do ip address add "$address/32" dev lo; done <"$1/addresses"
echo "the namespace stands"
exec cat
"""


class Namespace:
    """What the programs of a test see as their machine. Other processes see nothing of it.

    Its network reaches nobody outside, so that no test depends on the Internet and any number of runs can use
    the same ports. Every name in ``hosts`` leads to an address of its own there.

    One process holds it open; everything else joins it. When they have all ended, it is gone.
    """

    def __init__(self, directory: Path, hosts: Sequence[str]) -> None:
        self._docker = directory / "docker"
        self._docker.mkdir(parents=True)
        (directory / "nothing").mkdir()
        # No addresses that begin with 127: docker does without the certificate there (--insecure-registry).
        self.addresses = {host: f"10.43.0.{number}" for number, host in enumerate(hosts, start=1)}
        # All names stand there before the first program starts: Go keeps what it has read for five seconds.
        entries = "".join(f"{address} {host}\n" for host, address in self.addresses.items())
        (directory / "addresses").write_text(entries)
        (directory / "hosts").write_text(f"127.0.0.1 localhost\n{entries}")
        hold = ["unshare", "--mount", "--net", "sh", "-c", HOLD, "sh", str(directory)]
        self._holder = Service(hold, ready="the namespace stands")

    def __enter__(self) -> Self:
        self._holder.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.__exit__()

    def trust(self, host: str, certificate_authority: Path) -> None:
        """Lets docker and skopeo trust the certificates of that authority for ``host``."""
        certificates = self._docker / "certs.d" / host
        certificates.mkdir(parents=True)
        shutil.copyfile(certificate_authority, certificates / "ca.crt")

    def join(self, *argv: str) -> list[str]:
        """The command that runs ``argv`` inside."""
        namespaces = f"/proc/{self._holder.pid}/ns"
        return ["nsenter", f"--mount={namespaces}/mnt", f"--net={namespaces}/net", "--", *argv]

    def run(
        self, *argv: str, environment: Mapping[str, str], stdin: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``argv`` inside, to its end."""
        done = subprocess.run(
            self.join(*argv),
            env=environment,
            input=stdin,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    @contextmanager
    def network(self) -> Iterator[None]:
        """Sockets that this thread opens meanwhile belong to the network inside, and stay there."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        inside = os.open(f"/proc/{self._holder.pid}/ns/net", os.O_RDONLY)
        try:
            _set_namespace(inside)
            try:
                yield
            finally:
                _set_namespace(own)
        finally:
            os.close(own)
            os.close(inside)


def _set_namespace(descriptor: int) -> None:
    """Does what os.setns does since Python 3.12."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
