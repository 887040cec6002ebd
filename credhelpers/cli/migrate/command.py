"""`credhelpers migrate`: moves secrets out of config.json, or out of another helper, into a store."""

import click

from credhelpers.cli.shared import ecr_logins, migration, options, output
from credhelpers.cli.shared.helper_programs import open_installed
from credhelpers.cli.shared.migration import Found, Outcome
from credhelpers.cli.shared.progress import progress
from credhelpers.clients import docker_config_edit
from credhelpers.clients.docker_config import DockerConfig, docker_key
from credhelpers.clients.former_helpers import scrub
from credhelpers.clients.shared_file import Edit
from credhelpers.credential import CredentialError

_LONGEST = 4096  # bytes that are kept of what a helper says
_EXAMPLES = """\b
Examples:
  credhelpers migrate --dry-run
  credhelpers migrate
  credhelpers migrate --to pass
  credhelpers migrate --from secretservice --to pass

\b
Exit status: 0 when everything was moved, also when there was nothing to move; 1 when
something failed, each named with its cause; 2 when the command line is wrong."""


class _Messages:
    """What helpers write to standard error; most of it is not worth showing."""

    def __init__(self) -> None:
        self._text = b""

    def add(self, messages: bytes) -> None:
        self._text = (self._text + messages)[-_LONGEST:]

    def explain(self, error: CredentialError) -> CredentialError:
        """Add the remedy that one of our helpers wrote below the cause."""
        cause = error.cause or "it was not found where it is listed"
        lines = [line.partition(": ")[2] for line in self._text.decode(errors="replace").splitlines()]
        known = len(lines) > 1 and lines[-2] and lines[-2] in cause
        return CredentialError(cause, error.remedy or (lines[-1] if known else ""))


@click.command(epilog=_EXAMPLES)
@click.option(
    "--from",
    "source",
    type=options.HelperName(),
    help="Move everything from docker-credential-NAME, instead of the secrets in config.json.",
)
@click.option(
    "--to",
    "target",
    metavar=options.STORE_NAMES,
    type=options.HelperName(),
    help="Move into docker-credential-NAME, and let Docker ask it. [default: config.json's credsStore]",
)
@click.option("--overwrite", is_flag=True, help="Replace other credentials that the store already has.")
@options.docker_config
@click.option("--dry-run", is_flag=True, help="Show what would be moved, and move nothing.")
@options.json_report()
@click.pass_context
def migrate(
    context: click.Context,
    *,
    source: str | None,
    target: str | None,
    overwrite: bool,
    config_path: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Move plaintext secrets, or another helper's, into a credential store.

    Each is read back from the store before it is removed where it was, so that an interrupted run can simply
    be repeated. No secret is ever shown.
    """
    config = DockerConfig.read(config_path)
    name = target or config.creds_store
    if not name:
        raise click.UsageError(f"{config_path} names no store: say where to move to, for example --to pass.")
    if name == source:
        raise click.UsageError(f"--from and --to are both {name}.")
    report: dict[str, object] = {"path": config_path, "from": source, "to": name, "dry_run": dry_run}
    messages = _Messages()
    target_store = open_installed(name, messages.add)
    source_store = open_installed(source, messages.add) if source else None
    if not dry_run:
        scrub(config_path)
    try:
        found = migration.in_helper(source_store) if source_store else migration.in_file(config)
        kept = [] if source else migration.kept_in_file(config)
        report["kept"] = kept
        _warn_of_kept(config_path, [] if as_json else kept)
        if dry_run:
            _show_plan(report, found, switches=config.creds_store != name, as_json=as_json)
            return
        tokens = [item for item in found if ecr_logins.is_token(item)]
        movable = [item for item in found if item not in tokens]
        with progress("Moving", len(movable), shown=not as_json) as advance:
            outcome = migration.put_all(
                movable, target_store, overwrite=overwrite, explain=messages.explain, advance=advance
            )
        _renew(tokens, config, name, outcome)
    except CredentialError as error:
        raise messages.explain(error) from None
    report["removed"] = not outcome.failed or config.creds_store == name
    if report["removed"]:
        # Docker asks one store only: it has to have everything before config.json names it.
        moved = outcome.moved | outcome.renewed
        Edit(config_path, docker_config_edit.hand_over(config_path, moved, list(moved), name)).make()
        if source_store:
            with progress("Erasing", len(outcome.moved), shown=not as_json) as advance:
                migration.erase_all(outcome, source_store, target_store, messages.explain, advance)
        else:
            _find_newer(config_path, outcome)
    _show(report, found, outcome, as_json=as_json)
    context.exit(1 if outcome.failed else 0)


def _renew(tokens: list[Found], config: DockerConfig, target: str, outcome: Outcome) -> None:
    """Let the helper that Docker is going to ask get its own tokens of ECR, in the place of old ones."""
    for item in tokens:
        try:
            ecr_logins.check_own_token(item, config.cred_helpers.get(docker_key(item.server)) or target)
            outcome.renewed[item.server] = item.read()
        except CredentialError as error:
            outcome.failed[item.server] = error


def _find_newer(path: str, outcome: Outcome) -> None:
    """Count a server as failed that got a new secret while the old one was moved."""
    for server in DockerConfig.read(path).plaintext().keys() & {**outcome.moved, **outcome.renewed}.keys():
        outcome.moved.pop(server, None)
        outcome.renewed.pop(server, None)
        outcome.failed[server] = CredentialError("another secret was written meanwhile", "run this again")


def _warn_of_kept(path: str, kept: list[str]) -> None:
    for server in kept:
        text = f'{server} stays in {path}: credHelpers has "" for it, so Docker looks into the file'
        output.warn(text, "to move it, too, take it out of credHelpers first")


def _show_plan(report: dict[str, object], found: list[Found], *, switches: bool, as_json: bool) -> None:
    if as_json:
        output.report_json({**report, "would_move": [item.summary() for item in found]})
        return
    for item in found:
        verb = "would move" if item.is_movable else "cannot move"
        if ecr_logins.is_token(item):
            verb = "would get another token in place of"
        output.say(f"{verb} {item.server}  {item.username}  {item.kind}")
    if switches:
        output.say(f"would set credsStore to {report['to']} in {report['path']}")
    movable = sum(item.is_movable and not ecr_logins.is_token(item) for item in found)
    output.say(f"{movable} to move to {report['to']}; nothing was changed")


def _show(report: dict[str, object], found: list[Found], outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        known = {item.server: item.summary() for item in found}
        report["moved"] = [known[server] for server in outcome.moved]
        report["renewed"] = [known[server] for server in outcome.renewed]
        report |= {"shared": outcome.shared, "failed": output.failures(outcome.failed)}
        output.report_json(report)
        return
    for server, credential in outcome.moved.items():
        output.say(f"moved {server}  {credential.username}")
    for server in outcome.renewed:
        output.say(f"dropped the old token of {server}: the helper gets its own")
    output.fail_each(outcome.failed)
    if not (outcome.moved or outcome.failed or outcome.renewed):
        output.say(f"Nothing to move; Docker asks {report['to']}.")
        return
    summary = f"{len(outcome.moved)} moved to {report['to']}, {len(outcome.failed)} failed"
    if outcome.shared:
        summary += f"; {len(outcome.shared)} of them stay in {report['from']}, which is the same store"
    if not report["removed"]:
        summary += "; nothing was removed, and Docker asks the old store until all can be moved"
    output.say(f"{summary}.")
