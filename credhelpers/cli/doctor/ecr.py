"""Amazon ECR without network: whether a server is one of its registries, and what is cached for it."""

import time

from credhelpers.cli.shared.ecr_tokens import Cached, duration
from credhelpers.config import Settings
from credhelpers.credential import Fix
from credhelpers.finding import Finding, fail, ok, warn
from credhelpers.servers import split_scheme
from credhelpers.stores.ecr.hosts import registry_at, registry_for

_HOST, _TOKEN, _FAILURE = "ECR host", "cached token", "remembered failure"
_FORM = "<account>.dkr.ecr.<region>.amazonaws.com"


def check_host(server: str, settings: Settings, instead: str) -> Finding:
    """Check that the ECR helper answers for a server.

    Args:
        server: As Docker asks for it.
        settings: The tables that name other hosts as ECR registries.
        instead: How to name another helper for it.
    """
    registry, chosen = registry_for(server, settings)
    if registry is None:
        text = f"{server} gets no token: {_why_not(server)}"
        if _looks_like_ecr(server):
            return fail(_HOST, "look-alike", text, f"correct the name, or {instead}")
        return warn(_HOST, "not-ecr", f"{text}; Docker continues without a credential", instead)
    kind = "ECR Public" if registry.public else f"an ECR registry in {registry.region}"
    by_table = f", by the table for {chosen['match']} in config.toml" if chosen else ""
    return ok(_HOST, f"{registry.host} is {kind}{by_table}")


def check_look_alike(server: str, settings: Settings) -> list[Finding]:
    """Warn when a server with another helper is an ECR registry, or looks like one."""
    registry, _ = registry_for(server, settings)
    if registry is not None:
        text = f"{registry.host} is an ECR registry: its passwords last 12 hours, and ecr-login renews them"
        return [warn(_HOST, "other-helper", text, f"credhelpers configure --ecr {registry.host}")]
    if _looks_like_ecr(server):
        return [warn(_HOST, "look-alike", f"{server} gets no token: {_why_not(server)}", "correct the name")]
    return []


def check_cached(kept: Cached, settings: Settings) -> list[Finding]:
    """Report what is cached: a token, or a remembered failure."""
    found = []
    if kept.token:
        origin = "from docker login" if kept.by_login else "of this identity"
        left = duration(kept.token.expires - time.time())
        found.append(ok(_TOKEN, f"a token {origin} is cached, valid for {left}"))
    else:
        found.append(ok(_TOKEN, "no token is cached; the next pull gets one"))
    if kept.failure:
        seconds = f"{settings.number('ecr.failure_seconds'):g} s"
        text = f"an error of the last {seconds} is repeated without asking AWS: {kept.failure.cause}"
        erase = Fix(f"printf %s {kept.registry.host} | docker-credential-ecr-login erase")
        found.append(warn(_FAILURE, "repeated", text, erase))
    return found


def _looks_like_ecr(server: str) -> bool:
    host = split_scheme(server)[1].partition("/")[0].lower()
    return not host.isascii() or any(part in host for part in ("dkr.ecr", "dkr-ecr", "public.ecr.aws"))


def _why_not(server: str) -> str:
    """Return the reason why a server is not an ECR registry."""
    scheme, place = split_scheme(server)
    authority = place.partition("/")[0]
    host, _, port = authority.lower().partition(":")
    if not authority.isascii():
        return "it has letters that only look like those of a host name"
    if scheme not in ("", "https"):
        return f"it is reached by {scheme}, and a token is sent over HTTPS only"
    if port not in ("", "443"):
        return f"it is on port {port}, and ECR is on 443 only" if registry_at(host) else _FORM_IS
    if ".dkr." not in f".{host}" and ".dkr-ecr" not in host:
        return _FORM_IS
    account = host.partition(".")[0]
    if len(account) != 12 or not account.isdecimal():
        return f"{account} is not an AWS account, which has twelve digits"
    return f"it only looks like an ECR registry: region or domain are not Amazon's in {_FORM}"


_FORM_IS = f"it is not an Amazon ECR registry, whose name is {_FORM}"
