"""What a helper was told to store it gives back, verbatim, until it is told otherwise."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conformance.canary import CANARY
from tests.conformance.subjects import deviates, every_keeper, reference_deviates
from tests.support.client import Answer, Credentials, Helper

pytestmark = every_keeper

SERVER = "https://registry.example:5000/v1/"
HUB = "https://index.docker.io/v1/"
HUB_KEYS = (HUB, HUB + "access-token", HUB + "refresh-token")

USERNAMES = [
    "alice",
    "<token>",
    "alice@example.com",
    "robot$team+ci",
    pytest.param(
        "team/project/bot", marks=deviates("reference-pass", "answers with the first folder's name")
    ),
    "Alice B. Example",
    "ålice-☃-🔑",
    'a"b\\c',
    "$(id);`id`&*?[x]",
    "--help",
    "..alice..",
    "alice.gpg",
]
SECRETS = {
    "unicode": f"{CANARY}-pässwörd-☃-🔑",
    "JSON's own characters": f'{CANARY}"\\/{{}}[]:,',
    "HTML's own characters": f"<{CANARY}>&\u2028\u2029",
    "spaces at both ends": f"  {CANARY}  ",
    "lines": f"{CANARY}\nsecond\r\n\n\tfourth",
    "control characters": f"{CANARY}\x01\x1b[31m\x7f",
    "4 KiB, as a token": CANARY + "T" * 4096,
}


@pytest.mark.parametrize("username", USERNAMES)
def test_any_username_comes_back(helper: Helper, username: str) -> None:
    assert helper.store(SERVER, username, CANARY) == Answer(0, b"", b"")
    assert helper.get(SERVER).credentials() == Credentials(SERVER, username, CANARY)
    assert helper.stored() == {SERVER: username}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_any_secret_comes_back(helper: Helper, secret: str) -> None:
    helper.store(SERVER, "alice", secret)
    assert helper.get(SERVER).credentials().secret == secret


@deviates("reference-secretservice", "takes the entry for a missing one")
def test_empty_secret_comes_back(helper: Helper) -> None:
    assert helper.store(SERVER, "alice", "").code == 0
    assert helper.get(SERVER).credentials() == Credentials(SERVER, "alice", "")


@pytest.mark.parametrize("filling", ["x", '"', "<", "é"])
@reference_deviates("stops at 64 KiB a line")
def test_secret_of_one_mebibyte_comes_back(helper: Helper, filling: str) -> None:
    secret = CANARY + filling * (((1 << 20) - len(CANARY)) // len(filling.encode()))
    answer = helper.store(SERVER, "alice", secret)
    assert (answer.code, answer.out) == (0, b"")
    assert helper.get(SERVER).credentials().secret == secret


@pytest.mark.parametrize(
    "request_body",
    [
        f'{{"ServerURL":"{SERVER}","Username":"\\u003ctoken\\u003e","Secret":"{CANARY}\\u0026"}}',
        f'\n {{\r\n\t"Secret" : "{CANARY}\\u0026", "Username": "<token>" ,"ServerURL"\n:"{SERVER}" }}\n\n',
    ],
    ids=["as Go writes it", "spread over lines and in another order"],
)
def test_identity_token_in_any_json_spelling(helper: Helper, request_body: str) -> None:
    assert helper.run("store", stdin=request_body.encode()).code == 0
    assert helper.get(SERVER).credentials() == Credentials(SERVER, "<token>", CANARY + "&")


def test_unknown_fields_are_ignored(helper: Helper) -> None:
    fields = {
        "ServerURL": SERVER,
        "Username": "alice",
        "Secret": CANARY,
        "Email": None,
        "Expiry": {"In": [1]},
    }
    assert helper.run("store", stdin=json.dumps(fields).encode()).code == 0
    assert helper.get(SERVER).credentials() == Credentials(SERVER, "alice", CANARY)


def test_answer_is_compact_json_on_one_line(helper: Helper) -> None:
    helper.store(SERVER, "alice", CANARY)
    answer = helper.get(SERVER)
    assert answer.out == f'{{"ServerURL":"{SERVER}","Username":"alice","Secret":"{CANARY}"}}\n'.encode()
    assert answer.err == b""
    assert helper.list().out == f'{{"{SERVER}":"alice"}}\n'.encode()


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " \t{}\n\n", "\n{}"], ids=repr)
@pytest.mark.parametrize("verb", ["get", "erase"])
def test_white_space_around_a_server(helper: Helper, verb: str, around: str) -> None:
    helper.store(SERVER, "alice", CANARY)
    answer = helper.run(verb, stdin=around.format(SERVER).encode())
    assert answer.code == 0
    if verb == "get":
        assert answer.credentials() == Credentials(SERVER, "alice", CANARY)
    else:
        assert helper.stored() == {}


@reference_deviates("leaves the older username in place, and may answer with it")
def test_new_username_replaces_the_older_one(helper: Helper) -> None:
    for username in ("mallory", "zoe", "alice", "bob"):
        assert helper.store(SERVER, username, f"{CANARY} of {username}").code == 0
        assert helper.get(SERVER).credentials() == Credentials(SERVER, username, f"{CANARY} of {username}")
        assert helper.stored() == {SERVER: username}


def test_new_secret_replaces_the_older_one(helper: Helper) -> None:
    for secret in (CANARY * 50, CANARY, CANARY + "3"):
        helper.store(SERVER, "alice", secret)
        assert helper.get(SERVER).credentials().secret == secret
    assert helper.stored() == {SERVER: "alice"}


def test_erase_removes_the_credential(helper: Helper) -> None:
    helper.store(SERVER, "alice", CANARY)
    answer = helper.erase(SERVER)
    assert (answer.code, answer.out, answer.err) == (0, b"", b"")
    assert not helper.get(SERVER).found
    assert helper.list().out == b"{}\n"


def test_username_with_folders_is_replaced(helper: Helper) -> None:
    helper.store(SERVER, "team/bot", CANARY)
    helper.erase(SERVER)
    helper.store(SERVER, "team", CANARY)
    assert helper.get(SERVER).credentials() == Credentials(SERVER, "team", CANARY)
    helper.erase(SERVER)
    assert helper.list().out == b"{}\n"


def test_hub_web_login_keys_stay_separate(helper: Helper) -> None:
    for number, key in enumerate(HUB_KEYS):
        helper.store(key, f"user{number}", f"{CANARY}{number}")
    for number, key in enumerate(HUB_KEYS):
        assert helper.get(key).credentials() == Credentials(key, f"user{number}", f"{CANARY}{number}")
    assert helper.stored() == {key: f"user{number}" for number, key in enumerate(HUB_KEYS)}


@pytest.mark.parametrize("erased", HUB_KEYS)
def test_erasing_one_hub_key_keeps_the_others(helper: Helper, erased: str) -> None:
    for key in HUB_KEYS:
        helper.store(key, "alice", CANARY)
    helper.erase(erased)
    assert helper.stored() == {key: "alice" for key in HUB_KEYS if key != erased}


@deviates("reference-pass", "fails to erase what is not there")
def test_erase_removes_exactly_the_named_key(helper: Helper) -> None:
    kept = ("registry.example", "https://registry.example", "http://registry.example", "registry.example/a")
    for key in kept:
        helper.store(key, "alice", CANARY)
    for other in (
        "registry.example/",
        "https://registry.example/",
        "registry.example:443",
        "registry.example/a/b",
    ):
        assert helper.erase(other).code == 0
    assert helper.stored() == dict.fromkeys(kept, "alice")
    helper.erase("https://registry.example")
    assert helper.stored() == {key: "alice" for key in kept if key != "https://registry.example"}


def test_parallel_calls_do_not_interfere(helper: Helper) -> None:
    servers = [f"registry{number}.example:5000" for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert all(
            answer.code == 0 for answer in pool.map(lambda key: helper.store(key, key, CANARY + key), servers)
        )
        answers = list(pool.map(helper.get, servers))
    assert [answer.credentials() for answer in answers] == [
        Credentials(key, key, CANARY + key) for key in servers
    ]
    assert helper.stored() == {key: key for key in servers}
