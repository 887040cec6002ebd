"""What AWS's refusals mean: permissions, sessions, keys, clocks, limits."""

from collections.abc import Mapping
from typing import NamedTuple

from botocore import exceptions as aws

from credhelpers.credential import CredentialError
from credhelpers.stores.ecr.permissions import explain_denial
from credhelpers.stores.ecr.trace import Trace
from credhelpers.stores.ecr.web_identity import OPERATION, explain_web_identity

CLOCK = "AWS allows five minutes of difference; set this machine's clock: timedatectl set-ntp true"
PROXY = "see whether a proxy or another server answers in AWS's place"


class _Known(NamedTuple):
    """A code of AWS's that has one meaning."""

    remedy: str
    fault: str


_KEY = "check the access key, and that the account may use this region"
_SIGNATURE = "check the secret access key and this machine's clock"
_SESSION = "renew the session's credentials"
_CODES = {
    "ExpiredToken": _Known(_SESSION, fault="expired-token"),
    "ExpiredTokenException": _Known(_SESSION, fault="expired-token"),
    "ForbiddenException": _Known(
        "assign this account and role to the user in IAM Identity Center", fault="sso-not-assigned"
    ),
    "IDPCommunicationError": _Known(
        "try again in a minute: AWS cannot reach the web identity's issuer", fault="web-identity-issuer"
    ),
    "InvalidClientTokenId": _Known(_KEY, fault="invalid-key"),
    "InvalidIdentityToken": _Known(
        "see that the role trusts the issuer of the web identity token", fault="web-identity-refused"
    ),
    "InvalidSignatureException": _Known(_SIGNATURE, fault="wrong-secret"),
    "RegionDisabledException": _Known(
        "activate STS in this region, or set AWS_STS_REGIONAL_ENDPOINTS", fault="region-disabled"
    ),
    "RequestExpired": _Known(CLOCK, fault="clock-skew"),
    "RequestTimeTooSkewed": _Known(CLOCK, fault="clock-skew"),
    "SignatureDoesNotMatch": _Known(_SIGNATURE, fault="wrong-secret"),
    "UnrecognizedClientException": _Known(_KEY, fault="invalid-key"),
}
_BY_CLOCK = (CLOCK, _SESSION, _SIGNATURE)  # remedies of the codes that a wrong clock brings about
_OTHER = _Known("look up the code in the API reference of the service", fault="refused")
# fmt: off
_THROTTLES = (
    "BandwidthLimitExceeded", "PriorRequestNotComplete", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
    "TooManyRequestsException",
)
# fmt: on
"""AWS gives them with status 400 as well as 429 (AWS SDKs and Tools reference guide, "Retry behavior")."""


def explain_refusal(
    error: aws.ClientError, environ: Mapping[str, str], trace: Trace, sso_login: str
) -> CredentialError:
    """Return what an error that AWS has answered means.

    Args:
        error: The error.
        environ: The environment of the call.
        trace: The facts of the call.
        sso_login: What opens a session of IAM Identity Center again.
    """
    details = error.response.get("Error") or {}
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code, message = str(details.get("Code") or ""), str(details.get("Message") or "no reason given")
    is_coded = bool(code) and code != str(status)
    text = f"{error.operation_name} answered {code}: {message}"
    if not is_coded:
        text = f"unexpected response from {trace.asked}: HTTP {status} without an AWS error code"
    if status == 429 or code in _THROTTLES:
        return CredentialError(
            text, "AWS limits the rate of requests: try again in a minute", fault="throttled"
        )
    if status >= 500:
        return CredentialError(
            f"{text} (server error, HTTP {status})", "try again in a minute", fault="server-error"
        )
    if error.operation_name == "GetRoleCredentials" and status == 401:
        text = f"the AWS SSO session is not valid: {code}: {message}"
        return CredentialError(text, sso_login, fault="sso-expired")
    if not is_coded:
        return CredentialError(text, PROXY, fault="unexpected")
    return _by_code(error.operation_name, code, message, environ, trace)


def _by_code(
    operation: str, code: str, message: str, environ: Mapping[str, str], trace: Trace
) -> CredentialError:
    text = f"{operation} answered {code}: {message}"
    known = _CODES.get(code, _OTHER)
    if known.remedy in _BY_CLOCK and trace.has_wrong_clock:
        return CredentialError(f"{text}; {trace.clocks}", CLOCK, fault="clock-skew")
    if operation == OPERATION and (found := explain_web_identity(text, code, message, environ)):
        return found
    if code.startswith("AccessDenied"):
        return explain_denial(text, message, operation)
    return CredentialError(text, known.remedy, fault=known.fault)
