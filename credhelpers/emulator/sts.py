"""The Security Token Service: who asks, and the credentials of roles."""

import base64
import binascii
import json
from typing import Any

from credhelpers.emulator.account import ACCOUNT, Account
from credhelpers.emulator.messages import Request, Response

AUDIENCE = "sts.amazonaws.com"
ISSUER = "https://oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"
SUBJECT = "system:serviceaccount:default:pull"


def answer(account: Account, request: Request) -> Response | None:
    """Answer GetCallerIdentity, AssumeRole and AssumeRoleWithWebIdentity."""
    match request.operation:
        case "GetCallerIdentity":
            arn = account.arn_of(request.scope[0])
            fields = f"<Arn>{arn}</Arn><UserId>AIDA:x</UserId><Account>{ACCOUNT}</Account>"
            return Response.of_query("GetCallerIdentity", fields)
        case "AssumeRole":
            return _assumed(account, request)
        case "AssumeRoleWithWebIdentity":
            return _refusal(account, request) or _assumed(account, request)
    return None


def _assumed(account: Account, request: Request) -> Response:
    form = request.form
    role, session = form["RoleArn"], form["RoleSessionName"]
    given = account.give_role(role.rpartition("/")[2], session)
    fields = "".join(f"<{key}>{value}</{key}>" for key, value in given.items())
    user = f"<Arn>{role}/{session}</Arn><AssumedRoleId>AROA:x</AssumedRoleId>"
    result = f"<Credentials>{fields}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"
    return Response.of_query(request.operation, result)


def _refusal(account: Account, request: Request) -> Response | None:
    """Refuse a JSON Web Token for another audience, or one that has expired; take any other text."""
    claims = claims_of(request.form.get("WebIdentityToken", ""))
    audience = claims.get("aud", AUDIENCE)
    if not account.audiences & set([audience] if isinstance(audience, str) else audience):
        return request.refuse(400, "InvalidIdentityToken", "Incorrect token audience")
    now, end = int(account.now()), claims.get("exp", float("inf"))
    if end <= now:
        message = f"Token expired: current date/time {now} must be before the expiration date/time {end}"
        return request.refuse(400, "ExpiredTokenException", message)
    return None


def web_identity_token(audience: str, expires: float) -> str:
    """Return a JSON Web Token with a signature that nothing here checks.

    Args:
        audience: Who may take it.
        expires: When it ends, in seconds since the epoch.
    """
    claims = {"iss": ISSUER, "sub": SUBJECT, "aud": [audience], "exp": int(expires)}
    return ".".join((_encoded({"alg": "RS256"}), _encoded(claims), _encoded({})))


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JSON Web Token; none of what is not one."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "==")) if len(parts) == 3 else {}
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
