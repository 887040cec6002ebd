"""The instance metadata service, version 2 (EC2 user guide, "Use IMDSv2")."""

from credhelpers.emulator.account import ROLE, Account
from credhelpers.emulator.messages import Request, Response

CREDENTIALS_PATH = "/latest/meta-data/iam/security-credentials/"
INSTANCE = "i-0123456789abcdef0"


def environment(url: str) -> dict[str, str]:
    """Return what makes an AWS client take this for its instance's metadata service."""
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url}


def answer(account: Account, request: Request) -> Response | None:
    """Answer a request to the metadata service."""
    if request.operation != "imds":
        return None
    if request.method == "PUT" and request.path == "/latest/api/token":
        return Response(200, account.session.encode(), {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "21600"})
    if request.headers.get("X-Aws-Ec2-Metadata-Token") != account.session:
        return Response(401)
    return _inside(account, request.path)


def _inside(account: Account, path: str) -> Response:
    """Answer a request that has a session token."""
    if path == CREDENTIALS_PATH:
        return Response(200, ROLE.encode())
    if path == CREDENTIALS_PATH + ROLE:
        fields = account.give_role(ROLE, INSTANCE)
        fields["Token"] = fields.pop("SessionToken")
        return Response.of_json({"Code": "Success", "Type": "AWS-HMAC", **fields})
    return Response(200, INSTANCE.encode()) if path == "/latest/meta-data/instance-id" else Response(404)
