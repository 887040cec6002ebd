"""Why a call to AWS failed, for the person who must act: one line of cause, one of remedy."""

import os
from collections.abc import Callable, Mapping
from shlex import quote
from typing import Any

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from credhelpers.credential import CredentialsNotFound
from credhelpers.deadline import OutOfTime
from credhelpers.log import one_line
from credhelpers.stores.ecr.bounds import LARGEST, AnswerTooLarge
from credhelpers.stores.ecr.hosts import Registry
from credhelpers.stores.ecr.metadata import UNREADABLE
from credhelpers.stores.ecr.sources import BadSource
from credhelpers.stores.ecr.trace import Trace

_LONGEST = 400  # characters of a service's or library's own words
_PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")  # in botocore's order

_CLOCK = "AWS allows five minutes of difference; set this machine's clock: timedatectl set-ntp true"
_PROXY = "see whether a proxy or another server answers in AWS's place"
_NO_CREDENTIALS = (
    "no AWS credentials in the environment, a profile, a container role or an instance role",
    "attach a role to the instance, or set AWS_PROFILE or another source of the AWS SDK's credential chain",
)
_KEY = "check the access key, and that the account may use this region"
_SIGNATURE = "check the secret access key and this machine's clock"
_SESSION = "renew the session's credentials"
_REMEDIES = {
    "AccessDeniedException": "allow the action to this identity in IAM",
    "AccessDenied": "allow the action to this identity in IAM, or trust it in the role to be assumed",
    "ExpiredToken": _SESSION,
    "ExpiredTokenException": _SESSION,
    "ForbiddenException": "assign this account and role to the user in IAM Identity Center",
    "IDPCommunicationError": "try again in a minute: AWS cannot reach the web identity's issuer",
    "InvalidClientTokenId": _KEY,
    "InvalidIdentityToken": "see that the role trusts the issuer of the web identity token",
    "InvalidSignatureException": _SIGNATURE,
    "RegionDisabledException": "activate STS in this region, or set AWS_STS_REGIONAL_ENDPOINTS",
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "SignatureDoesNotMatch": _SIGNATURE,
    "UnrecognizedClientException": _KEY,
}
_BY_CLOCK = (_CLOCK, _SESSION, _SIGNATURE)  # remedies of the codes that a wrong clock brings about
# fmt: off
_THROTTLES = (
    "BandwidthLimitExceeded", "PriorRequestNotComplete", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "SlowDown", "ThrottledException", "Throttling", "ThrottlingException",
    "TooManyRequestsException",
)
# fmt: on
"""AWS gives them with status 400 as well as 429 (AWS SDKs and Tools reference guide, "Retry behavior")."""


class UnexpectedResponse(Exception):
    """An answer that is not from AWS, or not a token; its text says what is wrong, and quotes nothing."""


_OF_THE_SDK = (aws.BotoCoreError, aws.ClientError, ResponseParserError)
_OURS = (AnswerTooLarge, BadSource, OutOfTime, UnexpectedResponse)
FAILURES = (*_OF_THE_SDK, *_OURS, OSError, *UNREADABLE)
"""All that a call to AWS may raise."""


def explain(
    error: BaseException,
    registry: Registry,
    chosen: Mapping[str, str],
    environ: Mapping[str, str],
    trace: Trace,
) -> CredentialsNotFound:
    """Return the error in this project's words, with AWS's own code and reason in it.

    Args:
        error: One of `FAILURES`.
        registry: The registry.
        chosen: Its table in the configuration.
        environ: The environment of the call.
        trace: The facts of the call.
    """
    cause, remedy = _Explanation(chosen, environ, trace).of(error)
    return CredentialsNotFound(
        f"no token from {registry.service}: {one_line(cause[:_LONGEST])}", one_line(remedy[:_LONGEST])
    )


class _Explanation:
    def __init__(self, chosen: Mapping[str, str], environ: Mapping[str, str], trace: Trace) -> None:
        self._trace = trace
        self._environ = environ
        variable = next((name for name in _PROFILE_VARIABLES if name in environ), "")
        self._profile = chosen.get("profile") or environ.get(variable) or "default"
        self._profile_setting = "profile in config.toml" if "profile" in chosen else variable or "AWS_PROFILE"

    def of(self, error: BaseException) -> tuple[str, str]:
        """Return cause and remedy."""
        if isinstance(error, BadSource):
            return error.cause, error.remedy
        if isinstance(error, OutOfTime):
            asked = self._trace.asked or "the source of the AWS credentials"
            return (
                f"{asked} did not answer within {error.seconds:g} s",
                "see what it waits for, and check the network, DNS and proxy on the way to it",
            )
        if isinstance(error, AnswerTooLarge):
            return f"unexpected response from {self._trace.asked}: more than {LARGEST >> 20} MiB", _PROXY
        if isinstance(error, aws.ClientError):
            return self._refused(error)
        if isinstance(error, aws.BotoCoreError):
            return self._failed(error)
        return self._unexpected(error)

    def _refused(self, error: aws.ClientError) -> tuple[str, str]:
        details = error.response.get("Error") or {}
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = str(details.get("Code") or "")
        message = str(details.get("Message") or "no reason given")
        text = f"{error.operation_name} answered {code}: {message}"
        if not code or code == str(status):
            text = f"unexpected response from {self._trace.asked}: HTTP {status} without an AWS error code"
        if error.operation_name == "GetRoleCredentials" and status == 401:
            return f"the AWS SSO session is not valid: {code}: {message}", self._sso_login()
        if status == 429 or code in _THROTTLES:
            return text, "AWS limits the rate of requests: try again in a minute"
        if status >= 500:
            return f"{text} (server error, HTTP {status})", "try again in a minute"
        if _REMEDIES.get(code) in _BY_CLOCK and self._trace.has_wrong_clock:
            return f"{text}; {self._trace.clocks}", _CLOCK
        if not code or code == str(status):
            return text, _PROXY
        return text, _REMEDIES.get(code, "look up the code in the API reference of the service")

    def _failed(self, error: aws.BotoCoreError) -> tuple[str, str]:
        cases: tuple[tuple[Any, Callable[[Any], tuple[str, str]]], ...] = (
            (aws.NoCredentialsError, self._no_credentials),
            ((aws.SSOError, aws.TokenRetrievalError), self._signed_out),
            (aws.CredentialRetrievalError, self._not_retrieved),
            (aws.ConfigParseError, _unparsable),
            (aws.ProfileNotFound, self._no_profile),
            (aws.PartialCredentialsError, self._partial),
            ((aws.InvalidConfigError, aws.UnknownCredentialError), self._misconfigured),
            ((aws.HTTPClientError, aws.ConnectionError), self._unreachable),
            # Of newer SDKs only.
            (getattr(aws, "LoginError", ()), self._logged_out),
        )
        for kinds, tell in cases:
            if isinstance(error, kinds):
                return tell(error)
        return str(error), "see the AWS SDK's documentation of its configuration"

    def _signed_out(self, error: aws.BotoCoreError) -> tuple[str, str]:
        return f"the AWS SSO session is not valid: {error}", self._sso_login()

    def _logged_out(self, error: aws.BotoCoreError) -> tuple[str, str]:
        return str(error), f"run: aws login --profile {quote(self._profile)}"

    def _not_retrieved(self, error: aws.CredentialRetrievalError) -> tuple[str, str]:
        """Explain what a profile with a credential_source leads to."""
        if self._trace.metadata:
            cause, remedy = self._trace.metadata
            return f"profile {self._profile} has no source for its role: {cause}", remedy
        return str(error), f"correct credential_source of profile {self._profile}, or what it stands for"

    def _no_profile(self, error: aws.ProfileNotFound) -> tuple[str, str]:
        text = f"there is no profile {error.kwargs.get('profile')!r}, which {self._profile_setting} names"
        remedy = f"correct {self._profile_setting}, or add the profile to the AWS configuration"
        return "; ".join([text, *self._unused_files()]), remedy

    def _misconfigured(self, error: aws.BotoCoreError) -> tuple[str, str]:
        return str(error), f"correct profile {self._profile} of the AWS configuration"

    def _unreachable(self, error: aws.BotoCoreError) -> tuple[str, str]:
        if isinstance(error, aws.SSLError) and "AWS_CA_BUNDLE" in self._environ:
            return str(error), "check the certificates in the file that AWS_CA_BUNDLE names"
        return str(error), "check the network, DNS and proxy on the way to the endpoint"

    def _unexpected(self, error: BaseException) -> tuple[str, str]:
        asked, clocks = self._trace.asked, self._trace.clocks
        if not asked:
            text = f"the AWS configuration cannot be used ({type(error).__name__})"
            return text, "check the AWS_* variables and ~/.aws/config"
        if isinstance(error, UnexpectedResponse):
            what = f": {error}"
        elif isinstance(error, RuntimeError) and not isinstance(error, RecursionError):
            # RefreshableCredentials raises it for one thing only.
            what = f": its credentials had expired on arrival; {clocks}"
        else:
            what = f" ({type(error).__name__})"
        return f"unexpected response from {asked}{what}", _CLOCK if self._trace.has_wrong_clock else _PROXY

    def _no_credentials(self, _: aws.NoCredentialsError) -> tuple[str, str]:
        unused = self._unused_files()
        if self._trace.metadata:
            cause, remedy = self._trace.metadata
            return "; ".join([f"no AWS credentials are configured, and {cause}", *unused]), remedy
        return "; ".join([_NO_CREDENTIALS[0], *unused]), _NO_CREDENTIALS[1]

    def _unused_files(self) -> list[str]:
        """Return why the SDK silently passes over configuration files; a default may be absent."""
        said = []
        for path, variable in self._trace.files.items():
            name = f"{path}, which {variable} names," if variable else path
            if not os.path.lexists(path):
                said += [f"{name} does not exist"] if variable else []
            elif not os.path.isfile(path):
                said += [f"{name} is not a file"] if path != os.devnull else []
            elif not os.access(path, os.R_OK):
                said.append(f"{name} cannot be read: permission denied")
        return said

    def _partial(self, error: aws.PartialCredentialsError) -> tuple[str, str]:
        provider, missing = error.kwargs.get("provider"), error.kwargs.get("cred_var")
        if provider == "env":
            return f"half a pair of keys is in the environment: {missing} is not set", f"set {missing}"
        whose = f"profile {self._profile}"
        if "source_profile" in self._trace.profiles.get(self._profile, {}):
            whose += ", or one that its source_profile leads to,"
        return f"{whose} lacks {missing} in the AWS configuration", f"add {missing} to {whose.rstrip(',')}"

    def _sso_login(self) -> str:
        """Return the command that opens the session of the profile, or of its source_profile."""
        name, seen = self._profile, set()
        while name not in seen:
            seen.add(name)
            profile = self._trace.profiles.get(name, {})
            name = name if "sso_account_id" in profile else profile.get("source_profile", name)
        return f"run: aws sso login --profile {quote(name)}"


def _unparsable(error: aws.ConfigParseError) -> tuple[str, str]:
    """Name file and line only: the parser's own words quote the line, which may have a secret in it."""
    path, reason = error.kwargs.get("path"), error.kwargs.get("error")
    lines = [number for number, _ in getattr(reason, "errors", [])] or [getattr(reason, "lineno", None)]
    place = f"{path}, line {lines[0]}" if lines[0] else f"{path}"
    if isinstance(reason, UnicodeDecodeError):
        return f"the AWS configuration {path} is not text in UTF-8", f"save {path} in UTF-8"
    return f"the AWS configuration cannot be parsed: {place} ({type(reason).__name__})", f"correct {place}"
