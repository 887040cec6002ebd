"""Where an AWS client may have its credentials from, and what tells it so."""

from collections.abc import Callable
from pathlib import Path

from credhelpers.emulator import container, sts
from credhelpers.emulator.account import ACCOUNT, Account

KEY = "AKIAIOSFODNN7EXAMPLE"
_SECRET = "not-a-secret"  # noqa: S105  the emulator does not verify signatures
_POD_ROLE = "pod"
_TOKEN_SECONDS = 24 * 3600

Identity = Callable[[Account, str, Path], dict[str, str]]
"""Returns the variables, from the account, its address, and a directory for what they name."""


def _instance(account: Account, url: str, directory: Path) -> dict[str, str]:
    del account, url, directory  # the metadata service is the last that a client asks
    return {}


def _keys(account: Account, url: str, directory: Path) -> dict[str, str]:
    del url, directory
    account.access_key_ids.add(KEY)
    return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": _SECRET}


def _ecs(account: Account, url: str, directory: Path) -> dict[str, str]:
    del account, directory
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + container.PATH}


def _pod_identity(account: Account, url: str, directory: Path) -> dict[str, str]:
    path = _write(directory / "eks-pod-identity-token", "pods.eks.amazonaws.com", account)
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": url + container.PATH,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path,
    }


def _web_identity(account: Account, url: str, directory: Path) -> dict[str, str]:
    del url
    path = _write(directory / "web-identity-token", sts.AUDIENCE, account)
    return {
        "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/{_POD_ROLE}",
        "AWS_WEB_IDENTITY_TOKEN_FILE": path,
    }


def _write(path: Path, audience: str, account: Account) -> str:
    path.write_text(sts.web_identity_token(audience, account.now() + _TOKEN_SECONDS))
    path.chmod(0o600)
    return str(path)


IDENTITIES: dict[str, Identity] = {
    "instance": _instance,
    "keys": _keys,
    "ecs": _ecs,
    "pod-identity": _pod_identity,
    "web-identity": _web_identity,
}
"""Each kind of identity by its name, which `credhelpers emulator --identity` takes too."""
