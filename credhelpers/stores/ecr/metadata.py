"""The instance metadata service (IMDS), and why it returned no credentials."""

import json
from typing import Any

from botocore import exceptions as aws
from botocore.credentials import InstanceMetadataProvider
from botocore.session import Session
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

from credhelpers.credential import CredentialError
from credhelpers.stores.ecr.trace import Trace

_REFRESH_WINDOW = 15 * 60  # seconds before their end at which the SDK looks for new credentials
_TIMEOUTS = (aws.ConnectTimeoutError, aws.ReadTimeoutError)
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What the SDK, or a parser, raises when an answer or a setting is not what it expects."""
_OPTIONS = "aws ec2 modify-instance-metadata-options --instance-id ID"
_ATTACH = "aws ec2 associate-iam-instance-profile --instance-id ID --iam-instance-profile Name=NAME"


class Listener:
    """An HTTP session of botocore's that remembers how each request ended.

    Args:
        session: The session that does the work.

    Attributes:
        outcomes: The last status, or exception, by HTTP method.
        body: The last answer's.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self.outcomes: dict[str, int | Exception] = {}
        self.body = b""

    def send(self, request: Any) -> Any:
        """Send a request and return the answer, as botocore's session does."""
        self.body = b""
        try:
            response = self._session.send(request)
        except (aws.HTTPClientError, aws.ConnectionError) as error:
            self.outcomes[request.method] = error
            raise
        self.outcomes[request.method] = response.status_code
        self.body = response.content
        return response


class MetadataProvider(InstanceMetadataProvider):  # type: ignore[misc]  # botocore has no types
    """The SDK's own provider, with a shorter timeout, and with the reason when there are no credentials.

    The metadata service answers in milliseconds or not at all. The SDK asks it twice, and its own shortest
    timeout, one second, would make a machine without credentials wait too long for every image.

    Args:
        core: The session, for the service's settings in the AWS configuration.
        seconds: How long each request may take.
        attempts: How often each is tried.
        trace: Gets the service's address, and the reason.
    """

    def __init__(self, core: Session, seconds: float, attempts: int, trace: Trace) -> None:
        fetcher = InstanceMetadataFetcher(
            timeout=seconds,
            num_attempts=attempts,
            user_agent=core.user_agent(),
            config={
                "ec2_metadata_service_endpoint": core.get_config_variable("ec2_metadata_service_endpoint"),
                "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(core),
                "ec2_metadata_v1_disabled": core.get_config_variable("ec2_metadata_v1_disabled"),
                "ec2_credential_refresh_window": _REFRESH_WINDOW,
            },
        )
        super().__init__(iam_role_fetcher=fetcher)
        self._listener = fetcher._session = Listener(fetcher._session)
        self._where = f"the instance metadata service at {fetcher.get_base_url()}"
        self._trace = trace

    def load(self) -> Any:
        """Return the role's credentials, or None."""
        self._trace.asked = self._where
        try:
            found = super().load()
        except (aws.MetadataRetrievalError, aws.HTTPClientError, *UNREADABLE):
            found = None
        if found is None:
            self._trace.metadata = self._fault()
        self._listener.body = b""
        return found

    def _fault(self) -> CredentialError:
        """Return what the service did (EC2 user guide, "Troubleshoot IMDS")."""
        outcomes = self._listener.outcomes
        if not outcomes:
            return CredentialError(
                "the instance metadata service is turned off by AWS_EC2_METADATA_DISABLED",
                "set AWS_PROFILE or another source of AWS credentials, or unset AWS_EC2_METADATA_DISABLED",
                fault="imds-disabled",
            )
        put = outcomes.get("PUT")
        last = outcomes.get("GET", put)
        if isinstance(last, int) and isinstance(put, _TIMEOUTS):
            return CredentialError(
                f"{self._where} answered a GET but not the PUT for a session token: its hop limit is too low",
                f"as an administrator: {_OPTIONS} --http-put-response-hop-limit 2",
                fault="hop-limit",
            )
        if isinstance(last, _TIMEOUTS):
            return CredentialError(
                f"{self._where} did not answer",
                f"on EC2, as an administrator: {_OPTIONS} --http-endpoint enabled "
                "--http-put-response-hop-limit 2; elsewhere, set AWS_PROFILE or another source of AWS "
                "credentials",
                fault="imds-silent",
            )
        if isinstance(last, aws.EndpointConnectionError):
            return CredentialError(
                f"{self._where} cannot be reached",
                "set AWS_PROFILE or another source of AWS credentials",
                fault="imds-unreachable",
            )
        if not isinstance(last, int):
            return CredentialError(
                f"{self._where} closed the connection",
                "see whether a proxy stands before the service",
                fault="imds-closed",
            )
        return self._answered(last)

    def _answered(self, status: int) -> CredentialError:
        if status == 403:
            return CredentialError(
                f"{self._where} refused access (403): it is turned off, or a policy forbids it",
                f"as an administrator: {_OPTIONS} --http-endpoint enabled, or set AWS_PROFILE",
                fault="imds-off",
            )
        if status == 404:
            return CredentialError(
                f"{self._where} has no role (404): none is attached to the instance",
                f"as an administrator: {_ATTACH}, or set AWS_PROFILE or another source of AWS credentials",
                fault="no-role",
            )
        if status == 401:
            return CredentialError(
                f"{self._where} refused a request without a valid session token (401)",
                f"as an administrator: {_OPTIONS} --http-put-response-hop-limit 2",
                fault="imds-token",
            )
        if status != 200:
            return CredentialError(
                f"{self._where} answered with HTTP {status}", "try again in a minute", fault="imds-error"
            )
        try:
            answer = json.loads(self._listener.body)
            code = answer["Code"]
        except UNREADABLE:
            answer, code = {}, "Success"
        if code != "Success":
            return CredentialError(
                f"{self._where} answered {code}: {answer.get('Message') or 'no reason'}",
                "let ec2.amazonaws.com assume the role in its trust policy, or attach another role",
                fault="role-not-assumable",
            )
        return CredentialError(
            f"unexpected response from {self._where}",
            "see whether a proxy or another server answers in its place",
            fault="imds-unexpected",
        )
