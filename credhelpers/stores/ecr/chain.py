"""The AWS SDK's own credential chain, with a metadata service that is asked no longer than pulls may wait."""

import os
import time
from typing import Any

import boto3
import botocore.session
from botocore.credentials import InstanceMetadataProvider
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

METADATA_SECONDS = 0.75
"""The metadata service answers in milliseconds or not at all. The SDK asks it twice, and its own shortest
timeout, one second, would make a machine without credentials wait too long for every image."""

_REFRESH_WINDOW = (
    15 * 60
)  # seconds before their end at which the SDK looks for new credentials, as it does itself


class Session:
    """A boto3 session.

    Attributes:
        boto3: The session itself.
    """

    def __init__(self) -> None:
        core = botocore.session.get_session()
        self._metadata = None if "AWS_METADATA_SERVICE_TIMEOUT" in os.environ else _metadata_provider(core)
        if self._metadata:
            resolver = core.get_component("credential_provider")
            resolver.insert_after(InstanceMetadataProvider.METHOD, self._metadata)
            resolver.remove(InstanceMetadataProvider.METHOD)
        self.boto3 = boto3.Session(botocore_session=core)

    @property
    def metadata_was_silent(self) -> bool:
        """Whether the metadata service was asked and did not answer in time."""
        return self._metadata is not None and self._metadata.was_silent


class _Metadata(InstanceMetadataProvider):  # type: ignore[misc]  # botocore has no types
    METHOD = "iam-role-in-time"
    was_silent = False

    def load(self) -> Any:
        started = time.monotonic()
        found = super().load()
        self.was_silent = found is None and time.monotonic() - started >= METADATA_SECONDS
        return found


def _metadata_provider(core: botocore.session.Session) -> _Metadata:
    fetcher = InstanceMetadataFetcher(
        timeout=METADATA_SECONDS,
        num_attempts=1,
        user_agent=core.user_agent(),
        config={
            "ec2_metadata_service_endpoint": core.get_config_variable("ec2_metadata_service_endpoint"),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(core),
            "ec2_metadata_v1_disabled": core.get_config_variable("ec2_metadata_v1_disabled"),
            "ec2_credential_refresh_window": _REFRESH_WINDOW,
        },
    )
    return _Metadata(iam_role_fetcher=fetcher)
