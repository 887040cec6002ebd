"""The registry of an account, as far as a client asks whether a repository may be pulled.

(OCI distribution-spec; ECR user guide, "Troubleshooting errors with Docker commands")
"""

import base64
import binascii
import json

from credhelpers.emulator.account import ACCOUNT, ROLE, Account, Answer
from credhelpers.emulator.imds import INSTANCE
from credhelpers.emulator.messages import Request, Response

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
PUBLIC_HOST = "public.ecr.aws"
_EXPIRED = "Your authorization token has expired. Reauthenticate and try again."
_DENIED = (
    "User: {who} is not authorized to perform: ecr:BatchGetImage on resource: "
    "arn:aws:ecr:eu-central-1:{account}:repository/{repository} because no "
)
NO_RESOURCE_POLICY = _DENIED + "resource-based policy allows the ecr:BatchGetImage action"
NO_IDENTITY_POLICY = _DENIED + "identity-based policy allows the ecr:BatchGetImage action"


def answer(account: Account, request: Request) -> Response | None:
    """Answer a request to a registry: what has the password of the tokens may pull everything."""
    host = request.headers.get("Host", "")
    given = request.headers.get("Authorization", "")
    if host == PUBLIC_HOST and request.path.startswith(("/v2/", "/token/")):
        return _public(account, request.path, given)
    if not request.path.startswith("/v2/"):
        return None
    if not given:
        challenge = f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
        return Response(401, b"Not Authorized\n", {"Www-Authenticate": challenge})
    if _password(given) != account.password:
        return _error(403, "DENIED", _EXPIRED)
    return _image()


def _public(account: Account, path: str, given: str) -> Response:
    """Answer as ECR Public, whose token service has a token for every client that names no password."""
    if path.startswith("/token/"):
        if given and _password(given) != account.password:
            return _error(403, "DENIED", _EXPIRED)
        return Response.of_json({"token": account.session})
    if given != f"Bearer {account.session}":
        challenge = f'Bearer realm="https://{PUBLIC_HOST}/token/",service="{PUBLIC_HOST}",scope="aws"'
        return Response(401, b"", {"Www-Authenticate": challenge})
    return _image()


def _image() -> Response:
    """Return the manifest of an image without a layer."""
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": _EMPTY, "size": 2}
    manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": []}
    headers = {"Docker-Distribution-Api-Version": "registry/2.0", "Content-Type": _MANIFEST}
    return Response(200, json.dumps(manifest).encode(), headers)


def refusing(status: int, code: str, message: str) -> Answer:
    """Return a refusal of every request for a repository that has the password."""

    def refuse(account: Account, request: Request) -> Response | None:
        if request.path in ("", "/v2/") or answer(account, request) is None:
            return None
        if _password(request.headers.get("Authorization", "")) != account.password:
            return None
        repository = request.path.removeprefix("/v2/").rpartition("/manifests/")[0]
        owner = request.headers.get("Host", "").partition(".")[0]
        who = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}/{INSTANCE}"
        return _error(status, code, message.format(who=who, account=owner or ACCOUNT, repository=repository))

    return refuse


def _error(status: int, code: str, message: str) -> Response:
    return Response.of_json({"errors": [{"code": code, "message": message}]}, status)


def _password(authorization: str) -> str:
    try:
        pair = base64.b64decode(authorization.partition(" ")[2]).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return pair.partition(":")[2]
