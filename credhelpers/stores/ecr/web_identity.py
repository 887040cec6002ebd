"""Why AWS gives a role to no web identity, such as a service account of EKS (IRSA) or a CI job.

(EKS user guide, "IAM roles for service accounts"; STS API reference, AssumeRoleWithWebIdentity)
"""

import json
import os
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from shlex import quote
from typing import Any

from credhelpers.credential import CredentialError
from credhelpers.stores.ecr.metadata import UNREADABLE
from credhelpers.stores.ecr.sources import read_file

OPERATION = "AssumeRoleWithWebIdentity"
_AUDIENCE = "sts.amazonaws.com"
_ISSUER = re.compile(r"for (https://\S+)")
_ROLE = re.compile(r"arn:(?P<partition>[\w-]+):iam::(?P<account>\d{12}):role/(?:\S*/)?(?P<name>[^/\s]+)")
_LONGEST_CLAIM = 200


def explain_web_identity(
    text: str, code: str, message: str, environ: Mapping[str, str]
) -> CredentialError | None:
    """Return what STS's refusal means; None for a code that means the same in every operation.

    Args:
        text: The whole cause.
        code: AWS's code.
        message: AWS's own words.
        environ: Names the token's file, and the role.
    """
    claims = _claims(environ.get("AWS_WEB_IDENTITY_TOKEN_FILE", ""))
    if claims:
        text += "; of the token, " + ", ".join(f"{key} is {value}" for key, value in claims.items())
    if code.startswith("ExpiredToken"):
        return CredentialError(
            text,
            "have the token renewed: start the pod anew, or see what writes the file that "
            "AWS_WEB_IDENTITY_TOKEN_FILE names",
            fault="web-identity-expired",
        )
    if "audience" in message:
        return CredentialError(
            text,
            f"have the token made for the audience {_AUDIENCE}; or as an administrator: aws iam "
            "add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ARN --client-id "
            f"{quote(claims.get('aud', 'AUDIENCE'))}",
            fault="web-identity-audience",
        )
    if issuer := _ISSUER.search(message):
        return CredentialError(
            text,
            f"as an administrator: aws iam create-open-id-connect-provider --url {quote(issuer[1])} "
            f"--client-id-list {_AUDIENCE}",
            fault="web-identity-provider",
        )
    if code.startswith("AccessDenied"):
        return CredentialError(
            text, _trust(environ.get("AWS_ROLE_ARN", ""), claims), fault="web-identity-denied"
        )
    return None


def _trust(arn: str, claims: Mapping[str, str]) -> str:
    """Return how a role is made to trust a token."""
    role = _ROLE.fullmatch(arn)
    if role is None or len(claims) < 3:
        return (
            f"as an administrator, allow sts:{OPERATION} to the token's iss, sub and aud in the trust policy "
            f"of {arn or 'the role'}"
        )
    issuer = claims["iss"].removeprefix("https://")
    provider = f"arn:{role['partition']}:iam::{role['account']}:oidc-provider/{issuer}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": f"sts:{OPERATION}",
        "Condition": {"StringEquals": {f"{issuer}:{key}": claims[key] for key in ("sub", "aud")}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
    return (
        "as an administrator, if the role is for this alone: aws iam update-assume-role-policy --role-name "
        f"{quote(role['name'])} --policy-document {quote(policy)}; or add this statement to its trust policy"
    )


def _claims(path: str) -> dict[str, str]:
    """Return whom the token in a file is of and for, which is not secret; nothing without such a token."""
    if not os.path.isfile(path):
        return {}
    try:
        claims: Any = json.loads(urlsafe_b64decode(read_file(path, "").split(".")[1] + "=="))
        named = {key: claims.get(key) for key in ("iss", "sub", "aud")}
        if isinstance(named["aud"], list):
            named["aud"] = named["aud"][0]
    except (CredentialError, *UNREADABLE):
        return {}
    return {
        key: value
        for key, value in named.items()
        if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_CLAIM
    }
