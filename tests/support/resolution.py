"""How clients find a credential: Docker by its config.json, Nomad by its plugin stanza."""

import base64
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.support.client import Answer, Credentials, Helper


def as_docker(config: Path, server: str, env: Mapping[str, str]) -> Credentials | None:
    """Return what Docker sends to a registry, or None (docker/cli config/configfile/file.go)."""
    content = json.loads(config.read_text()) if config.exists() else {}
    helper = content.get("credHelpers", {}).get(server, content.get("credsStore", ""))
    if not helper:
        encoded = content.get("auths", {}).get(server, {}).get("auth", "")
        username, _, secret = base64.b64decode(encoded).decode().partition(":")
        return Credentials(server, username, secret) if encoded else None
    answer = _helper(helper, env).get(server)
    return answer.credentials() if answer.found else None


def as_nomad(directory: Path, host: str, env: Mapping[str, str]) -> Answer | None:
    """Return the answer of the helper that Nomad starts, None without one (nomad drivers/docker/utils.go)."""
    for path in sorted(directory.glob("*.hcl")):
        named = re.search(r'helper = "([^"]+)"', path.read_text())
        if named:
            return _helper(named[1], env).run("get", stdin=host.encode())
    return None


def _helper(name: str, env: Mapping[str, str]) -> Helper:
    executable = shutil.which(f"docker-credential-{name}", path=env["PATH"])
    assert executable, f"docker-credential-{name} is not on {env['PATH']}"
    return Helper(Path(os.path.abspath(executable)), env)
