"""The AWS SDK's own credential chain, with a metadata service that is asked no longer than pulls may wait."""

import os
import time
from typing import Any

import botocore.session
from botocore.credentials import InstanceMetadataProvider
from botocore.utils import InstanceMetadataFetcher, resolve_imds_endpoint_mode

from credhelpers.settings import home_directory

_REFRESH_WINDOW = 15 * 60  # seconds before their end at which the SDK looks for new credentials


class Session:
    """A session of botocore, the engine of boto3: the same chain without what a token does not need.

    The metadata service answers in milliseconds or not at all. The SDK asks it twice, and its own shortest
    timeout, one second, would make a machine without credentials wait too long for every image.

    Args:
        profile: The profile of the AWS configuration to use; None for the one that the environment says.
        region: Where STS and others are asked when the AWS configuration does not say.
        metadata_seconds: How long each request to the metadata service may take, unless the environment says.

    Attributes:
        core: The session itself.
    """

    def __init__(self, profile: str | None, region: str, metadata_seconds: float) -> None:
        home = home_directory(os.environ)
        if home:
            # The SDK follows any HOME, and tokens are kept by what stands in this one.
            os.environ["HOME"] = home
        core = botocore.session.Session(profile=profile)
        if not core.get_config_variable("region"):
            core.set_config_variable("region", region)
        self._metadata = None
        if "AWS_METADATA_SERVICE_TIMEOUT" not in os.environ:
            self._metadata = _metadata_provider(core, metadata_seconds)
        if self._metadata:
            resolver = core.get_component("credential_provider")
            resolver.insert_after(InstanceMetadataProvider.METHOD, self._metadata)
            resolver.remove(InstanceMetadataProvider.METHOD)
        self.core = core

    @property
    def metadata_was_silent(self) -> bool:
        """Whether the metadata service was asked and did not answer in time."""
        return self._metadata is not None and self._metadata.was_silent


class _Metadata(InstanceMetadataProvider):  # type: ignore[misc]  # botocore has no types
    METHOD = "iam-role-in-time"
    was_silent = False

    def __init__(self, fetcher: InstanceMetadataFetcher, seconds: float) -> None:
        super().__init__(iam_role_fetcher=fetcher)
        self._seconds = seconds

    def load(self) -> Any:
        started = time.monotonic()
        found = super().load()
        self.was_silent = found is None and time.monotonic() - started >= self._seconds
        return found


def _metadata_provider(core: botocore.session.Session, seconds: float) -> _Metadata:
    fetcher = InstanceMetadataFetcher(
        timeout=seconds,
        num_attempts=1,
        user_agent=core.user_agent(),
        config={
            "ec2_metadata_service_endpoint": core.get_config_variable("ec2_metadata_service_endpoint"),
            "ec2_metadata_service_endpoint_mode": resolve_imds_endpoint_mode(core),
            "ec2_metadata_v1_disabled": core.get_config_variable("ec2_metadata_v1_disabled"),
            "ec2_credential_refresh_window": _REFRESH_WINDOW,
        },
    )
    return _Metadata(fetcher, seconds)
