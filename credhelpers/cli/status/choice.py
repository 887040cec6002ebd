"""Which of several credentials for one server Docker uses."""

from collections.abc import Mapping
from dataclasses import dataclass

from credhelpers.cli.shared.helper_programs import helper_for
from credhelpers.clients import docker_auth_config
from credhelpers.clients.docker_config import DockerConfig, docker_key, hostname_of
from credhelpers.credential import Credential
from credhelpers.servers import HUB_KEY, candidate_keys
from credhelpers.stores.auto.external import PREFIX

IN_FILE = "config.json"
"""Stands for a helper where Docker looks into its own file."""
IN_ENVIRONMENT = docker_auth_config.NAME
"""Stands for a helper where Docker looks into its environment."""

Lists = Mapping[str, Mapping[str, str] | None]
"""The usernames by server of each helper; None for one that failed."""


def asked_for(key: str) -> str:
    """Return the key by which Docker asks for the server of a stored key.

    Docker Hub's login in a browser keeps two tokens more (docker/cli internal/oauth/manager).
    """
    is_token = key in (HUB_KEY + "access-token", HUB_KEY + "refresh-token")
    return key if is_token else docker_key(key)


@dataclass(frozen=True)
class Choice:
    """The places in which Docker looks.

    Attributes:
        config: Docker's configuration.
        listed: What the helpers list that it names.
        in_environment: What DOCKER_AUTH_CONFIG has.
    """

    config: DockerConfig
    listed: Lists
    in_environment: Mapping[str, Credential]

    def shadow_of(self, key: str, place: str) -> str:
        """Return what Docker uses instead of a credential; empty when it uses that.

        Args:
            key: The credential's key.
            place: The helper that has it, `IN_FILE` or `IN_ENVIRONMENT`.
        """
        asked = asked_for(key)
        if asked in self.in_environment and (key, place) != (asked, IN_ENVIRONMENT):
            return IN_ENVIRONMENT
        helper = helper_for(self.config, asked)
        if place not in (helper or IN_FILE, IN_ENVIRONMENT):
            source = " in credHelpers" if asked in self.config.cred_helpers else ""
            return f"{PREFIX}{helper}{source}" if helper else IN_FILE
        used = asked if place == IN_ENVIRONMENT else self._key_in(place, asked)
        return "" if used == key else f"the key {used}"

    def _key_in(self, place: str, asked: str) -> str:
        """Return the key that counts in a place for what Docker asks."""
        if place == IN_FILE:
            secrets = self.config.plaintext()
            hosts = (key for key in secrets if hostname_of(key) == asked)
            return asked if asked in secrets else next(hosts, asked)
        usernames = self.listed.get(place) or {}
        return next((key for key in candidate_keys(asked) if key in usernames), asked)
