"""The one call to AWS: GetAuthorizationToken, by whatever credentials the AWS SDK's own chain finds."""

import base64
import os
import time
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from credhelpers.credential import CredentialsNotFound
from credhelpers.deadline import Deadline, OutOfTime
from credhelpers.settings import Settings
from credhelpers.stores.ecr.causes import explain
from credhelpers.stores.ecr.chain import Session
from credhelpers.stores.ecr.hosts import Registry
from credhelpers.stores.ecr.tokens import Token

_SESSION_NAME = "credhelpers"
_RUBBISH = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What the SDK, and the reading of what it returns, stumble into when an answer is none of AWS's."""


def fetch_token(
    registry: Registry, chosen: Mapping[str, str], settings: Settings, environ: Mapping[str, str]
) -> Token:
    """Ask AWS for a token that opens every registry of a region to the identity that asks.

    The rules of endpoints are those of the AWS SDKs: FIPS and dual-stack hosts get their token from an
    endpoint of the same kind, other hosts from the one that the AWS configuration says.

    Args:
        registry: Whose token.
        chosen: What the configuration says of it: ``profile``, ``role_arn`` and so on.
        settings: The limits; ``ecr.call_seconds`` is the longest that a call may take with all its retries,
            credentials from roles and SSO included.
        environ: The environment of the call.

    Raises:
        CredentialsNotFound: With AWS's or the network's reason as the cause.
    """
    now = time.time()
    session = None
    seconds = settings.number("ecr.call_seconds")
    try:
        with Deadline(seconds):
            session = Session(chosen.get("profile"), registry.region, settings.number("ecr.metadata_seconds"))
            answer = open_client(session, registry, chosen, settings).get_authorization_token()
        return _token(answer, registry, now)
    except OutOfTime:
        raise CredentialsNotFound(
            f"AWS did not answer within {seconds:g} s",
            "check the network between here and the ECR, STS and metadata endpoints",
        ) from None
    except (BotoCoreError, ClientError) as error:
        silent = bool(session and session.metadata_was_silent)
        raise explain(error, registry, chosen, metadata_was_silent=silent) from None
    except _RUBBISH as error:
        raise CredentialsNotFound(
            f"AWS answered with something that is no token ({type(error).__name__})",
            "see whether a proxy or another machine answers in AWS's place",
        ) from None


def _token(answer: Any, registry: Registry, now: float) -> Token:
    data = answer["authorizationData"]
    if not registry.public:
        data = data[0]
    text = base64.b64decode(data["authorizationToken"], validate=True).decode()
    username, _, password = text.partition(":")
    if not username or not password:
        raise ValueError
    return Token(username, password, now, data["expiresAt"].timestamp(), (registry.host,))


# botocore makes the classes of its clients at run time, so there is no better type for one than Any.
def open_client(session: Session, registry: Registry, chosen: Mapping[str, str], settings: Settings) -> Any:
    """Return a client of the registry's ECR API, by the identity that the configuration chooses for it."""
    config = client_config(settings)
    keys = {}
    if "role_arn" in chosen:
        keys = _assume_role(
            session.core.create_client("sts", region_name=registry.region, config=config), chosen
        )
    endpoint = chosen.get("endpoint_url")
    # The SDK refuses these flags beside an endpoint of one's own, which says it all.
    if not (endpoint or "AWS_ENDPOINT_URL" in os.environ or "AWS_ENDPOINT_URL_ECR" in os.environ):
        flags = {"use_fips_endpoint": registry.fips, "use_dualstack_endpoint": registry.dual_stack}
        config = config.merge(Config(**{name: True for name, wanted in flags.items() if wanted}))
    return session.core.create_client(
        "ecr-public" if registry.public else "ecr",
        region_name=registry.region,
        endpoint_url=endpoint,
        config=config,
        **keys,
    )


def client_config(settings: Settings) -> Config:
    """Return the limits of each client of AWS's."""
    return Config(
        connect_timeout=settings.number("ecr.connect_seconds"),
        read_timeout=settings.number("ecr.read_seconds"),
        retries={"mode": "standard", "total_max_attempts": int(settings.number("ecr.attempts"))},
    )


def _assume_role(sts: Any, chosen: Mapping[str, str]) -> dict[str, str]:
    request = {
        "RoleArn": chosen["role_arn"],
        "RoleSessionName": chosen.get("session_name", _SESSION_NAME),
    }
    if "external_id" in chosen:
        request["ExternalId"] = chosen["external_id"]
    given = sts.assume_role(**request)["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
