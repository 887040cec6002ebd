"""The catalogue agrees with the source, and what it goes by is what it says."""

from pathlib import Path

import pytest

from credhelpers.cli.shared import output
from tests.remedies import catalogue
from tests.remedies.catalogue import Entry
from tests.remedies.collect import CannotFollow, Remedy, collect
from tests.remedies.rule import commands, mentions_command
from tests.remedies.source import ROOT, Source

ADVICE = "python -m tests.remedies prints what to paste"


@pytest.fixture(scope="module")
def found() -> set[Remedy]:
    """Every remedy of the product."""
    return set(collect(Source()))


def test_every_remedy_is_in_the_catalogue(found: set[Remedy]) -> None:
    assert not found - {entry.remedy for entry in catalogue.read()}, ADVICE


def test_every_entry_is_in_the_source(found: set[Remedy]) -> None:
    assert not {entry.remedy for entry in catalogue.read()} - found, ADVICE


def test_every_entry_has_a_test_or_a_reason() -> None:
    assert not [(entry.remedy, fault) for entry in catalogue.read() for fault in entry.faults()]


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (Entry(Remedy("x.py", "chmod u+r {}")), "neither a test nor"),
        (Entry(Remedy("x.py", "chmod u+r {}"), prose="because"), "mentions a command"),
        (Entry(Remedy("x.py", "see what credhelpers doctor says"), prose="because"), "mentions a command"),
        (Entry(Remedy("x.py", "set it: timedatectl set-ntp true (now)"), ("tests/x.py::test_x",)), "/bin/sh"),
        (Entry(Remedy("x.py", "correct the file"), ("tests/x.py::test_x",)), "no command by the rule"),
        (Entry(Remedy("x.py", "rm {}"), ("tests/unit/test_doctor.py::test_absent",)), "there is no test"),
    ],
)
def test_an_entry_that_proves_nothing_is_refused(entry: Entry, fault: str) -> None:
    assert any(fault in told for told in entry.faults())


def test_every_remedy_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    remedies = [entry.remedy.text.replace("{}", "/a/b") for entry in catalogue.read()]
    for remedy in remedies:
        output.say_styled("", remedy, indent=0, is_remedy=True)
    assert capsys.readouterr().out.splitlines() == remedies


def test_an_entry_with_a_reason_or_a_test_is_taken() -> None:
    here = f"{Path(__file__).relative_to(ROOT)}::test_an_entry_with_a_reason_or_a_test_is_taken"
    for entry in (
        Entry(Remedy("x.py", "rm {}"), (here,)),
        Entry(Remedy("x.py", "correct the file"), prose="a person's file"),
        Entry(Remedy("x.py", "see why: gpg --list-keys"), prose="it only shows", command_elsewhere="there"),
    ):
        assert list(entry.faults()) == []


@pytest.mark.parametrize(
    ("remedy", "held"),
    [
        ("chmod 600 /a/b", ["chmod 600 /a/b"]),
        ("as root: chmod a+r /a: b", ["chmod a+r /a: b"]),
        (
            "see why: gpg --list-keys; or choose another: pass init <key>",
            ["gpg --list-keys", "pass init <key>"],
        ),
        ("install it: apt install x, or dnf install y", ["apt install x", "dnf install y"]),
        ("say so: echo ABC:6: | gpg --import-ownertrust", ["echo ABC:6: | gpg --import-ownertrust"]),
        ("in a terminal: GPG_TTY=$(tty) gpg -d x", ["GPG_TTY=$(tty) gpg -d x"]),
        ("see why: docker-credential-x get", ["docker-credential-x get"]),
        ("see why: /opt/x/docker-credential-x get", ["/opt/x/docker-credential-x get"]),
        ("go on without it: --no-check", ["--no-check"]),
        ("install it, or name another helper", []),
        ("correct the file: line 3", []),
    ],
)
def test_the_commands_of_a_remedy_go_by_one_rule(remedy: str, held: list[str]) -> None:
    assert commands(remedy) == held


@pytest.mark.parametrize("remedy", ["see what credhelpers doctor says", "then run aws sso login", "ls -l {}"])
def test_a_command_in_the_middle_is_noticed(remedy: str) -> None:
    assert mentions_command(remedy)


_ERROR = """
class CredentialError(Exception):
    def __init__(self, cause, remedy=""): ...
class Locked(CredentialError): ...
"""
_GIVE = "\n\ndef give(way='default'):\n    raise Locked('x', way)"


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("raise Locked('x', 'plain')", {"plain"}),
        ("raise Locked('x', remedy='by name')", {"by name"}),
        ("raise Locked('x', f'chmod {path}' if path else 'none')", {"chmod {}", "none"}),
        ("way = 'a' + UNLOCK\n    raise Locked('x', way)", {"aunlock it"}),
        ("raise Locked(*BOTH)", {"of two"}),
        ("raise Locked(*pair(path))", {"returned {}"}),
        ("cause, way = TABLE.get(path, OTHER)\n    raise Locked(cause, way)", {"first", "second", "other"}),
        ("tell('x', 'told')", {"told"}),
        (f"give('handed over')\n{_GIVE}", {"handed over", "default"}),
        ("try: pass\n    except Locked as error: raise Locked('y', error.remedy or 'none')", {"none"}),
        ("log.error('x', path)", set()),
    ],
)
def test_a_remedy_is_found_in_every_shape(tmp_path: Path, code: str, texts: set[str]) -> None:
    assert {remedy.text for remedy in collect(_package(tmp_path, code), relayed={})} == texts


@pytest.mark.parametrize("code", ["raise Locked('x', path.text)", "raise Locked('x', ask(path))"])
def test_a_remedy_that_cannot_be_followed_is_an_error(tmp_path: Path, code: str) -> None:
    with pytest.raises(CannotFollow, match="cannot tell"):
        collect(_package(tmp_path, code), relayed={})


def _package(directory: Path, code: str) -> Source:
    package = directory / "credhelpers"
    package.mkdir()
    (package / "errors.py").write_text(_ERROR)
    (package / "part.py").write_text(
        f"""
from credhelpers.errors import Locked

UNLOCK = 'unlock it'
BOTH = ('cause', 'of two')
TABLE = {{1: ('c', 'first'), 2: ('c', 'second')}}
OTHER = 'c', 'other'


def pair(path):
    return 'cause', f'returned {{path}}'


def tell(cause, remedy): ...


def fail(path):
    {code}
"""
    )
    return Source(directory)
