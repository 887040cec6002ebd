"""IAM Identity Center: a role's credentials for the access token of ``aws sso login``."""

from credhelpers.emulator.account import Account
from credhelpers.emulator.messages import Request, Response

PATH = "/federation/credentials"
_NAMES = {
    "AccessKeyId": "accessKeyId",
    "SecretAccessKey": "secretAccessKey",
    "SessionToken": "sessionToken",
}


def answer(account: Account, request: Request) -> Response | None:
    """Answer GetRoleCredentials."""
    if not request.path.startswith(PATH):
        return None
    given = account.give_role("AWSReservedSSO_pull", "ada")
    fields = {name: given[key] for key, name in _NAMES.items()}
    return Response.of_json({"roleCredentials": {**fields, "expiration": int(account.now() + 3600) * 1000}})
