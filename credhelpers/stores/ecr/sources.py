"""The files, programs and agents that the AWS SDK's chain asks: bounded, and named in errors."""

import json
import os
import shlex
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore import credentials as sdk
from botocore import exceptions as aws
from botocore.session import Session
from botocore.utils import ContainerMetadataFetcher, JSONFileCache, parse_to_aware_datetime

from credhelpers import files, process
from credhelpers.credential import CredentialError
from credhelpers.stores.ecr.metadata import UNREADABLE, Listener
from credhelpers.stores.ecr.trace import Trace

_LARGEST = 1 << 16  # bytes of a token, or of what a program prints
_LONGEST_WORDS = 200  # characters of a program's or an agent's own words
_MISSING = "does not exist"
_PAUSE = 0.2  # seconds between two questions to the container's agent
_UNFIT = "did not print credentials in the AWS SDK's format"
_FORMAT = 'have it print {"Version": 1, "AccessKeyId": …, "SecretAccessKey": …} as the AWS SDKs describe'


class BadSource(CredentialError):
    """A file, a program or an address in the AWS configuration does not give credentials."""


def read_file(path: str, setting: str) -> str:
    """Return what a small text file says, without the white space around it.

    Raises:
        BadSource: It names the file and the setting that names it.
    """

    def bad(what: str, remedy: str = f"correct {setting}, or have the file written") -> BadSource:
        return BadSource(
            f"{path}, which {setting} names, {what}",
            remedy,
            fault="token-file-missing" if what == _MISSING else "token-file-unusable",
        )

    unfit = "is not a token: it is too long, or not text in one line"
    try:
        text = files.read_regular(path, _LARGEST).decode().strip()
    except UnicodeDecodeError:
        raise bad(unfit) from None
    except PermissionError:
        raise bad("cannot be read: permission denied", "let this user read the file") from None
    except FileNotFoundError:
        raise bad(_MISSING) from None
    except files.Untrusted:
        raise bad(unfit if os.path.isfile(path) else "is not a file") from None
    except (OSError, ValueError) as error:
        raise bad(f"cannot be opened ({type(error).__name__})") from None
    if not text:
        raise bad("is empty")
    if not text.isprintable():
        raise bad(unfit)
    return text


class Profiles(sdk.ProfileProviderBuilder):  # type: ignore[misc]  # botocore has no types
    """The sources that a profile may name, for the chain itself and for each ``source_profile`` in it.

    Args:
        core: The session whose configuration has the profiles.
        region: Where STS is asked.
        environ: The environment of the call.
        home: Where the SSO sessions are; the SDK takes the home that was right when it was imported.
        seconds: How long a program may take.
        trace: Gets the program that runs.
    """

    def __init__(
        self, core: Session, region: str, environ: Mapping[str, str], home: str, seconds: float, trace: Trace
    ) -> None:
        sso_sessions = _SsoSessions(os.path.join(home, ".aws", "sso", "cache"), dumps_func=_sso_json)
        super().__init__(core, cache={}, region_name=region, sso_token_cache=sso_sessions)
        self._environ = environ
        self._seconds = seconds
        self._trace = trace

    def create_client(self, service: str, **arguments: Any) -> Any:
        """Return a client in the region of the registry, unless the source knows another."""
        return self._session.create_client(service, **{"region_name": self._region_name, **arguments})

    def config(self) -> Any:
        """Return all that the configuration files say."""
        return self._session.full_config

    def _create_process_provider(self, profile_name: str) -> Any:
        return _ProcessProvider(profile_name, self.config, self._environ, self._seconds, self._trace)

    def _create_web_identity_provider(self, profile_name: str, disable_env_vars: bool) -> Any:
        variable = "AWS_WEB_IDENTITY_TOKEN_FILE"
        by_profile = disable_env_vars or variable not in self._environ
        setting = f"web_identity_token_file of profile {profile_name}" if by_profile else variable
        provider = super()._create_web_identity_provider(profile_name, disable_env_vars)
        provider._token_loader_cls = lambda path: lambda: read_file(path, setting)
        return provider


class ContainerProvider(sdk.ContainerProvider):  # type: ignore[misc]
    """The credentials that an agent gives to a container: of ECS, or of EKS pod identity.

    Args:
        environ: Has the agent's address and the token for it.
        trace: Gets the agent's address.
    """

    def __init__(self, environ: Mapping[str, str], trace: Trace) -> None:
        fetcher = ContainerMetadataFetcher(sleep=lambda _: time.sleep(_PAUSE))
        self._listener = fetcher._session = Listener(fetcher._session)
        super().__init__(environ=environ, fetcher=fetcher)
        self._trace = trace

    def load(self) -> Any:
        """Return the credentials; None when the environment names no agent."""
        named = [name for name in (self.ENV_VAR, self.ENV_VAR_FULL) if name in self._environ]
        if not named:
            return None
        setting = named[0]
        self._trace.asked = f"the container's credentials agent at {self._environ[setting]} ({setting})"
        try:
            return super().load()
        except (aws.CredentialRetrievalError, aws.HTTPClientError, *UNREADABLE) as error:
            raise self._bad(setting, error) from None
        finally:
            self._listener.body = b""

    def _build_headers(self) -> dict[str, str] | None:
        path = self._environ.get(self.ENV_VAR_AUTH_TOKEN_FILE)
        if path is not None:
            return {"Authorization": read_file(path, self.ENV_VAR_AUTH_TOKEN_FILE)}
        try:
            headers: dict[str, str] | None = super()._build_headers()
        except ValueError:
            raise BadSource(
                f"{self.ENV_VAR_AUTH_TOKEN} has a line break in it",
                f"correct {self.ENV_VAR_AUTH_TOKEN}",
                fault="container-token",
            ) from None
        return headers

    def _bad(self, setting: str, error: Exception) -> BadSource:
        agent = self._trace.asked
        outcome = self._listener.outcomes.get("GET")
        if outcome is None:
            return BadSource(
                f"{setting} is not an address that credentials may come from",
                f"correct {setting}: https, a loopback address, or that of the ECS or EKS agent",
                fault="container-address",
            )
        if isinstance(outcome, Exception):
            return BadSource(
                f"{agent} cannot be reached: {outcome}",
                f"correct {setting}, or start the agent",
                fault="container-unreachable",
            )
        if outcome >= 400:
            words = self._listener.body[:_LONGEST_WORDS].decode("utf-8", "replace")
            return self._refused(f"{agent} answered with HTTP {outcome}: {words}", outcome)
        return BadSource(
            f"unexpected response from {agent} ({type(error).__name__})",
            f"see what answers at the address in {setting}",
            fault="container-unexpected",
        )

    def _refused(self, cause: str, status: int) -> BadSource:
        """Return the refusal of an agent (EKS user guide, "EKS Pod Identities"; ECS, "Task IAM role")."""
        is_pod = self.ENV_VAR_AUTH_TOKEN_FILE in self._environ
        if status == 401:
            return BadSource(
                cause,
                "have the pod started anew, so that it gets another token"
                if is_pod
                else f"correct {self.ENV_VAR_AUTH_TOKEN}, the token that the agent asks for",
                fault="container-token-refused",
            )
        return BadSource(
            cause,
            "associate a role with the pod's service account, and let pods.eks.amazonaws.com do "
            "sts:AssumeRole and sts:TagSession in its trust policy"
            if is_pod
            else "give the task definition a taskRoleArn, and let ecs-tasks.amazonaws.com assume that role",
            fault="container-refused",
        )


class _SsoSessions(JSONFileCache):  # type: ignore[misc]
    """What ``aws sso login`` leaves, which counts as absent when it is damaged."""

    def __getitem__(self, key: str) -> Any:
        path = self._convert_cache_key(key)
        try:
            session = super().__getitem__(key)
            parse_to_aware_datetime(session["expiresAt"])
            if isinstance(session["accessToken"], str) and session["accessToken"]:
                return session
        except UNREADABLE:
            pass
        raise aws.SSOTokenLoadError(error_msg=f"{path} is damaged")


def _sso_json(session: object) -> str:
    return json.dumps(session, default=lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


class _ProcessProvider(sdk.ProcessProvider):  # type: ignore[misc]
    """A ``credential_process``, run within bounds; its arguments and its output are never shown."""

    def __init__(
        self,
        profile_name: str,
        load_config: Callable[[], Any],
        environ: Mapping[str, str],
        seconds: float,
        trace: Trace,
    ) -> None:
        super().__init__(profile_name, load_config)
        self._setting = f"credential_process of profile {profile_name}"
        self._environ = environ
        self._seconds = seconds
        self._trace = trace

    def _retrieve_credentials_using(self, credential_process: str) -> dict[str, Any]:
        """Return what it prints, as botocore names the fields.

        Raises:
            BadSource: It could not be started, failed, took too long or printed something else.
        """
        try:
            words = shlex.split(credential_process)
        except ValueError:
            words = []
        if not words:
            raise BadSource(
                f"{self._setting} is not a command: it is empty, or a quote is not closed",
                f"correct the {self._setting}",
                fault="process-unusable",
            )
        self._trace.asked = f"{words[0]}, the {self._setting},"
        try:
            fields = _fields(json.loads(self._output(words)))
        except UNREADABLE:
            raise self._bad(_UNFIT, _FORMAT, fault="process-output") from None
        ends = fields["expiry_time"]
        if ends and (ago := time.time() - parse_to_aware_datetime(ends).timestamp()) >= 0:
            raise self._bad(
                f"printed credentials that expired {ago:.0f} s ago",
                "renew what it takes them from, and see that this machine's clock is right",
                fault="process-expired",
            )
        return fields

    def _bad(self, what: str, remedy: str, *, fault: str) -> BadSource:
        return BadSource(f"{self._trace.asked} {what}", remedy, fault=fault)

    def _output(self, words: list[str]) -> bytes:
        fix = f"install it, or correct the {self._setting}"
        path = words[0] if "/" in words[0] else process.find((words[0],), self._environ)
        if path is None:
            raise self._bad("is not on PATH", fix, fault="process-missing")
        command = [path, *words[1:]]
        try:
            done = process.run(command, self._environ, b"", self._seconds, _LARGEST, new_session=True)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise self._bad(f"cannot be started: {reason}", fix, fault="process-missing") from None
        if done.exit_status is None:
            if max(len(done.output), len(done.errors)) > _LARGEST:
                raise self._bad("printed more than 64 KiB", _FORMAT, fault="process-output")
            remedy = "run it by hand to see what it waits for"
            raise self._bad(f"did not answer within {self._seconds:g} s", remedy, fault="process-late")
        if done.exit_status:
            lines = done.errors.decode("utf-8", "replace").strip().splitlines()
            said = f": {lines[-1][:_LONGEST_WORDS]}" if lines else ", and said nothing on standard error"
            remedy = "run it by hand, and fix that"
            raise self._bad(
                f"failed with exit status {done.exit_status}{said}", remedy, fault="process-failed"
            )
        return done.output


def _fields(printed: Any) -> dict[str, Any]:
    """Return what a program has printed, as botocore names it; raises one of `UNREADABLE`."""
    keys = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "AccountId")
    values = [printed.get(key) for key in keys]
    if printed["Version"] != 1 or not all(isinstance(value, str) and value for value in values[:2]):
        raise ValueError
    if not all(value is None or isinstance(value, str) for value in values[2:]):
        raise ValueError
    ends = values[3]
    values[3] = parse_to_aware_datetime(ends).isoformat() if ends else None
    names = ("access_key", "secret_key", "token", "expiry_time", "account_id")
    return dict(zip(names, values, strict=True))
