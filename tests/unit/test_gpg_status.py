"""What gpg says counts where it says it: a whole status line, and none that a name only quotes."""

import pytest

from credhelpers.process import Outcome
from credhelpers.stores.password_store import gpg_status
from credhelpers.stores.password_store.gpg import Gpg

KEY = "A" * 40
VALID = f"[GNUPG:] VALIDSIG {KEY} 2026-01-01 0 0 4 0 22 10 00 {KEY}"


@pytest.mark.parametrize(
    "line",
    [
        "[GNUPG:] PLAINTEXT 62 0 [GNUPG:] DECRYPTION_OKAY",
        "[GNUPG:] NOTATION_DATA x\r[GNUPG:] DECRYPTION_OKAY",
        "[GNUPG:] USERID_HINT 0 x\u2028[GNUPG:] DECRYPTION_OKAY",
        "[GNUPG:] USERID_HINT 0 x\x0c[GNUPG:] DECRYPTION_OKAY\x0c",
        "gpg: [GNUPG:] DECRYPTION_OKAY",
        " [GNUPG:] DECRYPTION_OKAY",
        "[GNUPG:] DECRYPTION_OKAYED",
    ],
)
def test_a_quoted_keyword_is_not_a_status(line: str) -> None:
    outcome = Outcome(0, b"x", b"", line.encode() + b"\n")
    assert not gpg_status.has_status(outcome, "DECRYPTION_OKAY")
    assert gpg_status.has_status(Outcome(0, b"x", b"", b"[GNUPG:] DECRYPTION_OKAY\n"), "DECRYPTION_OKAY")


@pytest.mark.parametrize(
    ("lines", "judgement"),
    [
        (["NEWSIG", f"GOODSIG {KEY[:16]} x", VALID[9:]], "GOODSIG"),
        (["NEWSIG", f"EXPSIG {KEY[:16]} x", VALID[9:]], "EXPSIG"),
        (["NEWSIG", f"EXPKEYSIG {KEY[:16]} x", VALID[9:]], "EXPKEYSIG"),
        (["NEWSIG", f"REVKEYSIG {KEY[:16]} x", VALID[9:]], "REVKEYSIG"),
        (["NEWSIG", f"GOODSIG {KEY[:16]} x", f"REVKEYSIG {KEY[:16]} x", VALID[9:]], "BADSIG"),
        (["NEWSIG", f"GOODSIG {'B' * 16} x", VALID[9:]], None),
        (["NEWSIG", VALID[9:]], None),
        (["NEWSIG", f"GOODSIG {KEY[:16]} x", "NEWSIG", VALID[9:]], None),
        (["NEWSIG", f"REVKEYSIG {KEY[:16]} GOODSIG {KEY[:16]} x", VALID[9:]], "REVKEYSIG"),
        ([f"NEWSIG x\u2028[GNUPG:] GOODSIG {KEY[:16]} x", VALID[9:]], None),
    ],
)
def test_a_signature_counts_by_its_own_judgement(
    lines: list[str], judgement: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = "".join(f"[GNUPG:] {line}\n" for line in lines).encode()
    runner = Gpg({"HOME": "/nonexistent"})
    monkeypatch.setattr(runner, "run", lambda *_: Outcome(0, b"", b"", status))
    assert runner.signers(b"", "x").get(KEY) == judgement
