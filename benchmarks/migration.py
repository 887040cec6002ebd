"""How long `credhelpers migrate` takes for a thousand secrets, with real GnuPG and a real GNOME Keyring."""

import base64
import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers import Peers
from benchmarks.sampling import MeasurementError
from benchmarks.worlds import bare_environment

_SECRETS = 1000
_WAYS = (("config.json", "pass"), ("pass", "keyring"), ("keyring", "pass"), ("config.json", "keyring"))
_SECONDS = 1800


def report(peers: Peers, directory: Path) -> str:
    """Move the secrets once each way, and return the seconds as a Markdown table."""
    from tests.support.gpg import initialise_password_store, throwaway_gpg_home
    from tests.support.keyring import private_secret_service

    lines = [f"| {_SECRETS:,} secrets from | to | seconds |", "|---|---|---|"]
    with throwaway_gpg_home() as gpg, private_secret_service() as keyring:
        home = directory / "migration"
        path = f"{Path(peers.ours('credhelpers')).parent}:/usr/bin:/bin"
        env = {**bare_environment(home), **gpg.env, **keyring.env, "PATH": path}
        initialise_password_store(home / ".password-store", gpg)
        for source, target in _WAYS:
            if source == "config.json":
                keyring.clear()
                _write_secrets(home)
            seconds = _migrate(peers, env, source, target)
            lines.append(f"| {source} | {target} | {seconds:.1f} |")
    return "\n".join(lines)


def _write_secrets(home: Path) -> None:
    auth = base64.b64encode(b"user:a-secret").decode()
    config = home / ".docker" / "config.json"
    config.parent.mkdir(mode=0o700, exist_ok=True)
    servers = (f"registry-{number}.example:5000" for number in range(_SECRETS))
    config.write_text(json.dumps({"auths": {server: {"auth": auth} for server in servers}}))
    config.chmod(0o600)


def _migrate(peers: Peers, env: Mapping[str, str], source: str, target: str) -> float:
    origin = () if source == "config.json" else ("--from", source)
    command = [peers.ours("credhelpers"), "migrate", *origin, "--to", target]
    began = time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False)
    seconds = time.monotonic() - began
    if done.returncode or f"{_SECRETS} moved to {target}, 0 failed" not in done.stdout:
        raise MeasurementError(f"migrate from {source} to {target}: {done.stderr[-500:]}")
    return seconds
