"""The faults that can be staged: what AWS, or what stands before it, then answers.

The words are AWS's own: IAM user guide, "Troubleshoot access denied error messages"; EC2 user guide,
"Troubleshoot IMDS"; the error lists of the ECR and STS API references; EKS user guide, "Troubleshooting IAM".
"""

import time
from calendar import timegm

from credhelpers.emulator import container, imds, registry, sso
from credhelpers.emulator.account import Account, Answer, Fault
from credhelpers.emulator.messages import Request, Response

TOKEN_CALL = "GetAuthorizationToken"  # noqa: S105  the name of an operation
_CLOCK_SECONDS = 300.0
_SILENCE_SECONDS = 60.0
_UNKNOWN_HOST = "http://api.ecr.no-such-region.invalid"
"""No resolver knows a name in .invalid (RFC 6761)."""


def _metadata(response: Response, path: str = "") -> Answer:
    def answer(account: Account, request: Request) -> Response | None:
        del account
        return response if request.operation == "imds" and path in request.path else None

    return answer


def _agent(response: Response) -> Answer:
    return lambda account, request: response if request.path == container.PATH else None


def _silence(account: Account, request: Request) -> Response | None:
    """Answer nothing until the client has left."""
    if request.operation != "imds":
        return None
    account.ended.wait(_SILENCE_SECONDS)
    return Response(503)


def _lost_answer(account: Account, request: Request) -> Response | None:
    """Lose the answer to PUT, whose packets have a hop limit; those to GET have none."""
    return _silence(account, request) if request.method == "PUT" else None


def _denied(why: str) -> Answer:
    """Return a refusal of authorization tokens for a reason of IAM's, which may name the action."""

    def answer(account: Account, request: Request) -> Response | None:
        if request.operation != TOKEN_CALL:
            return None
        service = "ecr" if request.target.startswith("AmazonEC2") else "ecr-public"
        action = f"{service}:{TOKEN_CALL}"
        who = account.arn_of(request.scope[0])
        message = f"User: {who} is not authorized to perform: {action} on resource: * {why}"
        return Response.error(400, "AccessDeniedException", message.format(action=action))

    return answer


def _bearer_denied(account: Account, request: Request) -> Response | None:
    if request.operation != TOKEN_CALL or request.target.startswith("AmazonEC2"):
        return None
    action = "sts:GetServiceBearerToken"
    who = account.arn_of(request.scope[0])
    message = f"User: {who} is not authorized to perform: {action} on resource: * {_NO_POLICY}"
    return Response.error(400, "AccessDeniedException", message.format(action=action))


def _refused(operation: str, status: int, code: str, message: str) -> Answer:
    def answer(account: Account, request: Request) -> Response | None:
        if request.operation != operation:
            return None
        who = account.arn_of(request.scope[0])
        role = request.form.get("RoleArn", "")
        return request.refuse(status, code, message.format(who=who, role=role))

    return answer


def _wrong_clock(account: Account, request: Request) -> Response | None:
    """Refuse what was signed more than five minutes before or after AWS's time."""
    try:
        signed = timegm(time.strptime(request.headers.get("X-Amz-Date", ""), "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return None
    now = account.now()
    if abs(signed - now) <= _CLOCK_SECONDS:
        return None
    words = "expired" if signed < now else "not yet current"
    than = "earlier" if signed < now else "later"
    message = f"Signature {words}: {_stamp(signed)} is now {than} than {_stamp(now)} (5 min.)"
    code = "InvalidSignatureException" if request.target else "SignatureDoesNotMatch"
    return request.refuse(403, code, message)


def _stamp(moment: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))


def _sso_expired(account: Account, request: Request) -> Response | None:
    del account
    if not request.path.startswith(sso.PATH):
        return None
    return Response.error(401, "UnauthorizedException", "Session token not found or invalid")


_NO_POLICY = "because no identity-based policy allows the {action} action"
_WEB = "AssumeRoleWithWebIdentity"
_NOT_ASSUMABLE = {"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role worker."}

FAULTS = {
    # The instance metadata service
    "imds-disabled": Fault(
        "AWS_EC2_METADATA_DISABLED is set", environment=lambda _: {"AWS_EC2_METADATA_DISABLED": "true"}
    ),
    "imds-off": Fault("the metadata service is turned off (403)", _metadata(Response(403))),
    "imds-silent": Fault("the metadata service does not answer", _silence),
    "imds-unreachable": Fault("the metadata service cannot be reached", environment=imds.environment),
    "hop-limit": Fault("its hop limit is 1, and the client is in a container", _lost_answer),
    "no-role": Fault("no role is attached to the instance", _metadata(Response(404), "/iam/")),
    "role-not-assumable": Fault(
        "EC2 may not assume the instance's role",
        _metadata(Response.of_json(_NOT_ASSUMABLE), imds.CREDENTIALS_PATH + "worker"),
    ),
    # The credentials endpoint of a container: ECS and EKS pod identity
    "container-unreachable": Fault(
        "the container's credentials endpoint cannot be reached",
        environment=lambda closed: {"AWS_CONTAINER_CREDENTIALS_FULL_URI": closed + container.PATH},
    ),
    "container-refused": Fault(
        "it refuses the task or pod",
        _agent(Response(400, b'{"Code":"AccessDeniedException","Message":"Unauthorized Exception!"}')),
    ),
    "container-token-refused": Fault(
        "it refuses the authorization token", _agent(Response(401, b"Unauthorized"))
    ),
    # Web identities: EKS service accounts (IRSA), CI
    "web-identity-audience": Fault(
        "the web identity token is for another audience",
        _refused(_WEB, 400, "InvalidIdentityToken", "Incorrect token audience"),
    ),
    "web-identity-provider": Fault(
        "the account does not know the issuer of the web identity token",
        _refused(
            _WEB,
            400,
            "InvalidIdentityToken",
            "No OpenIDConnect provider found in your account for "
            "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE",
        ),
    ),
    "web-identity-denied": Fault(
        "the role does not trust the web identity",
        _refused(_WEB, 403, "AccessDenied", f"Not authorized to perform sts:{_WEB}"),
    ),
    "web-identity-expired": Fault(
        "the web identity token has expired",
        _refused(
            _WEB,
            400,
            "ExpiredTokenException",
            "Token expired: current date/time 1795300000 must be before the expiration date/time 1795200000",
        ),
    ),
    # Sessions, keys and roles
    "expired-token": Fault(
        "the session's credentials have expired",
        _refused(
            TOKEN_CALL, 400, "ExpiredTokenException", "The security token included in the request is expired"
        ),
    ),
    "invalid-key": Fault(
        "there is no such access key",
        _refused(
            TOKEN_CALL,
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    ),
    "wrong-secret": Fault(
        "the secret access key is wrong",
        _refused(
            TOKEN_CALL,
            400,
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided.",
        ),
    ),
    "sso-expired": Fault("the session of IAM Identity Center has expired", _sso_expired),
    "assume-role-denied": Fault(
        "the role may not be assumed",
        _refused(
            "AssumeRole",
            403,
            "AccessDenied",
            "User: {who} is not authorized to perform: sts:AssumeRole on resource: {role}",
        ),
    ),
    # Permissions
    "access-denied": Fault("no identity policy allows the token", _denied(_NO_POLICY)),
    "explicitly-denied": Fault(
        "an identity policy denies it", _denied("with an explicit deny in an identity-based policy")
    ),
    "scp-denied": Fault(
        "a service control policy of the organization denies it",
        _denied("with an explicit deny in a service control policy"),
    ),
    "rcp-denied": Fault(
        "a resource control policy of the organization denies it",
        _denied("with an explicit deny in a resource control policy"),
    ),
    "boundary-denied": Fault(
        "the permissions boundary does not allow it",
        _denied("because no permissions boundary allows the {action} action"),
    ),
    "session-policy-denied": Fault(
        "the policy of the session does not allow it",
        _denied("because no session policy allows the {action} action"),
    ),
    "vpc-endpoint-denied": Fault(
        "the policy of the VPC endpoint does not allow it",
        _denied("because no VPC endpoint policy allows the {action} action"),
    ),
    "bearer-denied": Fault("ECR Public: sts:GetServiceBearerToken is missing", _bearer_denied),
    # The service, and the way to it
    "throttled": Fault(
        "AWS limits the rate of requests", _refused(TOKEN_CALL, 400, "ThrottlingException", "Rate exceeded")
    ),
    "server-error": Fault(
        "AWS has a server error", _refused(TOKEN_CALL, 500, "ServerException", "Internal failure")
    ),
    "unreachable": Fault("AWS cannot be reached", environment=lambda closed: {"AWS_ENDPOINT_URL": closed}),
    "region-unknown": Fault(
        "no name server knows the region's endpoint",
        environment=lambda _: {"AWS_ENDPOINT_URL_ECR": _UNKNOWN_HOST},
    ),
    "clock-skew": Fault("AWS's clock is so many seconds ahead", _wrong_clock, takes_seconds=True),
    # The registry itself
    "repository-denied": Fault(
        "the repository's policy does not allow the pull",
        registry.refusing(403, "DENIED", registry.NO_RESOURCE_POLICY),
    ),
    "pull-denied": Fault(
        "no identity policy allows the pull", registry.refusing(403, "DENIED", registry.NO_IDENTITY_POLICY)
    ),
    "repository-missing": Fault(
        "there is no such repository",
        registry.refusing(
            404,
            "NAME_UNKNOWN",
            "The repository with name '{repository}' does not exist in the registry with id '{account}'",
        ),
    ),
    "pull-through-secret": Fault(
        "the secret of the pull-through cache rule is missing",
        registry.refusing(
            400,
            "UNKNOWN",
            "The ARN of the secret specified in the pull through cache rule was not found.",
        ),
    ),
}
"""Every fault by its name, which `credhelpers emulator --fault` takes too."""
