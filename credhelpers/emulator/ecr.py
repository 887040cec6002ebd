"""Amazon ECR and ECR Public: authorization tokens."""

from credhelpers.emulator.account import ACCOUNT, Account
from credhelpers.emulator.messages import Request, Response

PRIVATE = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
PUBLIC = "SpencerFrontendService.GetAuthorizationToken"


def answer(account: Account, request: Request) -> Response | None:
    """Answer GetAuthorizationToken."""
    if request.target == PRIVATE:
        host = f"https://{ACCOUNT}.dkr.ecr.{request.scope[2]}.amazonaws.com"
        return Response.of_json({"authorizationData": [account.authorization(host)]})
    if request.target == PUBLIC:
        return Response.of_json({"authorizationData": account.authorization("https://public.ecr.aws")})
    return None
