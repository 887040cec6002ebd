"""The call to AWS: GetAuthorizationToken, with the credentials that the AWS SDK's own chain finds."""

import base64
import math
import time
from collections.abc import Mapping
from typing import Any

from botocore.config import Config

from credhelpers.config import Settings
from credhelpers.deadline import Deadline
from credhelpers.stores.ecr.causes import FAILURES, UnexpectedResponse, explain
from credhelpers.stores.ecr.chain import Session, client_config, environment_of
from credhelpers.stores.ecr.hosts import LONGEST_LIFE, Registry
from credhelpers.stores.ecr.trace import Trace
from credhelpers.stores.tokens.cache import Token

_SESSION_NAME = "credhelpers"
_ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR")


def fetch_token(
    registry: Registry, chosen: Mapping[str, str], settings: Settings, environ: Mapping[str, str]
) -> Token:
    """Ask AWS for a token, which opens every registry of a region that the identity may read.

    Endpoints are chosen as the AWS SDKs do: FIPS and dual-stack hosts get their token from an endpoint of the
    same kind, other hosts from the one in the AWS configuration.

    Args:
        registry: The registry.
        chosen: Its table in the configuration: ``profile``, ``role_arn`` and so on.
        settings: The limits; ``ecr.call_seconds`` is the longest that a call may take with all its retries,
            credentials from roles and SSO included.
        environ: The complete environment of the call. It replaces the process's own meanwhile, so only a
            process with one thread may call this.

    Raises:
        CredentialsNotFound: With AWS's or the network's reason as the cause.
    """
    trace = Trace()
    try:
        with environment_of(environ), Deadline(settings.number("ecr.call_seconds")):
            session = Session(environ, chosen.get("profile"), registry.region, settings, trace)
            session.credentials()
            answer = open_client(session, registry, chosen, settings, environ).get_authorization_token()
        return read_token(answer, registry, time.time(), trace)
    except FAILURES as error:
        raise explain(error, registry, chosen, environ, trace) from None


def read_token(answer: Any, registry: Registry, now: float, trace: Trace) -> Token:
    """Return the token in AWS's answer.

    Raises:
        UnexpectedResponse: There is no token that is valid now.
    """
    try:
        data = answer["authorizationData"]
        if not registry.public:
            data = data[0]
        text, ends = data["authorizationToken"], data["expiresAt"]
    except (LookupError, TypeError):
        raise UnexpectedResponse("it has no token, or no expiry") from None
    try:
        expires = ends.timestamp()
        username, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (ArithmeticError, AttributeError, OSError, TypeError, ValueError):
        raise UnexpectedResponse("the token is not base64, or its expiry is not a time") from None
    if not username or not password or not math.isfinite(expires):
        raise UnexpectedResponse("the token is not a username and a password")
    if expires <= now:
        raise UnexpectedResponse(
            f"the token had expired on arrival, {now - expires:.0f} s ago; {trace.clocks}"
        )
    return Token(username, password, now, expires, LONGEST_LIFE)


# botocore makes the classes of its clients at run time, so there is no better type for one than Any.
def open_client(
    session: Session,
    registry: Registry,
    chosen: Mapping[str, str],
    settings: Settings,
    environ: Mapping[str, str],
) -> Any:
    """Return a client of the registry's ECR API, with the identity that the configuration names for it."""
    config = client_config(settings)
    keys = _assume_role(session, registry, chosen) if "role_arn" in chosen else {}
    endpoint = chosen.get("endpoint_url")
    # The SDK refuses these flags beside a configured endpoint.
    if not (endpoint or any(name in environ for name in _ENDPOINT_VARIABLES)):
        flags = {"use_fips_endpoint": registry.fips, "use_dualstack_endpoint": registry.dual_stack}
        config = config.merge(Config(**{name: True for name, wanted in flags.items() if wanted}))
    return session.core.create_client(
        "ecr-public" if registry.public else "ecr",
        region_name=registry.region,
        endpoint_url=endpoint,
        config=config,
        **keys,
    )


def _assume_role(session: Session, registry: Registry, chosen: Mapping[str, str]) -> dict[str, str]:
    request = {"RoleArn": chosen["role_arn"], "RoleSessionName": chosen.get("session_name", _SESSION_NAME)}
    if "external_id" in chosen:
        request["ExternalId"] = chosen["external_id"]
    sts = session.core.create_client("sts", region_name=registry.region)
    keys = sts.assume_role(**request)["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
