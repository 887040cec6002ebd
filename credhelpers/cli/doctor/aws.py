"""Requests to AWS: which identity the SDK finds, whether it gets a token, and whether the clocks agree.

The token cache is neither read nor written.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from credhelpers.cli.shared.bounded import Tasks
from credhelpers.config import Settings
from credhelpers.finding import Finding, fail, failed, ok, warn
from credhelpers.stores.ecr.hosts import Registry
from credhelpers.stores.ecr.trace import CLOCK_LIMIT, Trace

IDENTITY, PERMISSION, CLOCK = "AWS identity", "token permission", "clock"
_ACCOUNT = "registry account"
_WARNS_AT = 60.0  # seconds
_STS_SECONDS = 4.0
_PROGRAM_SECONDS = 6.0  # for a credential_process; it must end before the doctor does

_LINKS = {
    "env": "the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "shared-credentials-file": "the AWS credentials file",
    "config-file": "the AWS configuration file",
    "custom-process": "a credential_process of the AWS configuration",
    "assume-role": "a role that a profile assumes",
    "assume-role-with-web-identity": "a web identity token",
    "sso": "an SSO session",
    "container-role": "the container's role",
    "iam-role": "the instance's role",
}
"""What botocore's names of the links of its chain mean (botocore.credentials)."""


def prepare(environ: Mapping[str, str]) -> None:
    """Adopt the environment of the calls, before threads are started that could read it meanwhile."""
    from credhelpers.stores.ecr.chain import adopt_environment

    adopt_environment(environ)


def ask(
    registry: Registry,
    chosen: Mapping[str, str],
    values: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    is_pull: bool,
) -> Iterator[Finding]:
    """Make each request to AWS once, and yield what is found.

    Args:
        registry: The registry to get a token for.
        chosen: What the configuration says of it.
        values: The whole configuration.
        environ: The environment of the call, which `prepare` has adopted.
        is_pull: Whether the registry is asked for an image, so that its own account is no question.
    """
    seconds = min(Settings(values).number("ecr.call_seconds"), _PROGRAM_SECONDS)
    settings = Settings({**values, "ecr.attempts": "1", "ecr.call_seconds": str(seconds)})
    inquiry = _Inquiry(registry, chosen, settings, environ)
    yield from inquiry.findings()
    if not is_pull:
        yield from inquiry.other_account()


class _Inquiry:
    def __init__(
        self, registry: Registry, chosen: Mapping[str, str], settings: Settings, environ: Mapping[str, str]
    ) -> None:
        self._registry = registry
        self._chosen = chosen
        self._settings = settings
        self._environ = environ
        self._trace = Trace()
        self._clocks: list[Finding] = []
        self._account = chosen.get("role_arn", "").split(":")[4:5]

    def findings(self) -> Iterator[Finding]:
        from credhelpers.stores.ecr.causes import FAILURES, explain
        from credhelpers.stores.ecr.chain import Session

        check = IDENTITY
        try:
            profile = self._chosen.get("profile")
            session = Session(self._environ, profile, self._registry.region, self._settings, self._trace)
            yield self._identity(session)
            check = PERMISSION
            self._ask_for_token(session)
            yield ok(PERMISSION, f"{self._registry.service} gives this identity a token")
        except FAILURES as error:
            yield failed(check, explain(error, self._registry, self._chosen, self._environ, self._trace))
        self._note_clock()
        yield (
            self._clocks[-1]
            if self._clocks
            else warn(CLOCK, "unknown", "cannot compare the clock: AWS did not answer")
        )

    def other_account(self) -> Iterator[Finding]:
        """Find that the registry is another account's than the identity."""
        host = self._registry.host
        owner = self._chosen.get("account") or host.partition(".")[0]
        if self._registry.public or self._account in ([], [owner]):
            return
        yield warn(
            _ACCOUNT,
            "other",
            f"{host} is account {owner}'s, and the identity is account {self._account[0]}'s: a repository "
            "needs a policy that lets it pull",
            f"see whether one has it: credhelpers doctor {host}/REPOSITORY:TAG",
        )

    def _identity(self, session: Any) -> Finding:
        credentials = session.credentials()
        self._note_clock()
        link = _LINKS.get(credentials.method, credentials.method)
        whose: Tasks[str] = Tasks(time.monotonic() + _STS_SECONDS)  # because resolving a name has no timeout
        whose.start("arn", lambda: self._arn(session))
        text = f"credentials come from {link}; {whose.result('arn') or 'STS did not answer'}"
        self._note_clock()
        if "role_arn" in self._chosen:
            text += f"; it assumes {self._chosen['role_arn']}"
        return ok(IDENTITY, text)

    def _arn(self, session: Any) -> str:
        """Ask STS whose credentials they are; pulls do without STS, so an error is not a failure."""
        import boto3
        from botocore.exceptions import ClientError

        from credhelpers.stores.ecr.causes import FAILURES

        try:
            sts = boto3.Session(botocore_session=session.core).client(
                "sts", region_name=self._registry.region
            )
            caller = sts.get_caller_identity()
            self._account = self._account or [caller["Account"]]
            return f"they are those of {caller['Arn']}"
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code") or "no error code"
            return f"STS refuses to identify them ({code})"
        except FAILURES:
            return "STS cannot be reached to identify them"

    def _ask_for_token(self, session: Any) -> None:
        from credhelpers.stores.ecr.api import open_client, read_token

        client = open_client(session, self._registry, self._chosen, self._settings, self._environ)
        read_token(client.get_authorization_token(), self._registry, time.time(), self._trace)

    def _note_clock(self) -> None:
        """Keep what the last answer says of the clock; an answer of AWS has the time."""
        skew = self._trace.skew
        if skew is None:
            return
        text, remedy = self._trace.clocks, "timedatectl set-ntp true"
        if abs(skew) > CLOCK_LIMIT:
            self._clocks.append(
                fail(CLOCK, "skew", f"{text}, and AWS refuses requests that are five minutes off", remedy)
            )
        else:
            self._clocks.append(
                warn(CLOCK, "skew", text, remedy) if abs(skew) > _WARNS_AT else ok(CLOCK, text)
            )
