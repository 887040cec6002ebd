"""The registry of an account, as far as a client asks whether a repository may be pulled.

(OCI distribution-spec; ECR user guide, "Troubleshooting errors with Docker commands")
"""

import base64
import binascii

from credhelpers.emulator.account import ACCOUNT, Account, Answer
from credhelpers.emulator.messages import Request, Response

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_EXPIRED = "Your authorization token has expired. Reauthenticate and try again."
NO_RESOURCE_POLICY = (
    "User: {who} is not authorized to perform: ecr:BatchGetImage on resource: "
    "arn:aws:ecr:eu-central-1:{account}:repository/{repository} because no resource-based policy allows the "
    "ecr:BatchGetImage action"
)


def answer(account: Account, request: Request) -> Response | None:
    """Answer a request to a registry: what has the password of the tokens may pull everything."""
    if not request.path.startswith("/v2/"):
        return None
    host = request.headers.get("Host", "")
    given = request.headers.get("Authorization", "")
    if not given:
        challenge = f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
        return Response(401, b"Not Authorized\n", {"Www-Authenticate": challenge})
    if _password(given) != account.password:
        return _error(403, "DENIED", _EXPIRED)
    headers = {"Docker-Distribution-Api-Version": "registry/2.0", "Content-Type": _MANIFEST}
    return Response(200, b"{}", headers)


def refusing(status: int, code: str, message: str) -> Answer:
    """Return a refusal of every request for a repository that has the password."""

    def refuse(account: Account, request: Request) -> Response | None:
        if request.path in ("", "/v2/") or answer(account, request) is None:
            return None
        if _password(request.headers.get("Authorization", "")) != account.password:
            return None
        repository = request.path.removeprefix("/v2/").rpartition("/manifests/")[0]
        owner = request.headers.get("Host", "").partition(".")[0]
        who = account.arn_of("")
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
