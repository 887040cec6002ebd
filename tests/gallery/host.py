"""A machine within the machine, with services: its own /etc, /root, /usr/local, /opt and /var/lib."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.e2e.service import Service
from tests.integration.doctor import Patient

UNIT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The PATH of a service whose unit does not set one (systemd.exec(5), as Debian builds it)."""

# Nothing of the real machine changes: what is written goes to a file system in memory. No systemd runs in
# there, so systemctl, which is asked to read the units again, is one that does nothing.
_HOLD = """
set -eu
mount -t tmpfs tmpfs "$1"
for place in etc root usr/local opt var/lib; do
    name=$(echo "$place" | tr / -)
    mkdir -p "$1/$name/upper" "$1/$name/work"
    mount -t overlay overlay \
        -o "lowerdir=/$place,upperdir=$1/$name/upper,workdir=$1/$name/work" "/$place"
done
chmod 700 /root
if [ -e /usr/bin/systemctl ]; then mount --bind /usr/bin/true /usr/bin/systemctl; fi
echo "the machine stands"
exec cat
"""


class Host:
    """A machine on which a test may write where only root may; use it in a ``with`` statement."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        hold = ["unshare", "--mount", "sh", "-c", _HOLD, "sh", str(directory)]
        self._holder = Service(hold, ready="the machine stands")

    def __enter__(self) -> Self:
        self._holder.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.__exit__()

    @property
    def inside(self) -> list[str]:
        """What a command line begins with that runs on this machine."""
        return ["/usr/bin/nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--"]

    def path(self, path: str) -> Path:
        """Return where a path of this machine is for the test."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def write(self, path: str, content: object, mode: int = 0o644) -> None:
        """Write a file; what is not text becomes JSON."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        file.chmod(mode)

    def unit(self, name: str, *lines: str) -> None:
        """Write a unit with these lines in ``[Service]``."""
        self.write(f"/etc/systemd/system/{name}", "\n".join(["[Unit]", "[Service]", *lines, ""]))

    def run(
        self, command: list[str], stdin: bytes = b"", environ: Mapping[str, str] | None = None, user: str = ""
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command as a service of this machine would: with nothing in its environment but this."""
        env = [f"{name}={value}" for name, value in (environ or {"PATH": UNIT_PATH}).items()]
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        line = [*self.inside, *as_user, "/usr/bin/env", "-i", *env, *command]
        return subprocess.run(line, input=stdin, capture_output=True, timeout=60, check=False)

    def operator(self, user: Patient, directory: Path) -> Patient:
        """Return a user whose `credhelpers` runs on this machine."""
        directory.mkdir()
        wrapper = directory / "credhelpers"
        wrapper.write_text(f'#!/bin/sh\nexec {" ".join(self.inside)} {user.bin}/credhelpers "$@"\n')
        wrapper.chmod(0o755)
        return Patient(directory, user.env, user.seen)
