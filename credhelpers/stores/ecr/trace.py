"""The facts of a call to AWS: the service asked last, the difference of clocks, the files read."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from credhelpers.credential import CredentialError

CLOCK_LIMIT = 240.0
"""Seconds of difference; AWS refuses a request that is five minutes off, and a minute is little."""


class Trace:
    """Facts that the AWS SDK's exceptions do not have.

    Attributes:
        asked: The service or program that was asked last, in words; empty before the first question.
        skew: Seconds by which this machine's clock is ahead of the last answer's ``Date``; None without one.
        metadata: Why the instance metadata service gave no credentials; None when it was not asked or did.
        files: The AWS configuration files, with the variable that names each; empty for a default.
        profiles: The profiles in them.
    """

    def __init__(self) -> None:
        self.asked = ""
        self.skew: float | None = None
        self.metadata: CredentialError | None = None
        self.files: dict[str, str] = {}
        self.profiles: Mapping[str, Mapping[str, str]] = {}

    def note_request(self, request: Any, **_: Any) -> None:
        """Note which service is asked; for botocore's event ``before-send``."""
        place = urlsplit(request.url)
        self.asked = f"{place.scheme}://{place.hostname}" + (f":{place.port}" if place.port else "")

    def note_answer(self, response_dict: Any = None, **_: Any) -> None:
        """Note the time in an answer; for botocore's event ``response-received``."""
        date = response_dict["headers"].get("date", "") if response_dict else ""
        try:
            self.skew = time.time() - parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError, OverflowError):
            self.skew = None  # the answer says no time

    @property
    def has_wrong_clock(self) -> bool:
        """Whether AWS refuses requests by this machine's clock."""
        return self.skew is not None and abs(self.skew) > CLOCK_LIMIT

    @property
    def clocks(self) -> str:
        """How this machine's clock differs from the answer's, in words."""
        if self.skew is None:
            return "the answer has no date"
        side = "ahead of" if self.skew > 0 else "behind"
        return f"this machine's clock is {abs(self.skew):.0f} s {side} AWS's"
