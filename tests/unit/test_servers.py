"""Which stored keys may answer for a server."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from credhelpers.servers import HUB_HOSTS, HUB_KEY, candidate_keys, matches, split_scheme

_NAMES = st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True)
_HOSTS = st.one_of(_NAMES, st.sampled_from((*HUB_HOSTS, "registry.example", "[2001:db8::1]")))
_PORTS = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))
_SEGMENTS = st.one_of(_NAMES, st.sampled_from(["", "v1", "access-token", "refresh-token", "a:b@c"]))
_PATHS = st.lists(_SEGMENTS, max_size=4).map(lambda segments: "".join("/" + segment for segment in segments))
SCHEMES = st.sampled_from(["", "//", "https://", "http://", "HTTPS://", "HTTP://", "ftp://"])
_PARTS = st.sampled_from(
    [
        *(
            "https:",
            "http:",
            "https://",
            "http://",
            "HTTPS://",
            "ftp://",
            "/",
            "//",
            ":",
            "@",
            "\\",
            "?",
            "#",
        ),
        *("r", "r.example", "user", "443", "80", "%2f", "%3a", "%40", "[::1]", "[", "]", "docker.io", "v1"),
    ]
)
_SPLICED = st.lists(_PARTS, max_size=8).map("".join)
"""What no client sends: schemes within schemes, userinfo, several ports, backslashes."""
SERVERS = st.builds(
    lambda *parts: "".join(parts), SCHEMES, _HOSTS, _PORTS, _PATHS, st.sampled_from(["", "?q=1", "?a/b"])
)


def authority(key: str) -> str:
    """The host and the port of a server URL."""
    return split_scheme(key)[1].partition("/")[0].partition("?")[0]


def scheme(key: str) -> str:
    """What a server URL is spoken over: a name without a scheme is spoken to over https."""
    return split_scheme(key)[0] or "https"


@given(st.one_of(SERVERS, st.text()))
def test_the_exact_spelling_comes_first(server: str) -> None:
    keys = candidate_keys(server)
    assert keys[0] == server
    assert len(set(keys)) == len(keys)


@given(st.one_of(SERVERS, st.text()))
def test_no_key_of_another_scheme_answers(server: str) -> None:
    assert {scheme(key) for key in candidate_keys(server)} == {scheme(server)}


@given(SERVERS)
def test_no_key_of_another_host_answers(server: str) -> None:
    others = {key for key in candidate_keys(server) if authority(key) != authority(server)}
    if authority(server) in HUB_HOSTS and scheme(server) == "https":
        assert others <= {HUB_KEY}
    else:
        assert others == set()


@given(_SPLICED)
def test_a_spliced_url_keeps_its_authority(server: str) -> None:
    keys = candidate_keys(server)
    allowed = {authority(server)} | ({authority(HUB_KEY)} if authority(server) in HUB_HOSTS else set())
    assert {authority(key) for key in keys} <= allowed
    assert {scheme(key) for key in keys} == {scheme(server)}


@pytest.mark.parametrize(
    "server",
    [
        *("https://https://r", "http://http://r", "http://https://r", "https://http://r", "//https://r"),
        *(
            "https:////r",
            "////r",
            "https://\\r",
            "https://user@r",
            "user@r",
            "r:443:80",
            "r:443",
            "r%2fx",
            "[r]",
        ),
        *("https://r@evil.example", "https://evil.example\\@r", "https:// r", "HTTPS://HTTPS://r", "x://r"),
    ],
)
def test_a_lookalike_never_finds_a_key(server: str) -> None:
    own = {"r", "r/", "https://r", "https://r/", "http://r", "http://r/"}
    assert own.isdisjoint(candidate_keys(server))


@given(st.one_of(SERVERS, st.text()))
def test_a_token_key_answers_for_itself_only(server: str) -> None:
    for key in candidate_keys(server)[1:]:
        assert not key.rstrip("/").endswith("-token")
    if server.rstrip("/").endswith("-token"):
        assert candidate_keys(server) == [server]


@given(SERVERS)
def test_every_key_is_the_place_or_above_it(server: str) -> None:
    place = split_scheme(server)[1].partition("?")[0].rstrip("/") + "/"
    for key in candidate_keys(server)[1:]:
        if key != HUB_KEY:
            assert place.startswith(split_scheme(key)[1].rstrip("/") + "/")


@given(SERVERS)
def test_longer_paths_come_first(server: str) -> None:
    keys = [
        key for key in candidate_keys(server)[1:] if key != HUB_KEY or authority(server) == authority(HUB_KEY)
    ]
    depths = [len(split_scheme(key)[1].rstrip("/")) for key in keys]
    if authority(server) not in HUB_HOSTS:
        assert depths == sorted(depths, reverse=True)


@given(SERVERS)
def test_spellings_answer_for_each_other(server: str) -> None:
    """A client that stores one spelling of a place and asks for the other gets it; // ends no spelling."""
    assume(not server.endswith("//"))
    place = split_scheme(server)[1].rstrip("/")
    for key in candidate_keys(server):
        if split_scheme(key)[1].rstrip("/") == place and split_scheme(server)[0] in ("", "https"):
            assert server in candidate_keys(key) or "?" in server or server.startswith(("//", "HTTPS://"))


@pytest.mark.parametrize("name", HUB_HOSTS)
def test_docker_hub_has_one_key_for_all_its_names(name: str) -> None:
    assert HUB_KEY in candidate_keys(name)
    assert HUB_KEY in candidate_keys(f"https://{name}/library/alpine")
    assert HUB_KEY not in candidate_keys(f"http://{name}")
    assert HUB_KEY not in candidate_keys(f"{name}:5000")


def test_the_whole_order_of_a_path() -> None:
    assert candidate_keys("h.example:5000/a/b") == [
        "h.example:5000/a/b",
        "h.example:5000/a/b/",
        "https://h.example:5000/a/b",
        "https://h.example:5000/a/b/",
        "h.example:5000/a",
        "h.example:5000/a/",
        "https://h.example:5000/a",
        "https://h.example:5000/a/",
        "h.example:5000",
        "h.example:5000/",
        "https://h.example:5000",
        "https://h.example:5000/",
    ]


@pytest.mark.parametrize(
    "server", ["", "/", "//", "https://", "https:///v1", "?", "ftp://h.example", "://h", " "]
)
def test_an_invalid_server_has_one_spelling(server: str) -> None:
    assert {authority(key) for key in candidate_keys(server)} == {authority(server)}


@given(st.text())
def test_splitting_loses_no_character(server: str) -> None:
    found, place = split_scheme(server)
    assert server.endswith(place)
    assert found == found.lower()


@given(st.text("ab*?.A", max_size=8), st.text("abA.", max_size=12))
def test_a_glob_matches_what_fnmatch_matches(pattern: str, text: str) -> None:
    assert matches(pattern, text) == fnmatchcase(text.lower(), pattern.lower())


def test_a_glob_of_many_stars_is_answered_at_once() -> None:
    assert not matches("*a" * 50 + "b", "a" * 4000)
