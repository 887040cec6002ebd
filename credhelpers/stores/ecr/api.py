"""The one call to AWS: GetAuthorizationToken, by whatever credentials the AWS SDK's own chain finds."""

import base64
import binascii
import os
import signal
import time
from types import FrameType, TracebackType
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from credhelpers.credential import CredentialsNotFound
from credhelpers.stores.ecr.causes import explain
from credhelpers.stores.ecr.chain import Session
from credhelpers.stores.ecr.hosts import Registry
from credhelpers.stores.ecr.tokens import Token

TOTAL_SECONDS = 10
"""The longest that a call may take with all its retries, credentials from roles and SSO included."""
_CONNECT_SECONDS = 2
_READ_SECONDS = 3
_ATTEMPTS = 3


def fetch_token(registry: Registry) -> Token:
    """Ask AWS for a token that opens every registry of a region to the identity that asks.

    The rules of endpoints are those of the AWS SDKs: FIPS and dual-stack hosts get their token from an
    endpoint of the same kind, other hosts from the one that the AWS configuration says.

    Raises:
        CredentialsNotFound: With AWS's or the network's reason as the cause.
    """
    now = time.time()
    session = None
    try:
        with _Deadline(TOTAL_SECONDS):
            session = Session()
            answer = _client(session, registry).get_authorization_token()
    except _OutOfTime:
        raise CredentialsNotFound(
            f"AWS did not answer within {TOTAL_SECONDS} s",
            "check the network between here and the ECR, STS and metadata endpoints",
        ) from None
    except (BotoCoreError, ClientError) as error:
        raise explain(
            error, registry, metadata_was_silent=bool(session and session.metadata_was_silent)
        ) from None
    data = answer["authorizationData"]
    if not registry.public:
        data = data[0]
    try:
        username, _, password = (
            base64.b64decode(data["authorizationToken"], validate=True).decode().partition(":")
        )
    except (binascii.Error, UnicodeDecodeError):
        raise CredentialsNotFound("AWS answered with something that is no token", "try again later") from None
    return Token(username, password, now, data["expiresAt"].timestamp(), (registry.host,))


# boto3 makes the classes of its clients at run time, so there is no better type for one than Any.
def _client(session: Session, registry: Registry) -> Any:
    has_own_endpoint = any(name in os.environ for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR"))
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        use_fips_endpoint=True if registry.fips and not has_own_endpoint else None,
        use_dualstack_endpoint=True if registry.dual_stack and not has_own_endpoint else None,
    )
    service = "ecr-public" if registry.public else "ecr"
    return session.boto3.client(service, region_name=registry.region, config=config)


class _OutOfTime(BaseException):
    """Not an Exception, so that no library takes it for a fault of its own that it may retry."""


class _Deadline:
    """Ends what runs in its ``with`` block after some seconds, whatever it waits for."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._former = signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._former)


def _ring(number: int, frame: FrameType | None) -> None:
    raise _OutOfTime
