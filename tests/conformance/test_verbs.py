"""What every helper does whatever it keeps: its verbs, its usage, and how it says that there is nothing."""

import os
import re
from pathlib import Path

import pytest

from tests.conformance.subjects import deviates, every_subject, needs, reference_deviates
from tests.support.client import NOT_FOUND, Helper

pytestmark = every_subject

ONE_LINE = re.compile(rb"[^\x00-\x1f\x7f]+\n")
NOBODY = "nobody-knows.example:5000"


@pytest.mark.parametrize("verb", ["version", "--version", "-v"])
@reference_deviates("prints the bare number, and knows no -v and no --version")
def test_version_names_helper_and_project(helper: Helper, verb: str) -> None:
    answer = helper.run(verb)
    assert (answer.code, answer.err) == (0, b"")
    name = re.escape(helper.executable.name.encode())
    assert re.fullmatch(name + rb" \(credhelpers\) \d+\.\d+\.\d+\S*\n", answer.out)


@pytest.mark.parametrize("arguments", [(), ("get", "get"), ("list", "--all"), ("",)], ids=repr)
@reference_deviates("writes its whole path into the usage, and does not know the empty verb")
def test_wrong_usage_prints_the_usage(helper: Helper, arguments: tuple[str, ...]) -> None:
    answer = helper.run(*arguments)
    usage = f"Usage: {helper.executable.name} <store|get|erase|list|version>\n"
    assert (answer.code, answer.out) == (1, usage.encode())


@pytest.mark.parametrize("verb", ["help", "--help", "-h"])
@reference_deviates("knows no help")
def test_help_prints_the_usage(helper: Helper, verb: str) -> None:
    answer = helper.run(verb)
    assert answer.code == 0
    assert answer.out.startswith(f"Usage: {helper.executable.name} <".encode())


@pytest.mark.parametrize("verb", ["delete", "GET", "get ", "--get", "ünknown"])
@reference_deviates("has its own words for it: Unknown credential action")
def test_unknown_verb_is_named(helper: Helper, verb: str) -> None:
    answer = helper.run(verb)
    assert (answer.code, answer.out) == (1, f"{helper.executable.name}: unknown action: {verb}\n".encode())


@reference_deviates("repeats the verb as it came")
def test_unknown_verb_is_escaped(helper: Helper) -> None:
    answer = helper.run("get\n{}\x1b[31m")
    assert answer.code == 1
    assert answer.out.count(b"\n") == 1
    assert b"\x1b" not in answer.out


@needs("list")
def test_empty_list_is_an_empty_object(helper: Helper) -> None:
    answer = helper.list()
    assert (answer.code, answer.out, answer.err) == (0, b"{}\n", b"")


@needs("list")
def test_list_does_not_read_stdin(helper: Helper) -> None:
    read_end, write_end = os.pipe()
    try:
        answer = helper.run("list", stdin=read_end)
    finally:
        os.close(read_end)
        os.close(write_end)
    assert (answer.code, answer.out) == (0, b"{}\n")


@pytest.mark.parametrize(
    "server", [NOBODY, "https://" + NOBODY, NOBODY + "/a/b", "//" + NOBODY, "https://[::1]:5000/v1/"]
)
@deviates("reference-pass", "succeeds with an empty username and secret since 0.6.4")
def test_not_found_is_the_exact_sentence(helper: Helper, server: str) -> None:
    answer = helper.get(server)
    assert answer.code == 1
    assert answer.out.strip() == NOT_FOUND
    assert answer.out.count(b"\n") == 1


@reference_deviates("says nothing on stderr")
def test_not_found_has_one_line_on_stderr(helper: Helper) -> None:
    answer = helper.get(NOBODY)
    assert ONE_LINE.fullmatch(answer.err)
    assert answer.err.startswith(helper.executable.name.encode() + b": ")
    assert NOBODY.encode() in answer.err


@needs("erase")
@deviates("reference-pass", "fails with the words of pass")
def test_erasing_a_missing_entry_succeeds(helper: Helper) -> None:
    answer = helper.erase(NOBODY)
    assert (answer.code, answer.out, answer.err) == (0, b"", b"")


@needs("list")
def test_helper_needs_no_other_environment(helper: Helper) -> None:
    needed = {key: value for key, value in helper.env.items() if key not in ("PATH", "LANG", "TMPDIR")}
    answer = Helper(helper.executable, needed).list()
    assert (answer.code, answer.out) == (0, b"{}\n")


@deviates("reference-secretservice", "has no such mode, whereas the one for pass always answers so")
def test_not_found_can_be_an_empty_answer(helper: Helper, tmp_path: Path) -> None:
    """For Nomad, which takes every failure for the end of the task (drivers/docker/driver.go)."""
    configuration = tmp_path / "config.toml"
    configuration.write_text('not_found = "empty"\n')
    nomad = Helper(helper.executable, {**helper.env, "CREDHELPERS_CONFIG": str(configuration)})
    answer = nomad.get(NOBODY)
    assert (answer.code, answer.err) == (0, b"")
    assert answer.out == f'{{"ServerURL":"{NOBODY}","Username":"","Secret":""}}\n'.encode()
