"""The AWS SDK's own credential chain, by an environment that is passed in, with sources that name faults."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import botocore.session
from botocore import credentials as sdk
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from credhelpers.config import Settings
from credhelpers.paths import home_directory
from credhelpers.stores.ecr.bounds import bound_answers
from credhelpers.stores.ecr.metadata import MetadataProvider
from credhelpers.stores.ecr.sources import BadSource, ContainerProvider, Profiles
from credhelpers.stores.ecr.trace import Trace

_FILES = (("AWS_CONFIG_FILE", "config_file"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials_file"))
_RESOLVER = "timeout:1 attempts:2"  # of each name server, in seconds (resolv.conf(5))


def adopt_environment(environ: Mapping[str, str]) -> None:
    """Make an environment this process's own, the only one that the SDK reads.

    Equal values are not set again, so that threads may adopt the same environment at once. A ``HOME`` that is
    not the user's own becomes the user's: the SDK would follow it. Name servers that do not answer get less
    time than glibc's resolver would give them, because no signal, and so no deadline, interrupts it.
    """
    home = home_directory(environ)
    wanted = {"RES_OPTIONS": _RESOLVER, **environ}
    if home:
        wanted["HOME"] = home
    for name in [name for name in os.environ if name not in wanted]:
        os.environ.pop(name, None)
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


@contextmanager
def environment_of(environ: Mapping[str, str]) -> Iterator[None]:
    """Adopt an environment while the block lasts; for a process with one thread."""
    former = dict(os.environ)
    adopt_environment(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(former)


def client_config(settings: Settings) -> Config:
    """Return the limits of each AWS client."""
    return Config(
        connect_timeout=settings.number("ecr.connect_seconds"),
        read_timeout=settings.number("ecr.read_seconds"),
        retries={"mode": "standard", "total_max_attempts": int(settings.number("ecr.attempts"))},
    )


class Session:
    """A session of botocore, the engine of boto3: the same chain without what a token does not need.

    Args:
        environ: The environment of the call, which this process has adopted.
        profile: The profile of the AWS configuration to use; None for the one that the environment says.
        region: The region of STS and others when the AWS configuration does not name one.
        settings: The limits.
        trace: Gets the facts of the call.

    Attributes:
        core: The session itself.
        trace: The facts of the call.
    """

    def __init__(
        self, environ: Mapping[str, str], profile: str | None, region: str, settings: Settings, trace: Trace
    ) -> None:
        bound_answers()
        self.trace = trace
        self.core = core = botocore.session.Session(profile=profile)
        for variable, name in _FILES:
            path = os.path.expanduser(os.path.expandvars(core.get_config_variable(name) or ""))
            trace.files[path] = variable if variable in environ else ""
        trace.profiles = core.full_config["profiles"]
        if not core.get_config_variable("region"):
            core.set_config_variable("region", region)
        core.set_default_client_config(client_config(settings))
        core.register("before-send", trace.note_request)
        core.register("response-received", trace.note_answer)
        self._replace_sources(environ, profile, settings)

    def credentials(self) -> Any:
        """Return the credentials that the chain finds, ready for use.

        Raises:
            NoCredentialsError: There are none.
        """
        found = self.core.get_credentials()
        if found is None:
            raise NoCredentialsError
        found.get_frozen_credentials()
        return found

    def _replace_sources(self, environ: Mapping[str, str], profile: str | None, settings: Settings) -> None:
        core, trace = self.core, self.trace
        name = core.get_config_variable("profile") or "default"
        region = core.get_config_variable("region")
        home = home_directory(environ) or "~"
        profiles = Profiles(core, region, environ, home, settings.number("ecr.call_seconds"), trace)
        seconds, attempts = settings.number("ecr.metadata_seconds"), 1
        if "AWS_METADATA_SERVICE_TIMEOUT" in environ:
            seconds = core.get_config_variable("metadata_service_timeout")
            attempts = core.get_config_variable("metadata_service_num_attempts")
        container = ContainerProvider(environ, trace)
        metadata = MetadataProvider(core, seconds, attempts, trace)
        role = sdk.AssumeRoleProvider(
            load_config=profiles.config,
            client_creator=profiles.create_client,
            cache={},
            profile_name=name,
            prompter=_refuse_to_prompt,
            credential_sourcer=sdk.CanonicalNameCredentialSourcer(
                [sdk.EnvProvider(environ), container, metadata]
            ),
            profile_provider_builder=profiles,
        )
        by_profile = profiles.providers(name, disable_env_vars=profile is not None)
        ours = {source.METHOD: source for source in (role, container, metadata, *by_profile)}
        resolver = core.get_component("credential_provider")
        resolver.providers = [ours.get(source.METHOD, source) for source in resolver.providers]


def _refuse_to_prompt(_: str) -> NoReturn:
    raise BadSource(
        "the profile needs an MFA code for its role (mfa_serial), and a helper cannot ask for one",
        "get a session by hand (aws sts get-session-token), or use a profile without mfa_serial",
        fault="mfa",
    )
