"""Amazon ECR without asking it: whether a server is one of its registries, and what is kept for it."""

import time

from credhelpers.cli.shared.ecr_tokens import Cached, duration
from credhelpers.config import Settings
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.servers import split_scheme
from credhelpers.stores.ecr.hosts import host_of, registry_at, registry_for

_HOST, _TOKEN, _FAILURE = "ECR host", "cached token", "remembered failure"
_FORM = "<account>.dkr.ecr.<region>.amazonaws.com"


def check_host(server: str, settings: Settings, instead: str) -> Finding:
    """Say whether the ECR helper answers for a server, or why it does not.

    Args:
        server: As Docker asks for it.
        settings: Have the tables that make other hosts registries of ECR's.
        instead: How to name another helper for it.
    """
    registry, chosen = registry_for(host_of(server), settings)
    if registry is None:
        text = f"{server} gets no token: {_why_not(server)}"
        return fail(_HOST, text, f"correct the name, or {instead}")
    kind = "ECR Public" if registry.public else f"an ECR registry in {registry.region}"
    by_table = f", read as the table for {chosen['match']} in config.toml says" if chosen else ""
    return ok(_HOST, f"{registry.host} is {kind}{by_table}")


def check_look_alike(server: str, settings: Settings) -> list[Finding]:
    """Say so when a server that has another helper is an ECR registry, or was most likely meant to be one."""
    registry, _ = registry_for(host_of(server), settings)
    if registry is not None:
        text = f"{registry.host} is an ECR registry: its passwords last 12 hours, and ecr-login renews them"
        return [warn(_HOST, text, f"credhelpers configure --ecr {registry.host}")]
    host = split_scheme(server)[1].partition("/")[0].lower()
    if "dkr.ecr" in host or "dkr-ecr" in host or "public.ecr.aws" in host:
        return [warn(_HOST, f"{server} gets no token: {_why_not(server)}", "correct the name")]
    return []


def check_cached(kept: Cached, settings: Settings) -> list[Finding]:
    """Say what the helper would answer at once."""
    found = []
    if kept.token:
        origin = "brought by docker login" if kept.by_login else "of this identity"
        left = duration(kept.token.expires - time.time())
        found.append(ok(_TOKEN, f"there is a token {origin}, good for {left}"))
    else:
        found.append(ok(_TOKEN, "there is none; the next pull gets one"))
    if kept.failure:
        seconds = f"{settings.number('ecr.failure_seconds'):g} s"
        text = f"an error of less than {seconds} ago is told again without asking AWS: {kept.failure.cause}"
        erase = f"printf %s {kept.registry.host} | docker-credential-ecr-login erase"
        found.append(warn(_FAILURE, text, erase))
    return found


def _why_not(server: str) -> str:
    """Say what keeps a server from being a registry of ECR's."""
    scheme, place = split_scheme(server)
    authority = place.partition("/")[0]
    host, _, port = authority.lower().partition(":")
    if not authority.isascii():
        return "there are letters in it that only look like those of a host name"
    if scheme not in ("", "https"):
        return f"it is reached by {scheme}, and a token goes over HTTPS only"
    if port not in ("", "443"):
        return f"it is on port {port}, and ECR is on 443 only" if registry_at(host) else _FORM_IS
    if ".dkr." not in f".{host}" and ".dkr-ecr" not in host:
        return f"it is no Amazon ECR registry, whose name is {_FORM}"
    account = host.partition(".")[0]
    if len(account) != 12 or not account.isdecimal():
        return f"{account} is no AWS account, which has twelve digits"
    return f"it only looks like an ECR registry: region or domain are none of Amazon's in {_FORM}"


_FORM_IS = f"it is no Amazon ECR registry, whose name is {_FORM}"
