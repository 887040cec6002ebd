"""`credhelpers configure`: names the helpers to Docker, podman and Nomad, and undoes that."""

import os
from dataclasses import dataclass, field

import click

from credhelpers.cli.configure.diff import diff
from credhelpers.cli.configure.edits import Request, edits
from credhelpers.cli.configure.pulls import check_credentials, check_store
from credhelpers.cli.configure.undo import stranded, undoing_edits
from credhelpers.cli.shared import ecr_logins, nomad_options, options, output
from credhelpers.cli.shared.helper_programs import helper_beside, put_first
from credhelpers.clients import nomad
from credhelpers.clients.containers_auth import own_auth_paths
from credhelpers.clients.docker_config import DockerConfig, docker_config_path
from credhelpers.clients.former_helpers import scrub
from credhelpers.clients.shared_file import BACKUP, Edit
from credhelpers.credential import CredentialError
from credhelpers.stores.auto.external import PREFIX, find_helper
from credhelpers.suite import AUTO

_DIFF_COLOURS = {"+++": None, "---": None, "+": "green", "-": "red", "@": "cyan"}

_EXAMPLES = """\b
Examples:
  credhelpers configure --store pass
  credhelpers configure --store auto --dry-run
  credhelpers configure --ecr 123456789012.dkr.ecr.eu-central-1.amazonaws.com --podman
  sudo credhelpers configure --nomad
  credhelpers configure --remove-ecr 123456789012.dkr.ecr.eu-central-1.amazonaws.com
  credhelpers configure --undo

\b
Exit status: 0 when all is as wanted, also when there was nothing to do; 1 when something
failed; 2 when the command line is wrong."""


@dataclass
class _Report:
    """What was done."""

    as_json: bool
    dry_run: bool
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    plaintext: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[dict[str, str]] = field(default_factory=list)
    diff: str = ""
    stanza: str = ""

    def say(self, text: str, colour: str | None = None) -> None:
        if not self.as_json:
            output.say(text, colour)

    def quote(self, line: str, colour: str | None = None) -> None:
        if not self.as_json:
            output.quote(line, colour)

    def warn(self, cause: str, remedy: str) -> None:
        self.warnings.append({"cause": cause, "remedy": remedy})
        output.warn(cause, remedy)

    def finish(self) -> None:
        left_out = {"as_json", "" if self.dry_run else "diff", "" if self.stanza else "stanza"}
        if self.as_json:
            output.report_json({key: value for key, value in vars(self).items() if key not in left_out})


@click.command(epilog=_EXAMPLES)
@click.option(
    "--store",
    metavar=options.STORE_NAMES,
    type=options.HelperName(),
    help="Keep every registry's credentials with docker-credential-NAME.",
)
@click.option(
    "--ecr",
    metavar="HOST",
    multiple=True,
    shell_complete=options.complete_server,
    help="Get tokens for this ECR registry; repeatable.",
)
@click.option("--no-store", is_flag=True, help="Name no helper for every registry any more.")
@click.option(
    "--remove-ecr",
    "removed",
    metavar="HOST",
    multiple=True,
    shell_complete=options.complete_server,
    help="Name ecr-login for this registry no more; repeatable.",
)
@click.option(
    "--podman/--no-podman",
    default=None,
    help="Tell podman, buildah and skopeo too; or: take that back.",
)
@click.option(
    "--nomad/--no-nomad",
    "for_nomad",
    default=None,
    help="Set up a Nomad client; its helper is --store's, or ecr-login. Or: take that back.",
)
@nomad_options.directory
@nomad_options.system_config
@options.docker_config
@click.option("--dry-run", is_flag=True, help="Show what would change, as a diff, and change nothing.")
@click.option("--undo", is_flag=True, help="Undo the last change; with --podman and --nomad theirs too.")
@click.option(
    "--force",
    is_flag=True,
    help="Do it also where a pull would then fail, or where a helper or a region does not exist.",
)
@options.json_report()
def configure(  # noqa: PLR0913  one for each option
    *,
    store: str | None,
    ecr: tuple[str, ...],
    no_store: bool,
    removed: tuple[str, ...],
    podman: bool | None,
    for_nomad: bool | None,
    nomad_dir: str | None,
    system_config: str,
    config_path: str,
    dry_run: bool,
    undo: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Tell Docker, podman or Nomad which credential helper to ask.

    Everything else in their files stays as it is, to the byte. What --undo needs is kept beside each file as
    FILE.credhelpers-backup; no secret is in it.
    """
    _check_usage(undo, store, ecr, no_store, removed, podman, for_nomad)
    nomad_directory = nomad_dir or (nomad.DIRECTORY if os.path.isdir(nomad.DIRECTORY) else "")
    system_path = os.path.abspath(system_config)
    request = Request(
        store or "",
        ecr,
        no_store,
        removed,
        for_podman=bool(podman),
        no_podman=podman is False,
        for_nomad=bool(for_nomad),
        no_nomad=for_nomad is False,
        docker_path=config_path,
        nomad_directory=nomad_directory,
        system_path=system_path,
        force=force,
    )
    report = _Report(as_json, dry_run)
    if undo:
        _undo(request, report)
    else:
        _carry_out(request, report)
        _show_stanza(request, report)
        _check_helpers(request, report)
        _check_plaintext(request, report)
    report.finish()


def _check_usage(
    undo: bool,
    store: str | None,
    ecr: tuple[str, ...],
    no_store: bool,
    removed: tuple[str, ...],
    podman: bool | None,
    for_nomad: bool | None,
) -> None:
    if undo and (store or ecr or no_store or removed or False in (podman, for_nomad)):
        raise click.UsageError("--undo undoes a change; leave out what names or removes a helper.")
    if store and no_store:
        raise click.UsageError("--store and --no-store exclude each other.")
    if set(ecr) & set(removed):
        raise click.UsageError("--ecr and --remove-ecr name the same registry.")
    if not (undo or store or ecr or no_store or removed or podman is False or for_nomad is not None):
        raise click.UsageError("Say what to configure: --store, --ecr or --nomad, or the opposite of one.")


def _carry_out(request: Request, report: _Report) -> None:
    planned = edits(request)
    previews = [edit.preview() for edit in planned]  # so that every error comes before the first change
    if not request.force and any(before != after for before, after in previews):
        _check_pulls(request, planned, previews)
    for edit, preview in zip(planned, previews, strict=True):
        backup = os.path.realpath(edit.path) + BACKUP
        changed = "changed" if preview[1] is not None else "removed"
        made = "created" if preview[0] is None else f"{changed}; what --undo needs is in {backup}"
        _make(edit, preview, made, request, report)
    for path in [] if report.dry_run else request.config_paths:
        scrub(path)


def _check_pulls(
    request: Request, planned: list[Edit], previews: list[tuple[bytes | None, bytes | None]]
) -> None:
    """Refuse what would make pulls fail."""
    # Without a store auto still gets tokens for ECR, and another program's file may be for nothing else.
    is_own = request.docker_path == docker_config_path(os.environ)
    for name in request.helpers:
        if is_own or name != AUTO.name:
            check_store(name)
    for edit, contents in zip(planned, previews, strict=True):
        if edit.path == request.docker_path:
            check_credentials(*(DockerConfig(edit.path, content or b"") for content in contents))


def _undo(request: Request, report: _Report) -> None:
    planned = undoing_edits(request)
    if not planned:
        report.say("Nothing to undo: there is no backup.")
    previews = [edit.preview() for edit in planned]
    warnings = []
    for edit, preview in zip(planned, previews, strict=True):
        if edit.path in request.config_paths:
            found = stranded(*(DockerConfig(edit.path, content or b"") for content in preview))
            if found and not request.force:
                raise found[0].refusal()
            warnings += [credentials.warning() for credentials in found]
    for edit, preview in zip(planned, previews, strict=True):
        made = "undone" if preview[1] is not None else "removed, because it did not exist before"
        _make(edit, preview, made, request, report)
        if not report.dry_run:
            _remove(os.path.realpath(edit.path) + BACKUP)
    for warning in warnings:
        report.warn(warning.cause, warning.remedy)


def _make(
    edit: Edit, preview: tuple[bytes | None, bytes | None], made: str, request: Request, report: _Report
) -> None:
    before, after = preview
    if report.dry_run and before != after:
        report.changed.append(edit.path)
        for line in diff(edit.path, before, after, is_secret=edit.path in request.config_paths):
            report.diff += line
            report.quote(line.rstrip("\n"), _DIFF_COLOURS.get(line[:3], _DIFF_COLOURS.get(line[0])))
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


def _show_stanza(request: Request, report: _Report) -> None:
    if request.for_nomad and not request.nomad_directory:
        report.stanza = nomad.stanza(request.nomad_helper)
        report.say(f"{nomad.DIRECTORY} does not exist; put this into your Nomad client's configuration:")
        for line in report.stanza.splitlines():
            report.quote(line)


def _check_helpers(request: Request, report: _Report) -> None:
    """Warn of helpers that Docker would not find."""
    for name in request.helpers:
        if find_helper(name, os.environ) is None:
            beside = helper_beside(name)
            remedy = put_first(beside) if beside else "install it"
            report.warn(f"{PREFIX}{name} is not on PATH, so Docker will not find it", remedy)


def _check_plaintext(request: Request, report: _Report) -> None:
    """Warn of secrets that the files still hold."""
    paths = [request.docker_path] if request.store or request.ecr else []
    if request.for_podman:
        paths += own_auth_paths(os.environ)
    for path in dict.fromkeys(paths):
        config = DockerConfig.read(path)
        servers = list(config.plaintext())
        if not servers:
            continue
        report.plaintext[path] = servers
        unused = config.creds_store and not report.dry_run
        is_dockers = path == request.docker_path
        removal = ecr_logins.to_remove_plaintext(config) if is_dockers else "credhelpers setup"
        report.warn(
            f"{path} has the secrets of {', '.join(servers)} in plain text"
            + (f", and Docker now asks {config.creds_store} instead" if unused else ""),
            removal,
        )
