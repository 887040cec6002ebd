"""The AWS account that the emulator stands for: its keys, its clock, and what it gives out."""

import base64
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from credhelpers.emulator.messages import Request, Response

ROLE = "worker"
"""The name of the instance's role."""

ACCOUNT = "123456789012"
"""The account that the instance is in."""

LIFETIME = 12 * 3600.0
_SESSION_SECONDS = 6 * 3600


class Account:
    """What the services share.

    Args:
        password: The password inside every authorization token.
        clock: Tells the time, in seconds since the epoch.
        lifetime: Seconds that a token is valid.

    Attributes:
        access_key_ids: The keys that may sign; those of roles are added as they are handed out.
        arns: Whose the keys are; one that is not here is an IAM user's.
        audiences: For whom a web identity token may be made.
        session: The session token of the metadata service.
        staged: The faults, by name.
        offset: Seconds by which AWS's clock is ahead of `clock`.
        ended: Is set when the emulator ends.
    """

    def __init__(
        self, *, password: str, clock: Callable[[], float] = time.time, lifetime: float = LIFETIME
    ) -> None:
        self.password = password
        self.clock = clock
        self.lifetime = lifetime
        self.access_key_ids: set[str] = set()
        self.arns: dict[str, str] = {}
        self.audiences = {"sts.amazonaws.com"}
        self.session = secrets.token_urlsafe(24)
        self.staged: dict[str, Fault] = {}
        self.offset = 0.0
        self.ended = threading.Event()

    def now(self) -> float:
        """Return the time of AWS's clock, in seconds since the epoch."""
        return self.clock() + self.offset

    def mend(self, name: str) -> None:
        """End a fault."""
        if fault := self.staged.pop(name.partition("=")[0], None):
            self.offset = 0.0 if fault.takes_seconds else self.offset

    def give_credentials(self) -> dict[str, Any]:
        """Make temporary credentials that this AWS accepts."""
        key = "ASIA" + secrets.token_hex(8).upper()
        self.access_key_ids.add(key)
        return {
            "AccessKeyId": key,
            "SecretAccessKey": secrets.token_urlsafe(30),
            "SessionToken": secrets.token_urlsafe(60),
            "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now() + _SESSION_SECONDS)),
        }

    def give_role(self, role: str, session: str) -> dict[str, Any]:
        """Make temporary credentials of a role in a session."""
        fields = self.give_credentials()
        self.arns[fields["AccessKeyId"]] = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
        return fields

    def arn_of(self, access_key_id: str) -> str:
        """Return whose a key is."""
        return self.arns.get(access_key_id, f"arn:aws:iam::{ACCOUNT}:user/ada")

    def authorization(self, proxy: str) -> dict[str, Any]:
        """Make the authorization data of ECR and ECR Public."""
        token = base64.b64encode(f"AWS:{self.password}".encode()).decode()
        expires = self.now() + self.lifetime
        return {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": proxy}


Answer = Callable[[Account, Request], Response | None]
"""What answers a request; None for what is another's."""


def passing(account: Account, request: Request) -> None:
    """Answer nothing."""


def nothing(closed_url: str) -> Mapping[str, str]:
    """Return no variables."""
    del closed_url
    return {}


@dataclass(frozen=True)
class Fault:
    """Something of AWS's that is broken, or is set up wrong.

    Attributes:
        text: What it is, in a few words.
        answer: What answers requests while it is staged.
        environment: The variables that it takes, from an address at which nothing listens.
        takes_seconds: Whether its name is followed by ``=`` and a number of seconds.
    """

    text: str
    answer: Answer = passing
    environment: Callable[[str], Mapping[str, str]] = nothing
    takes_seconds: bool = False
