"""registry-mirrors of daemon.json: whether dockerd takes them, reaches them, and needs a credential there.

dockerd has no credential for a mirror but Docker Hub's, which it also sends there; no helper is asked.
(moby registry/config.go ValidateMirror; moby issues 30880 and 42022)
"""

import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

from credhelpers.cli.shared.bounded import Tasks
from credhelpers.cli.shared.connection import Trust
from credhelpers.cli.shared.registry import connect
from credhelpers.clients import sed_command
from credhelpers.clients.docker_daemon import INSECURE, texts
from credhelpers.credential import CredentialError
from credhelpers.finding import Finding, fail, ok, warn

CHECK = "dockerd mirror"

_SINCE_PATHS = (28,)
_MOST = 8


def check(
    path: str, content: dict[str, object], version: tuple[int, ...], seconds: float
) -> Iterator[Finding]:
    """Check the mirrors of a daemon.json.

    Args:
        path: Where it is.
        content: What it says.
        version: That of dockerd; empty when it is not known.
        seconds: How long all mirrors may take; they are not asked when it is 0.
    """
    insecure = texts(content, INSECURE)
    deadline = time.monotonic() + seconds
    asked: Tasks[Finding] = Tasks(deadline)
    reached = []
    for mirror in texts(content, "registry-mirrors")[:_MOST]:
        invalid = _invalid(path, mirror, version)
        if invalid:
            yield invalid
            continue
        if mirror.startswith("http://"):
            text = f"{mirror} has no TLS, and Docker Hub's credential may be sent to it"
            remedy = sed_command.replace(path, f'"{mirror}"', f'"https{mirror[4:]}"')
            yield warn(CHECK, "plain-http", text, remedy)
        if seconds > 0:
            asked.start(mirror, partial(_ask, path, mirror, insecure, deadline))
            reached.append(mirror)
    for mirror in reached:
        silent = f"{mirror} does not answer, so every pull from Docker Hub is late"
        yield asked.result(mirror) or warn(
            CHECK, "unreachable", silent, sed_command.drop_element(path, mirror)
        )


def _invalid(path: str, mirror: str, version: tuple[int, ...]) -> Finding | None:
    address = urlsplit(mirror)
    host = mirror.rpartition("://")[2].rpartition("@")[2].partition("/")[0]
    better, shown = f'"{address.scheme}://{host}"', mirror
    remedy = ""
    if address.scheme not in ("http", "https") or not address.netloc:
        what, better = "does not begin with https://", f'"https://{host}"'
    elif address.username or address.password:
        what, shown = "has a username or password", f"{address.scheme}://{host}"
        remedy = sed_command.substitute(path, '"https*:/*[^"@]*@[^"]*"', better)  # without the secret
    elif address.query or address.fragment:
        what, shown = "has more than a host and a path", f"{address.scheme}://{host}"
        remedy = sed_command.substitute(path, f'"{sed_command.escaped(shown)}[^"]*[?#][^"]*"', better)
    elif address.path.strip("/") and version < _SINCE_PATHS:
        what = "has a path, which dockerd before 28 does not take"
    else:
        return None
    text = f"the mirror {shown} in {path} {what}, so dockerd does not start"
    return fail(CHECK, "invalid", text, remedy or sed_command.replace(path, f'"{mirror}"', better))


def _ask(path: str, mirror: str, insecure: list[str], deadline: float) -> Finding:
    address = urlsplit(mirror)
    without = sed_command.drop_element(path, mirror)
    trust = Trust(insecure=address.scheme == "http" or address.netloc in insecure)
    try:
        api, first = connect(address.netloc, trust, scheme=address.scheme, deadline=deadline)
    except CredentialError as error:
        return warn(
            CHECK, "unreachable", f"{error.cause}, so each pull tries it first, and then Docker Hub", without
        )
    if api.wants_credential(first):
        text = f"{mirror} wants a credential, and dockerd has none for a mirror, so pulls go to Docker Hub"
        return warn(CHECK, "wants-credential", text, without)
    return ok(CHECK, f"{mirror} can be reached")
