"""skopeo login and logout by a helper: the password is in the helper's store between them, and in no file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.docker import Program
from tests.e2e.registry import Registry
from tests.support.client import Helper


@pytest.mark.parametrize("store", ["pass", "keyring"])
def test_an_image_is_seen_until_the_logout(
    store: str,
    request: pytest.FixtureRequest,
    skopeo: Program,
    environment: dict[str, str],
    installed: Path,
    private_registry: Registry,
    privately_published: str,
) -> None:
    reach = {"pass": "password_store_env", "keyring": "secret_service_env"}[store]
    environment.update({**request.getfixturevalue(reach), "PATH": environment["PATH"]})
    login = private_registry.login
    assert login is not None
    file = Path(environment["HOME"], "auth.json")
    file.write_text(json.dumps({"credHelpers": {private_registry.host: store}}))
    common = ["--authfile", str(file)]
    flags = ["-u", login.username, "--password-stdin"]

    logged_in = skopeo("login", *flags, *common, private_registry.host, stdin=login.password.encode())
    assert logged_in.returncode == 0, logged_in.stderr
    assert Helper(installed / f"docker-credential-{store}", environment).stored() == {
        private_registry.host: login.username
    }
    assert login.password not in file.read_text()
    assert login.encoded() not in file.read_text()
    seen = skopeo("inspect", *common, f"docker://{privately_published}")
    assert seen.returncode == 0, seen.stderr

    logged_out = skopeo("logout", *common, private_registry.host)
    assert logged_out.returncode == 0, logged_out.stderr
    assert Helper(installed / f"docker-credential-{store}", environment).stored() == {}
    assert skopeo("inspect", *common, f"docker://{privately_published}").returncode != 0
