"""AWS, asked for real: which identity is found, whether it may get tokens, and whether the clocks agree.

The token cache is neither read nor written.
"""

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from credhelpers.cli.checks.bounded import Tasks
from credhelpers.cli.checks.finding import Finding, fail, failed, ok, warn
from credhelpers.settings import Settings
from credhelpers.stores.ecr.hosts import Registry

IDENTITY, PERMISSION, CLOCK = "AWS identity", "token permission", "clock"
_FAILS_AT = 240.0  # seconds; AWS refuses what is five minutes off, and a minute is little
_WARNS_AT = 60.0
_STS_SECONDS = 4.0
_SET_CLOCK = "timedatectl set-ntp true"

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
    "iam-role-in-time": "the instance's role",
}
"""What botocore's names of the links of its chain mean (botocore.credentials)."""


def ask(registry: Registry, chosen: Mapping[str, str], values: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Ask AWS, each request once, and yield what is found, as a child process can hand it over.

    Args:
        registry: The registry that a token is wanted for.
        chosen: What the configuration says of it.
        values: The whole configuration.
    """
    settings = Settings({**values, "ecr.attempts": "1"})
    for finding in _Inquiry(registry, chosen, settings).findings():
        yield vars(finding)


class _Inquiry:
    def __init__(self, registry: Registry, chosen: Mapping[str, str], settings: Settings) -> None:
        self._registry = registry
        self._chosen = chosen
        self._settings = settings
        self._skews: list[float] = []

    def findings(self) -> Iterator[Finding]:
        from botocore.exceptions import BotoCoreError, ClientError

        from credhelpers.stores.ecr.causes import explain
        from credhelpers.stores.ecr.chain import Session

        session = None
        check = IDENTITY
        try:
            seconds = self._settings.number("ecr.metadata_seconds")
            session = Session(self._chosen.get("profile"), self._registry.region, seconds)
            yield self._identity(session)
            check = PERMISSION
            self._ask_for_token(session)
            yield ok(PERMISSION, f"{self._registry.service} gives this identity a token")
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, ClientError):
                self._note_time(error.response)
            silent = bool(session and session.metadata_was_silent)
            yield failed(check, explain(error, self._registry, self._chosen, metadata_was_silent=silent))
        except Exception as error:  # noqa: BLE001  what the SDK stumbles into when an answer is none of AWS's
            text = f"AWS answered with something that makes no sense ({type(error).__name__})"
            yield fail(check, text, "see whether a proxy or another machine answers in AWS's place")
        yield self._clock()

    def _identity(self, session: Any) -> Finding:
        from botocore.exceptions import NoCredentialsError

        credentials = session.core.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        credentials.get_frozen_credentials()
        link = _LINKS.get(credentials.method, credentials.method)
        whose: Tasks[str] = Tasks(time.monotonic() + _STS_SECONDS)  # for names are resolved without a bound
        whose.start("arn", lambda: self._arn(session))
        text = f"credentials come from {link}; {whose.result('arn') or 'STS did not answer'}"
        if "role_arn" in self._chosen:
            text += f"; it assumes {self._chosen['role_arn']}"
        return ok(IDENTITY, text)

    def _arn(self, session: Any) -> str:
        """Ask STS who that is; a way to STS is not needed to pull, so nothing is wrong without one."""
        from botocore.exceptions import ClientError

        from credhelpers.stores.ecr.api import client_config

        config = client_config(self._settings)
        try:
            sts = session.core.create_client("sts", region_name=self._registry.region, config=config)
            answer = sts.get_caller_identity()
        except ClientError as error:
            self._note_time(error.response)
            return f"STS does not say whose ({error.response.get('Error', {}).get('Code', 'no code')})"
        except Exception:  # noqa: BLE001  as above, or no way to STS
            return "STS could not be asked whose"
        self._note_time(answer)
        return f"they are those of {answer['Arn']}"

    def _ask_for_token(self, session: Any) -> None:
        from credhelpers.stores.ecr.api import open_client

        answer = open_client(session, self._registry, self._chosen, self._settings).get_authorization_token()
        self._note_time(answer)
        data = answer["authorizationData"]
        if not (data if self._registry.public else data[0])["authorizationToken"]:
            raise ValueError

    def _note_time(self, answer: Mapping[str, Any]) -> None:
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        try:
            self._skews.append(time.time() - parsedate_to_datetime(date).timestamp())
        except (ValueError, TypeError):
            return  # whoever answered is not AWS, or says no time

    def _clock(self) -> Finding:
        if not self._skews:
            return warn(CLOCK, "the clock was not compared: AWS did not answer")
        skew = self._skews[-1]
        text = f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} AWS's"
        if abs(skew) > _FAILS_AT:
            return fail(CLOCK, f"{text}, and AWS refuses what is five minutes off", _SET_CLOCK)
        return warn(CLOCK, text, _SET_CLOCK) if abs(skew) > _WARNS_AT else ok(CLOCK, text)
