"""`credhelpers configure`: names the helpers to Docker, podman and Nomad, and takes that back."""

import difflib
import json
import os
import re
from dataclasses import dataclass, field
from shlex import quote

import click

from credhelpers.cli.configure.edits import Wishes, edits
from credhelpers.cli.configure.undo import stranded, undoing_edits
from credhelpers.cli.shared import options
from credhelpers.cli.shared.chosen_store import directory_of_ours, helper_beside
from credhelpers.clients import nomad
from credhelpers.clients.docker_config import DockerConfig, podman_auth_path
from credhelpers.clients.former_helpers import scrub
from credhelpers.clients.podman import lasting_auth_path
from credhelpers.clients.shared_file import BACKUP, Edit
from credhelpers.credential import CredentialError
from credhelpers.log import one_line
from credhelpers.paths import SYSTEM_FILE
from credhelpers.stores.auto.external import PREFIX, find_helper

_STRING_MEMBER = re.compile(r'("(?:[^"\\]|\\.)*"\s*:\s*)"((?:[^"\\]|\\.)*)"')
_DIFF_COLOURS = {"+": "green", "-": "red", "@": "cyan"}

_EXAMPLES = """\b
Examples:
  credhelpers configure --store pass
  credhelpers configure --store auto --dry-run
  credhelpers configure --ecr 123456789012.dkr.ecr.eu-central-1.amazonaws.com --podman
  sudo credhelpers configure --nomad
  credhelpers configure --undo

\b
Exit status: 0 when all is as wanted, also when there was nothing to do; 1 when something
failed, which is named; 2 when the command line is wrong."""


@dataclass
class _Report:
    """What was done, for people or for programs; and which files' texts may be secrets."""

    dry_run: bool
    as_json: bool
    secretive: list[str]
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    plaintext: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[CredentialError] = field(default_factory=list)
    stanza: str = ""
    diff: str = ""

    def say(self, text: str, colour: str | None = None) -> None:
        if not self.as_json:
            shown = "\t".join(one_line(part) for part in text.split("\t"))
            click.secho(shown, fg=colour)

    def warn(self, cause: str, remedy: str) -> None:
        self.warnings.append(CredentialError(cause, remedy))
        click.secho(one_line(f"credhelpers: {cause}"), fg="yellow", err=True)
        click.echo(one_line(f"credhelpers: {remedy}"), err=True)

    def finish(self) -> None:
        if not self.as_json:
            return
        warnings = [{"cause": warning.cause, "remedy": warning.remedy} for warning in self.warnings]
        report: dict[str, object] = {"dry_run": self.dry_run, "changed": self.changed}
        report |= {"unchanged": self.unchanged, "plaintext": self.plaintext, "warnings": warnings}
        if self.dry_run:
            report["diff"] = self.diff
        if self.stanza:
            report["stanza"] = self.stanza
        click.echo(json.dumps(report, indent=2))


@click.command(epilog=_EXAMPLES, short_help="Tell clients which helper to ask.")
@click.option(
    "--store",
    metavar=options.STORE_NAMES,
    type=options.HelperName(),
    help="Keep every registry's credentials by docker-credential-NAME.",
)
@click.option("--ecr", metavar="HOST", multiple=True, help="Get tokens for this ECR registry; repeatable.")
@click.option("--podman", is_flag=True, help="Tell podman, buildah and skopeo too.")
@click.option(
    "--nomad", "for_nomad", is_flag=True, help="Set up a Nomad client; its helper is --store's, or ecr-login."
)
@click.option("--nomad-dir", metavar="DIR", help=f"Nomad's configuration, if not {nomad.DIRECTORY}.")
@click.option(
    "--system-config",
    metavar="FILE",
    default=SYSTEM_FILE,
    show_default=True,
    help="The configuration of the helpers for every user, which --nomad edits.",
)
@options.docker_config
@click.option("--dry-run", is_flag=True, help="Show what would change, as a diff, and change nothing.")
@click.option("--undo", is_flag=True, help="Take back the last change; with --podman and --nomad theirs too.")
@click.option(
    "--force",
    is_flag=True,
    help="Name a helper or a region that is not there; undo also where Docker then finds no credential.",
)
@options.json_report()
def configure(  # noqa: PLR0913  one for each option
    *,
    store: str | None,
    ecr: tuple[str, ...],
    podman: bool,
    for_nomad: bool,
    nomad_dir: str | None,
    system_config: str,
    docker_config: str | None,
    dry_run: bool,
    undo: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Tell Docker, podman or Nomad which credential helper to ask.

    Everything else in their files stays as it is, to the byte. What --undo needs is kept beside each as
    FILE.credhelpers-backup; no secret is in it.
    """
    if undo and (store or ecr):
        raise click.UsageError("--undo takes back a change; leave out --store and --ecr.")
    if not (undo or store or ecr or for_nomad):
        raise click.UsageError("Say what to configure: --store, --ecr or --nomad.")
    system_file = os.path.abspath(system_config)
    wishes = Wishes(store, ecr, podman, for_nomad, docker_config, nomad_dir, system_file, force)
    report = _Report(dry_run, as_json, wishes.config_paths(os.environ))
    if undo:
        _undo(wishes, report)
    else:
        _carry_out(wishes, report)
        _show_stanza(wishes, report)
        _check_helpers(wishes, report)
        _check_plaintext(wishes, report)
    report.finish()


def _carry_out(wishes: Wishes, report: _Report) -> None:
    planned = edits(wishes, os.environ)
    previews = [edit.preview() for edit in planned]  # so that what cannot be done is known before the first
    for edit, preview in zip(planned, previews, strict=True):
        backup = os.path.realpath(edit.path) + BACKUP
        made = "made" if preview[0] is None else f"changed; what --undo needs is in {backup}"
        _make(edit, preview, made, report)
    for path in [] if report.dry_run else wishes.config_paths(os.environ):
        scrub(path)


def _undo(wishes: Wishes, report: _Report) -> None:
    planned = undoing_edits(wishes, os.environ)
    if not planned:
        report.say("Nothing to undo: there is no backup.")
    previews = [edit.preview() for edit in planned]
    warnings = []
    for edit, preview in zip(planned, previews, strict=True):
        if edit.path in report.secretive:
            found = stranded(*(DockerConfig(edit.path, content or b"") for content in preview))
            if found and not wishes.force:
                raise found[0].refusal()
            warnings += [credentials.warning() for credentials in found]
    for edit, preview in zip(planned, previews, strict=True):
        _make(edit, preview, "undone" if preview[1] is not None else "removed, as there was none", report)
        if not report.dry_run:
            _remove(os.path.realpath(edit.path) + BACKUP)
    for warning in warnings:
        report.warn(warning.cause, warning.remedy)


def _make(edit: Edit, preview: tuple[bytes | None, bytes | None], made: str, report: _Report) -> None:
    before, after = preview
    if report.dry_run and before != after:
        report.changed.append(edit.path)
        report.diff += _show_diff(edit.path, before, after, report)
    elif not report.dry_run and edit.make():
        report.changed.append(edit.path)
        report.say(f"{edit.path}: {made}")
    else:
        report.unchanged.append(edit.path)
        report.say(f"{edit.path}: nothing to do")


def _remove(backup: str) -> None:
    try:
        os.unlink(backup)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CredentialError(
            f"it is undone, but {backup} cannot be removed: {error.strerror}", "remove it"
        ) from None


def _show_diff(path: str, before: bytes | None, after: bytes | None, report: _Report) -> str:
    """Show a unified diff with no secret in it, and return it."""
    texts = [(content or b"").decode() for content in (before, after)]
    if path in report.secretive:
        texts = _without_secrets(texts)
    origin, target = ("/dev/null" if content is None else path for content in (before, after))
    old, new = ([line + "\n" for line in text.splitlines()] for text in texts)
    lines = list(difflib.unified_diff(old, new, origin, target))
    for line in lines:
        colour = None if line.startswith(("+++", "---")) else _DIFF_COLOURS.get(line[0])
        report.say(line.rstrip("\n"), colour)
    return "".join(lines)


def _without_secrets(texts: list[str]) -> list[str]:
    """Return the texts of a config.json with every text but the names of helpers left out."""
    shown = set()
    for text in texts:
        config = DockerConfig("", text.encode())
        shown |= {config.creds_store, *config.cred_helpers.values()}

    def mask(member: re.Match[str]) -> str:
        return member[0] if member[2] in shown else f'{member[1]}"…"'

    return [_STRING_MEMBER.sub(mask, text) for text in texts]


def _show_stanza(wishes: Wishes, report: _Report) -> None:
    if wishes.for_nomad and not wishes.writes_stanza:
        report.stanza = nomad.stanza(wishes.nomad_helper)
        report.say(f"{nomad.DIRECTORY} does not exist; put this into your Nomad client's configuration:")
        for line in report.stanza.splitlines():
            report.say(line)


def _check_helpers(wishes: Wishes, report: _Report) -> None:
    """Warn of helpers that Docker would not find."""
    for name in wishes.helpers:
        if find_helper(name, os.environ) is None:
            remedy = (
                f"export PATH={quote(directory_of_ours())}:$PATH" if helper_beside(name) else "install it"
            )
            report.warn(f"{PREFIX}{name} is not on PATH, so it will not be found", remedy)


def _check_plaintext(wishes: Wishes, report: _Report) -> None:
    """Warn of secrets that still stand in the files."""
    paths = [wishes.docker_path(os.environ)] if wishes.store or wishes.ecr else []
    if wishes.for_podman:
        paths += [podman_auth_path(os.environ), lasting_auth_path(os.environ)]
    for path in dict.fromkeys(paths):
        config = DockerConfig.read(path)
        servers = list(config.plaintext())
        if not servers:
            continue
        report.plaintext[path] = servers
        unused = config.creds_store and not report.dry_run
        report.warn(
            f"{path} has the secrets of {', '.join(servers)} in plain text"
            + (f", and Docker now asks {config.creds_store} instead" if unused else ""),
            "move them into the store: credhelpers migrate",
        )
