"""The credentials endpoint of a container: of an ECS task, and of EKS pod identity.

(AWS SDKs and Tools reference guide, "Container credential provider")
"""

from credhelpers.emulator.account import Account
from credhelpers.emulator.messages import Request, Response

PATH = "/container/credentials"
TASK_ROLE = "task"


def answer(account: Account, request: Request) -> Response | None:
    """Answer a request to the endpoint."""
    if request.path != PATH:
        return None
    fields = account.give_role(TASK_ROLE, "0123456789abcdef")
    return Response.of_json({**fields, "Token": fields["SessionToken"]})
