"""What AWS's errors mean to the person who must act: one line of cause, one of remedy."""

import os
from collections.abc import Mapping

from botocore import exceptions as aws

from credhelpers.credential import CredentialsNotFound
from credhelpers.log import one_line
from credhelpers.stores.ecr.hosts import Registry

_LONGEST = 400  # characters of somebody else's words

_NO_CREDENTIALS = (
    "no AWS credentials in the environment, a profile, a container role or an instance role",
    "attach a role to the instance, or set AWS_PROFILE or another source of the AWS SDK's credential chain",
)
_SILENT_METADATA = (
    "no AWS credentials are configured, and the instance metadata service did not answer",
    "on EC2, turn the service on, and inside a container set its hop limit to 2; elsewhere, set AWS_PROFILE",
)
_CLOCK = "set this machine's clock: AWS allows it to be five minutes off"
_REMEDIES = {
    "AccessDeniedException": "allow the action to this identity in IAM",
    "AccessDenied": "allow the action to this identity in IAM, or trust it in the role to be assumed",
    "ExpiredToken": "renew the session's credentials",
    "ExpiredTokenException": "renew the session's credentials",
    "InvalidClientTokenId": "check the access key, and that the account may use this region",
    "UnrecognizedClientException": "check the access key, and that the account may use this region",
    "InvalidSignatureException": "check the secret access key and this machine's clock",
    "SignatureDoesNotMatch": "check the secret access key and this machine's clock",
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
}


def explain(
    error: aws.BotoCoreError | aws.ClientError,
    registry: Registry,
    chosen: Mapping[str, str],
    *,
    metadata_was_silent: bool,
) -> CredentialsNotFound:
    """Return the error in this project's words, with AWS's own code and reason in it.

    Args:
        error: What the SDK raised.
        registry: Whose token was asked for.
        chosen: What the configuration says of it.
        metadata_was_silent: Whether the chain waited in vain for the instance metadata service.
    """
    variables = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
    profile = chosen.get("profile") or next(filter(None, map(os.environ.get, variables)), "default")
    if isinstance(error, aws.ClientError):
        cause, remedy = _refused(error, profile)
    elif isinstance(error, aws.NoCredentialsError):
        cause, remedy = _SILENT_METADATA if metadata_was_silent else _NO_CREDENTIALS
    elif isinstance(error, (aws.SSOError, aws.TokenRetrievalError)):
        cause, remedy = f"the AWS SSO session is not valid: {error}", _sso_login(profile)
    elif isinstance(error, aws.ProfileNotFound):
        cause, remedy = str(error), "correct AWS_PROFILE, or add the profile to the AWS configuration"
    elif isinstance(error, (aws.HTTPClientError, aws.ConnectionError)):
        cause, remedy = str(error), "check network, DNS and proxy between here and the endpoint"
    else:
        cause, remedy = str(error), "see the AWS SDK's documentation of its configuration"
    return CredentialsNotFound(f"no token from {registry.service}: {one_line(cause[:_LONGEST])}", remedy)


def _refused(error: aws.ClientError, profile: str) -> tuple[str, str]:
    details = error.response.get("Error", {})
    code = details.get("Code", "") or "an error without a code"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = details.get("Message", "")
    if "SSO" in error.operation_name or error.operation_name == "GetRoleCredentials":
        return f"the AWS SSO session is not valid: {code}: {message}", _sso_login(profile)
    if "Signature expired" in message or "Signature not yet current" in message:
        remedy = _CLOCK
    elif status == 429 or "Throttl" in code or "TooManyRequests" in code or status >= 500:
        remedy = "AWS is busy or unwell: try again in a minute"
    else:
        remedy = _REMEDIES.get(code, "look the code up in the API reference of the service that gave it")
    return f"{error.operation_name} answered {code}: {message}", remedy


def _sso_login(profile: str) -> str:
    return f"run: aws sso login --profile {profile}"
