"""The programs that kubelet asks for credentials: whether it starts with them, and whether ECR's is asked."""

import fnmatch
import os
import re
import shlex
from collections.abc import Iterator
from shlex import quote

from credhelpers.cli.doctor.clients.machine import Machine
from credhelpers.cli.doctor.clients.service import Service, find_service
from credhelpers.finding import Finding, fail, ok, warn

_UNIT = "kubelet.service"
_CONFIG, _PROVIDER = "kubelet config", "kubelet provider"
_CONFIG_VERSION, _PROVIDER_VERSION = "kubelet.config.k8s.io/v1", "credentialprovider.kubelet.k8s.io/v1"
_VERSIONS = ("", "beta1", "alpha1")
_LARGEST = 1 << 20  # characters of a configuration
_VARIABLE = re.compile(r"\$\{?(\w+)\}?$")
_STOPS = "and kubelet does not start"
_HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
_HOSTS = (
    _HOST,
    "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
    "123456789012.dkr-ecr.eu-central-1.on.aws",
    "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
    "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
    "public.ecr.aws",
)
"""A registry of each kind; a list need not match all of them."""


def examine(machine: Machine) -> Iterator[tuple[str, list[Finding]]]:
    """Yield what is found about kubelet's credential providers; nothing where it has none."""
    service = find_service(machine, _UNIT)
    flags = _flags(service)
    config, directory = (
        flags.get(f"--image-credential-provider-{name}", "") for name in ("config", "bin-dir")
    )
    if config or directory:
        yield "kubelet", list(_findings(service, config, directory))


def _flags(service: Service) -> dict[str, str]:
    """Return the options of the command line, with the variables of the unit filled in."""
    words: list[str] = []
    for word in service.unit.command.split():
        variable = _VARIABLE.match(word)
        words += _split(service.unit.environ.get(variable[1], "")) if variable else [word]
    found = {}
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        found[name] = value if equals else following
    return found


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _findings(service: Service, config: str, directory: str) -> Iterator[Finding]:
    if not (config and directory):
        text = "kubelet is given only one of --image-credential-provider-config and -bin-dir"
        yield fail(_CONFIG, "incomplete", f"{text}, {_STOPS}", "give it both")
        return
    here = service.unit.below_root(config)
    try:
        paths = [here]
        if os.path.isdir(here):
            names = sorted(name for name in os.listdir(here) if name.endswith((".yaml", ".yml", ".json")))
            paths = [os.path.join(here, name) for name in names]
        for path in paths:
            with open(path, encoding="utf-8") as file:
                yield from _check_file(service, path, directory, file.read(_LARGEST))
    except FileNotFoundError:
        yield fail(
            _CONFIG, "missing", f"{config} does not exist, {_STOPS}", "write it, or leave out the option"
        )
    except OSError as error:
        text = f"cannot read {config}: {error.strerror}"
        yield warn(_CONFIG, "unreadable", text, "as root: credhelpers doctor --client kubelet")


def _check_file(service: Service, path: str, directory: str, text: str) -> Iterator[Finding]:
    try:
        content = _parse(text)
    except ValueError as error:
        yield fail(_CONFIG, "invalid", f"{path} is not valid YAML: {error}, {_STOPS}", "correct the file")
        return
    providers = content.get("providers") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(providers, list) or not providers:
        yield fail(_CONFIG, "invalid", f"{path} has no list of providers, {_STOPS}", "correct the file")
        return
    yield ok(_CONFIG, f"{path} has {len(providers)} providers")
    yield from _check_version(path, content.get("apiVersion"), _CONFIG_VERSION)
    for provider in providers:
        if isinstance(provider, dict):
            yield from _check_version(path, provider.get("apiVersion"), _PROVIDER_VERSION)
            yield from _check_program(service, path, str(provider.get("name")), directory)
            yield from _check_images(path, provider)


def _parse(text: str) -> object:
    """Return the content of a configuration, which may be JSON as well, for that is YAML.

    Raises:
        ValueError: It is neither; the message has the place.
    """
    import yaml

    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ValueError(f"{error.problem} in line {line}") from None
    except yaml.YAMLError:
        raise ValueError("it has characters that no YAML has") from None


def _check_version(path: str, version: object, known: str) -> Iterator[Finding]:
    if version in [known + end for end in _VERSIONS]:
        return
    text = f"{path} has the apiVersion {version}, which kubelet does not know, {_STOPS}"
    if not version or not isinstance(version, str):
        yield fail(_PROVIDER, "no-api-version", text, f"add it: apiVersion is {known}")
        return
    yield fail(_PROVIDER, "api-version", text, _replace(version, known, path))


def _check_program(service: Service, path: str, name: str, directory: str) -> Iterator[Finding]:
    program = os.path.join(directory, name)
    here = service.unit.below_root(program)
    if not os.path.isfile(here):
        text = f"{path} names {name}, but {program} does not exist, {_STOPS}"
        yield fail(_PROVIDER, "not-installed", text, f"install {name} into {directory}, or correct {path}")
    elif not os.access(here, os.X_OK):
        text = f"kubelet cannot start {program}, which is not executable"
        yield fail(_PROVIDER, "not-executable", text, f"as root: chmod a+x {quote(program)}")
    else:
        yield ok(_PROVIDER, f"kubelet starts {program}")


def _check_images(path: str, provider: dict[str, object]) -> Iterator[Finding]:
    """Check that a provider that is ECR's by its name is asked about a registry of ECR."""
    images = provider.get("matchImages")
    patterns = [pattern for pattern in images if isinstance(pattern, str)] if isinstance(images, list) else []
    if "ecr" not in str(provider.get("name")) or any(
        _matches(one, host) for one in patterns for host in _HOSTS
    ):
        return
    text = f"kubelet never asks {provider.get('name')}: no pattern of matchImages in {path} matches {_HOST}"
    if not patterns:
        yield fail(_PROVIDER, "no-pattern", text, "add it: *.dkr.ecr.*.amazonaws.com")
        return
    yield fail(_PROVIDER, "no-match", text, _replace(patterns[0], "*.dkr.ecr.*.amazonaws.com", path))


def _matches(pattern: str, host: str) -> bool:
    """Return whether a pattern matches a host: each ``*`` stays within one part of the name.

    (kubernetes pkg/credentialprovider/keyring.go, URLsMatch)
    """
    parts = pattern.partition("://")[2] or pattern
    parts = parts.partition("/")[0]
    if parts.count(".") != host.count("."):
        return False
    pairs = zip(parts.split("."), host.split("."), strict=True)
    return all(fnmatch.fnmatchcase(part, glob) for glob, part in pairs)


def _replace(old: str, new: str, path: str) -> str:
    """Return the command that replaces one text of a file by another."""
    escaped = re.sub(r"([.*\[\]^$\\#])", r"\\\1", old)
    command = quote(f"s#{escaped}\\([]\"' ,]\\|$\\)#{new}\\1#")
    return f"as root: sed -i {command} {quote(path)}; then restart it: systemctl restart kubelet"
