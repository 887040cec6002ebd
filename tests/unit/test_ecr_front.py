"""The front in plain sh and the Python behind it go by one definition of the identity."""

import re
from pathlib import Path

from credhelpers.settings import SYSTEM_FILE
from credhelpers.stores.ecr.identity import PLAIN, SELECTING_VARIABLES

FRONT = Path(__file__).parents[2] / "packaging/ecr-login-front.sh"


def test_the_front_reads_the_same_variables_in_the_same_order() -> None:
    loop = re.search(r"for name in (.*?); do", FRONT.read_text().replace("\\\n", " "), re.DOTALL)
    assert loop
    assert tuple(loop[1].split()) == SELECTING_VARIABLES


def test_the_front_takes_the_same_characters_for_plain() -> None:
    pattern = re.search(r"\*\[!A-Za-z0-9(\S+)\]\*\) hand_over", FRONT.read_text())
    assert pattern
    assert set(pattern[1]) | {c for c in PLAIN if c.isalnum()} == PLAIN


def test_the_front_looks_at_the_same_system_configuration() -> None:
    assert f"same {SYSTEM_FILE} " in FRONT.read_text()
