"""What an administrator does about a fault: the calls of IAM, EC2, ECR and Secrets Manager that mend it."""

import json
from collections.abc import Iterator

from credhelpers.emulator.account import Account
from credhelpers.emulator.messages import Request, Response

_MENDS = {
    "AddClientIDToOpenIDConnectProvider": ("web-identity-audience",),
    "AssociateIamInstanceProfile": ("no-role",),
    "CreateOpenIDConnectProvider": ("web-identity-provider",),
    "CreateRepository": ("repository-missing",),
    "CreateSecret": (),
    "DeleteRolePermissionsBoundary": ("boundary-denied",),
    "DeleteUserPermissionsBoundary": ("boundary-denied",),
    "ModifyVpcEndpoint": ("vpc-endpoint-denied",),
    "SetRepositoryPolicy": ("repository-denied",),
    "UpdatePullThroughCacheRule": ("pull-through-secret",),
    "UpdateAssumeRolePolicy": ("role-not-assumable", "web-identity-denied", "assume-role-denied"),
}
_BY_ACTION = {
    "ecr:BatchGetImage": ("pull-denied",),
    "ecr:GetAuthorizationToken": ("access-denied",),
    "ecr-public:GetAuthorizationToken": ("access-denied",),
    "sts:AssumeRole": ("assume-role-denied",),
    "sts:GetServiceBearerToken": ("bearer-denied",),
}
_POLICIES = ("PutRolePolicy", "PutUserPolicy")
_OPTIONS = "ModifyInstanceMetadataOptions"


def answer(account: Account, request: Request) -> Response | None:
    """Answer such a call; it ends the faults that it would end at AWS."""
    action = request.operation
    if action not in (*_MENDS, *_POLICIES, _OPTIONS):
        return None
    for fault in _mended(request):
        account.mend(fault)
    if action == "AddClientIDToOpenIDConnectProvider":
        account.audiences.add(request.form["ClientID"])
    if request.target:
        return Response.of_json({})
    return Response.of_query(action, "")


def _mended(request: Request) -> Iterator[str]:
    form = request.form
    yield from _MENDS.get(request.operation, ())
    if request.operation in _POLICIES:
        for action in _allowed(form.get("PolicyDocument", "")):
            yield from _BY_ACTION.get(action, ())
    if request.operation == _OPTIONS:
        if int(form.get("HttpPutResponseHopLimit", "1")) > 1:
            yield "hop-limit"
        if form.get("HttpEndpoint") == "enabled":
            yield from ("imds-off", "imds-silent")


def _allowed(document: str) -> Iterator[str]:
    """Yield the actions that a policy allows."""
    for statement in json.loads(document)["Statement"]:
        actions = statement["Action"] if statement["Effect"] == "Allow" else []
        yield from [actions] if isinstance(actions, str) else actions
