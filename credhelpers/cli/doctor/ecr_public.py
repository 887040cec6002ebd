"""A login to ECR Public that has ended: the registry refuses it, though public images need none."""

import base64
import json
import time

from credhelpers.cli.shared.ecr_tokens import duration
from credhelpers.cli.shared.plan import Hop
from credhelpers.credential import Credential
from credhelpers.finding import Finding, fail, warn
from credhelpers.servers import host_of
from credhelpers.stores.ecr.hosts import PUBLIC_HOSTS
from credhelpers.suite import ECR

_LOGIN = "public login"
_USERNAME = "AWS"


def check_login(hop: Hop, credential: Credential | None) -> list[Finding]:
    """Find a token of ECR Public that ``docker login`` has left in another store than ecr-login's.

    Args:
        hop: The way to the credential.
        credential: What Docker gets; None for nothing.
    """
    host = host_of(hop.server)
    if host not in PUBLIC_HOSTS or hop.target == ECR.name:
        return []
    if credential is None or credential.username != _USERNAME:
        return []
    remedy = f"docker logout {host}"
    end = _end_of(credential.secret)
    if end is None:
        text = f"a token for {host} from docker login is kept for longer than its 12 hours, and refused then"
        return [warn(_LOGIN, "kept", text, remedy)]
    left = end - time.time()
    if left <= 0:
        text = (
            f"the login to {host} ended {duration(-left)} ago: pulls fail (403), and public images need none"
        )
        return [fail(_LOGIN, "expired", text, remedy)]
    text = f"the login to {host} ends in {duration(left)}; pulls then fail, though public images need none"
    return [warn(_LOGIN, "kept", text, remedy)]


def _end_of(token: str) -> float | None:
    """Return when a token ends, in seconds since the epoch, where it says so: it is JSON in base64."""
    try:
        return float(json.loads(base64.b64decode(token, validate=True))["expiration"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
