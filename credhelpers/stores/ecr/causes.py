"""Why a call to AWS failed, for the person who must act: one line of cause, one of remedy."""

import os
from collections.abc import Callable, Mapping
from shlex import quote
from typing import Any

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from credhelpers.credential import CredentialError, CredentialsNotFound
from credhelpers.deadline import OutOfTime
from credhelpers.log import one_line
from credhelpers.stores.ecr.bounds import LARGEST, AnswerTooLarge
from credhelpers.stores.ecr.hosts import Registry
from credhelpers.stores.ecr.metadata import UNREADABLE
from credhelpers.stores.ecr.refusals import CLOCK, PROXY, explain_refusal
from credhelpers.stores.ecr.regions import similar_regions
from credhelpers.stores.ecr.sources import BadSource
from credhelpers.stores.ecr.trace import Trace

_LONGEST = 400  # characters of a service's or library's own words
_LONGEST_REMEDY = 1000
_PROFILE_VARIABLES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")  # in botocore's order

_NO_CREDENTIALS = (
    "no AWS credentials in the environment, a profile, a container role or an instance role",
    "attach a role to the instance, or set AWS_PROFILE or another source of the AWS SDK's credential chain",
)


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
    found = _Explanation(registry, chosen, environ, trace).of(error)
    return CredentialsNotFound(
        f"no token from {registry.service}: {one_line(found.cause[:_LONGEST])}",
        one_line(found.remedy[:_LONGEST_REMEDY]),
        fault=found.fault,
    )


class _Explanation:
    def __init__(
        self, registry: Registry, chosen: Mapping[str, str], environ: Mapping[str, str], trace: Trace
    ) -> None:
        self._registry = registry
        self._trace = trace
        self._environ = environ
        variable = next((name for name in _PROFILE_VARIABLES if name in environ), "")
        self._profile = chosen.get("profile") or environ.get(variable) or "default"
        self._profile_setting = "profile in config.toml" if "profile" in chosen else variable or "AWS_PROFILE"

    def of(self, error: BaseException) -> CredentialError:
        """Return cause, remedy and fault."""
        if isinstance(error, BadSource):
            return error
        if isinstance(error, OutOfTime):
            asked = self._trace.asked or "the source of the AWS credentials"
            return CredentialError(
                f"{asked} did not answer within {error.seconds:g} s",
                "see what it waits for, and check the network, DNS and proxy on the way to it",
                fault="late",
            )
        if isinstance(error, AnswerTooLarge):
            return CredentialError(
                f"unexpected response from {self._trace.asked}: more than {LARGEST >> 20} MiB",
                PROXY,
                fault="unexpected",
            )
        if isinstance(error, aws.ClientError):
            return explain_refusal(error, self._environ, self._trace, self._sso_login())
        if isinstance(error, aws.BotoCoreError):
            return self._failed(error)
        return self._unexpected(error)

    def _failed(self, error: aws.BotoCoreError) -> CredentialError:
        cases: tuple[tuple[Any, Callable[[Any], CredentialError]], ...] = (
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
        return CredentialError(
            str(error), "see the AWS SDK's documentation of its configuration", fault="misconfigured"
        )

    def _signed_out(self, error: aws.BotoCoreError) -> CredentialError:
        return CredentialError(
            f"the AWS SSO session is not valid: {error}", self._sso_login(), fault="sso-expired"
        )

    def _logged_out(self, error: aws.BotoCoreError) -> CredentialError:
        return CredentialError(
            str(error), f"run: aws login --profile {quote(self._profile)}", fault="login-expired"
        )

    def _not_retrieved(self, error: aws.CredentialRetrievalError) -> CredentialError:
        """Explain what a profile with a credential_source leads to."""
        if metadata := self._trace.metadata:
            cause = f"profile {self._profile} has no source for its role: {metadata.cause}"
            return CredentialError(cause, metadata.remedy, fault=metadata.fault)
        return CredentialError(
            str(error),
            f"correct credential_source of profile {self._profile}, or what it stands for",
            fault="misconfigured",
        )

    def _no_profile(self, error: aws.ProfileNotFound) -> CredentialError:
        text = f"there is no profile {error.kwargs.get('profile')!r}, which {self._profile_setting} names"
        remedy = f"correct {self._profile_setting}, or add the profile to the AWS configuration"
        return CredentialError("; ".join([text, *self._unused_files()]), remedy, fault="profile-missing")

    def _misconfigured(self, error: aws.BotoCoreError) -> CredentialError:
        return CredentialError(
            str(error), f"correct profile {self._profile} of the AWS configuration", fault="misconfigured"
        )

    def _unreachable(self, error: aws.BotoCoreError) -> CredentialError:
        if isinstance(error, aws.SSLError) and "AWS_CA_BUNDLE" in self._environ:
            return CredentialError(
                str(error), "check the certificates in the file that AWS_CA_BUNDLE names", fault="ca-bundle"
            )
        region = self._registry.region
        similar = similar_regions(region) if isinstance(error, aws.EndpointConnectionError) else None
        if similar is not None:
            question = f"did you mean {' or '.join(similar)}? " if similar else ""
            return CredentialError(
                f"AWS has no region {region}: {error}",
                f"{question}correct the region in the registry's name",
                fault="region-unknown",
            )
        return CredentialError(
            str(error), "check the network, DNS and proxy on the way to the endpoint", fault="unreachable"
        )

    def _unexpected(self, error: BaseException) -> CredentialError:
        asked, clocks = self._trace.asked, self._trace.clocks
        if not asked:
            text = f"the AWS configuration cannot be used ({type(error).__name__})"
            return CredentialError(text, "check the AWS_* variables and ~/.aws/config", fault="misconfigured")
        if isinstance(error, UnexpectedResponse):
            what = f": {error}"
        elif isinstance(error, RuntimeError) and not isinstance(error, RecursionError):
            # RefreshableCredentials raises it for one thing only.
            what = f": its credentials had expired on arrival; {clocks}"
        else:
            what = f" ({type(error).__name__})"
        text = f"unexpected response from {asked}{what}"
        if self._trace.has_wrong_clock:
            return CredentialError(text, CLOCK, fault="clock-skew")
        return CredentialError(text, PROXY, fault="unexpected")

    def _no_credentials(self, _: aws.NoCredentialsError) -> CredentialError:
        unused = self._unused_files()
        if metadata := self._trace.metadata:
            cause = "; ".join([f"no AWS credentials are configured, and {metadata.cause}", *unused])
            return CredentialError(cause, metadata.remedy, fault=metadata.fault)
        return CredentialError("; ".join([_NO_CREDENTIALS[0], *unused]), _NO_CREDENTIALS[1], fault="none")

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

    def _partial(self, error: aws.PartialCredentialsError) -> CredentialError:
        provider, missing = error.kwargs.get("provider"), error.kwargs.get("cred_var")
        if provider == "env":
            text = f"half a pair of keys is in the environment: {missing} is not set"
            return CredentialError(text, f"set {missing}", fault="half-a-key")
        whose = f"profile {self._profile}"
        if "source_profile" in self._trace.profiles.get(self._profile, {}):
            whose += ", or one that its source_profile leads to,"
        return CredentialError(
            f"{whose} lacks {missing} in the AWS configuration",
            f"add {missing} to {whose.rstrip(',')}",
            fault="profile-incomplete",
        )

    def _sso_login(self) -> str:
        """Return the command that opens the session of the profile, or of its source_profile."""
        name, seen = self._profile, set()
        while name not in seen:
            seen.add(name)
            profile = self._trace.profiles.get(name, {})
            name = name if "sso_account_id" in profile else profile.get("source_profile", name)
        return f"run: aws sso login --profile {quote(name)}"


def _unparsable(error: aws.ConfigParseError) -> CredentialError:
    """Name file and line only: the parser's own words quote the line, which may have a secret in it."""
    path, reason = error.kwargs.get("path"), error.kwargs.get("error")
    lines = [number for number, _ in getattr(reason, "errors", [])] or [getattr(reason, "lineno", None)]
    place = f"{path}, line {lines[0]}" if lines[0] else f"{path}"
    if isinstance(reason, UnicodeDecodeError):
        return CredentialError(
            f"the AWS configuration {path} is not text in UTF-8",
            f"save {path} in UTF-8",
            fault="config-unparsable",
        )
    return CredentialError(
        f"the AWS configuration cannot be parsed: {place} ({type(reason).__name__})",
        f"correct {place}",
        fault="config-unparsable",
    )
