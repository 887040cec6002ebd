"""The fast path in plain sh and the Python behind it go by one definition of the identity."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers.stores.ecr.conditions import VARIABLES
from credhelpers.stores.tokens.cache import PLAIN
from credhelpers.stores.tokens.fast_path import fingerprint, selection

SCRIPT = Path(__file__).parents[2] / "packaging/ecr-login-fast-path.sh"
TEXT = SCRIPT.read_text()
PLAIN_TEXT = st.text("".join(sorted(PLAIN)), max_size=128)


def run(function: str, call: str, environ: dict[str, str]) -> str:
    """Run one function of the script."""
    body = re.search(rf"^{function}\(\) \{{\n.*?^\}}", TEXT, re.DOTALL | re.MULTILINE)
    assert body
    fingerprints = re.search(r"^fingerprint\(\) \{\n.*?^\}", TEXT, re.DOTALL | re.MULTILINE)
    assert fingerprints
    program = f"{body[0]}\n{fingerprints[0]}\n{call}"
    done = subprocess.run(
        ["/bin/sh", "-c", program], env=environ, capture_output=True, text=True, timeout=10, check=False
    )
    assert done.stderr == ""
    return done.stdout


def test_both_have_the_same_variables() -> None:
    loop = re.search(r"for name in (.*?); do", TEXT.replace("\\\n", " "), re.DOTALL)
    assert loop
    assert loop[1].split() == list(VARIABLES)


def test_both_have_the_same_plain_characters() -> None:
    pattern = re.search(r"\*\[!A-Za-z0-9(\S+)\]\*\) return 1", TEXT)
    assert pattern
    assert set(pattern[1]) | {c for c in PLAIN if c.isalnum()} == PLAIN


@given(PLAIN_TEXT)
def test_both_make_the_same_fingerprints(secret: str) -> None:
    assert (
        run("fingerprint", 'fingerprint "$S" && echo "$value"', {"S": secret}) == f"={fingerprint(secret)}\n"
    )


@given(st.dictionaries(st.sampled_from(list(VARIABLES)), PLAIN_TEXT, max_size=8))
def test_both_make_the_same_selection(environ: dict[str, str]) -> None:
    by_python = selection(environ, VARIABLES)
    if by_python is not None:
        call = 'select_variables && printf %s "$selection"'
        assert run("select_variables", call, environ) == by_python


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_PROFILE": "a b"},
        {"AWS_SESSION_TOKEN": "x"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN": ""},
        {"AWS_SECRET_ACCESS_KEY": "x" * 129},
        {"AWS_CONFIG_FILE": "relative"},
        {"AWS_CONFIG_FILE": ""},
        {"CREDHELPERS_CONFIG": "relative"},
        {"XDG_CONFIG_HOME": "relative"},
        {"AWS_ECR_CACHE_DIR": "~/relative"},
        {"HTTPS_PROXY": "http://user:password@proxy"},
    ],
)
def test_what_sh_cannot_compare_is_left_out(environ: dict[str, str]) -> None:
    assert selection(environ, VARIABLES) is None


def test_one_other_character_is_another_number() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    others = {secret[:place] + "x" + secret[place + 1 :] for place in range(len(secret))}

    assert len({fingerprint(other) for other in others | {secret}}) == len(others | {secret})
