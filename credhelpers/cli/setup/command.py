"""`credhelpers setup`: looks, says what it will do, asks once, and does it without a failed pull between."""

import json
import os
import sys

import click

from credhelpers import config
from credhelpers.cli.setup.plan import CopyFailed, Plan, Request, show
from credhelpers.cli.setup.store import plan_store
from credhelpers.cli.setup.survey import survey
from credhelpers.cli.setup.undo import undo_all
from credhelpers.cli.shared import nomad_options, options, output
from credhelpers.cli.shared.commands import output_of, run_command
from credhelpers.cli.shared.helper_programs import helper_beside, near_miss, put_first
from credhelpers.clients import nomad
from credhelpers.credential import CredentialError
from credhelpers.stores.auto.external import PREFIX, find_helper
from credhelpers.suite import AUTO

_EXAMPLES = """\b
Examples:
  credhelpers setup
  credhelpers setup --dry-run
  credhelpers setup --headless --yes
  sudo credhelpers setup --nomad
  credhelpers setup --undo

\b
Exit status: 0 when everything works, also when there was nothing to do; 1 when something
failed; 2 when the command line is wrong."""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--store",
    metavar=options.STORE_NAMES,
    type=options.HelperName(),
    default=AUTO.name,
    show_default=True,
    help="Keep credentials with docker-credential-NAME.",
)
@click.option(
    "--headless",
    is_flag=True,
    help="For a machine where no user can type a passphrase: make a key without one.",
)
@click.option(
    "--podman/--no-podman",
    "podman",
    default=None,
    help="Set up podman, buildah and skopeo too. [default: if they are installed]",
)
@click.option(
    "--nomad/--no-nomad",
    "for_nomad",
    default=None,
    help=f"Set up a Nomad client too. [default: if {nomad.DIRECTORY} exists and can be written]",
)
@nomad_options.directory
@nomad_options.system_config
@options.docker_config
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and change nothing.")
@click.option("--offline", is_flag=True, help="Do not ask the registries in the check at the end.")
@click.option("--undo", is_flag=True, help="Go back to what was configured before.")
@click.option("--force", is_flag=True, help="With --undo: also where a client then finds no credential.")
@options.json_report()
@click.pass_context
def setup(  # noqa: PLR0913  one for each option
    context: click.Context,
    *,
    store: str,
    headless: bool,
    podman: bool | None,
    for_nomad: bool | None,
    nomad_dir: str | None,
    system_config: str,
    config_path: str,
    yes: bool,
    dry_run: bool,
    offline: bool,
    undo: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Encrypt the credentials of Docker, podman and Nomad, without a failed pull between.

    It looks at what is there, shows what it will do, and asks once. A store is made if there is none. Every
    credential is copied into it and read back; only then clients are told to ask it, and the secrets in plain
    text are removed. Run it again if it was interrupted.
    """
    if force and not undo:
        raise click.UsageError("--force belongs to --undo.")
    request = Request(
        store,
        config_path,
        bool(podman),
        _nomad_directory(for_nomad, nomad_dir),
        os.path.abspath(system_config),
        as_json,
    )
    if undo:
        undo_all(request, force=force, dry_run=dry_run)
        return
    _check_on_path(store)
    found = survey(config_path, os.environ)
    if podman is None and found.has_podman:
        request = Request(**{**vars(request), "for_podman": True})
    can_ask = sys.stdin.isatty() and not as_json
    chosen = plan_store(
        store, found, config.load(os.environ), os.environ, headless=headless, asks=can_ask or dry_run
    )
    plan = Plan(request, found, chosen)
    if not as_json:
        show(plan)
        for warning in plan.warnings:
            output.warn(warning.cause, warning.remedy)
    if dry_run:
        _report(plan, [], as_json=as_json)
        return
    if not plan.is_done:
        _ask(yes=yes, can_ask=can_ask)
    done = _carry_out(context, plan)
    context.exit(_diagnose(context, plan, done, offline=offline))


def _nomad_directory(wanted: bool | None, named: str | None) -> str:
    """Return Nomad's configuration directory; empty where no Nomad client is set up."""
    directory = os.path.abspath(named or nomad.DIRECTORY)
    is_there = os.path.isdir(directory) and os.access(directory, os.W_OK)
    return directory if wanted or (wanted is None and (named or is_there)) else ""


def _check_on_path(store: str) -> None:
    """Check that clients will find the helper.

    Raises:
        CredentialError: It is not on PATH.
    """
    if find_helper(store, os.environ) is None:
        beside = helper_beside(store)
        raise CredentialError(
            f"{PREFIX}{store} is not on PATH, so Docker would not find it; nothing was changed",
            put_first(beside) if beside else f"{near_miss(store)}install it first",
        )


def _ask(*, yes: bool, can_ask: bool) -> None:
    if yes:
        return
    if not can_ask:
        raise CredentialError(
            "there is no terminal to ask whether to go on; nothing was changed",
            "go on without asking: credhelpers setup --yes",
        )
    click.confirm("Go on?", default=True, abort=True)


def _carry_out(context: click.Context, plan: Plan) -> list[str]:
    """Carry out all steps, and return what was done."""
    plan.clean()
    done: list[str] = []
    known = len(plan.warnings)
    for step in plan.steps():
        try:
            lines = step.run(context)
        except CopyFailed as error:
            output.fail_each(error.failed)
            raise
        done += lines
        for line in lines if not plan.request.as_json else []:
            output.say(line, "green")
    for warning in plan.warnings[known:]:
        output.warn(warning.cause, warning.remedy)
    return done


def _diagnose(context: click.Context, plan: Plan, done: list[str], *, offline: bool) -> int:
    """Show what the doctor says at the end, and return the exit status."""
    arguments = ["doctor", "--docker-config", os.path.dirname(plan.request.config_path)]
    arguments += ["--offline"] if offline else []
    if not plan.request.as_json:
        output.say("")
        return run_command(context, *arguments)
    report = json.loads(output_of(context, *arguments, "--json"))
    _report(plan, done, as_json=True, doctor=report)
    return 0 if report["ok"] else 1


def _report(plan: Plan, done: list[str], *, as_json: bool, doctor: object = None) -> None:
    if not as_json:
        output.say("Nothing was changed.")
        return
    report: dict[str, object] = {
        "dry_run": doctor is None,
        "store": plan.request.store,
        "found": plan.survey.report(),
        "servers": plan.servers,
        "steps": [{"id": step.id, "text": step.text} for step in plan.steps()] if doctor is None else [],
        "done": done,
        "warnings": [{"cause": warning.cause, "remedy": warning.remedy} for warning in plan.warnings],
    }
    output.report_json(report if doctor is None else {**report, "doctor": doctor})
