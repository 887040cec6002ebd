"""docker-credential-auto: whom it asks for which server, and what it makes of their answers."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from credhelpers.config import Settings, load
from credhelpers.credential import Credential, CredentialError, CredentialsNotFound, StoreUnavailable
from credhelpers.log import Log
from credhelpers.store import Helper
from credhelpers.stores.auto import reentry
from credhelpers.stores.auto.routes import Routes
from credhelpers.stores.auto.store import AutoStore
from credhelpers.suite import BUILT_IN, ECR

ECR_HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
HUB = "https://index.docker.io/v1/"
ISSUERS = {ECR.name: ECR.serves} if ECR.serves else {}
ALICE = Credential("alice", "secret")


def settings_of(*routes: tuple[str, ...], **others: str) -> Settings:
    """Return settings with routes of match, helper and, it may be, as."""
    values = {
        f"auto.route.{number}.{key}": value
        for number, route in enumerate(routes)
        for key, value in zip(("match", "helper", "as"), route, strict=False)
    }
    return Settings({**values, **others})


def decide(server: str, *routes: tuple[str, ...], installed: tuple[str, ...] = ()) -> str:
    """Return who is asked for what, as one word: helper=key."""
    found = Routes(settings_of(*routes), ISSUERS, installed.__contains__, lambda: "default").target(server)
    return f"{found.helper}={found.key}"


@pytest.mark.parametrize(
    ("match", "server"),
    [
        ("registry.example", "registry.example"),
        ("registry.example", "Registry.Example"),
        ("REGISTRY.example", "registry.example"),
        ("registry.example", "https://registry.example"),
        ("registry.example", "http://registry.example/"),
        ("registry.example", "//registry.example"),
        ("https://registry.example/", "registry.example"),
        ("registry.example", "registry.example/team/app"),
        ("registry.example:5000", "registry.example:5000"),
        ("registry.example:*", "https://registry.example:5000/v1/"),
        ("*.example", "a.b.example"),
        ("*", "anything.example:5000/a/b"),
        ("registry.example/team/*", "registry.example/team/app"),
        ("registry.example/team/*", "https://registry.example/team/app/deep"),
        ("registry.example/team/*", "registry.example/team"),
        ("registry.example/team", "registry.example/team/"),
        ("*/team/*", "registry.example/team/app"),
        ("registry-?.example", "registry-1.example"),
        ("[2001:db8::1]:5000", "https://[2001:db8::1]:5000"),
        ("docker.io", HUB),
        ("docker.io", HUB + "access-token"),
        ("index.docker.io", "docker.io"),
        (HUB, "docker.io"),
        (HUB, "registry-1.docker.io"),
        ("registry-1.docker.io", "index.docker.io/library/alpine"),
        ("docker.io/team/*", "index.docker.io/team/app"),
    ],
)
def test_a_route_matches_every_spelling(match: str, server: str) -> None:
    assert decide(server, (match, "routed")) == f"routed={server}"


@pytest.mark.parametrize(
    ("match", "server"),
    [
        ("registry.example", "registry.example:5000"),
        ("registry.example:5000", "registry.example"),
        ("registry.example", "registry.example.evil.example"),
        ("registry.example", "evilregistry.example"),
        ("*.example", "example"),
        ("*.example", "evil.test/.example"),
        ("*.example", "evil.test?.example"),
        ("*.example", "evil.test#.example"),
        ("*.example", "evil.test\\.example"),
        ("*.example", "user@registry.example"),
        ("registry.example/team/*", "registry.example"),
        ("registry.example/team/*", "registry.example/teams/app"),
        ("registry.example/team", "registry.example/team/app"),
        ("docker.io/team/*", HUB),
        ("docker.io", "docker.io.evil.example"),
    ],
)
def test_a_route_means_no_other_place(match: str, server: str) -> None:
    assert decide(server, (match, "routed")) == f"default={server}"


@pytest.mark.parametrize(
    "server",
    [
        *("https://https://registry.example", "//https://registry.example", "https:////registry.example"),
        *("registry.example:443:80", "registry.example:", "registry.example:x", "user@registry.example"),
        *("registry.example\\@evil.test", "[::1]x", "registry.example:5000:5000"),
    ],
)
def test_an_invalid_address_matches_no_route(server: str) -> None:
    assert decide(server, ("*", "routed")) == f"default={server}"


def test_the_first_route_that_matches_counts() -> None:
    routes = (("registry.example/team/*", "first"), ("registry.example", "second"), ("*", "third"))
    assert decide("registry.example/team/app", *routes) == "first=registry.example/team/app"
    assert decide("registry.example/app", *routes) == "second=registry.example/app"
    assert decide("other.example", *routes) == "third=other.example"


@pytest.mark.parametrize("server", [ECR_HOST, f"https://{ECR_HOST}/v2/", "public.ecr.aws/nginx/nginx"])
def test_ecr_hosts_are_asked_of_ecr(server: str) -> None:
    assert decide(server) == f"ecr-login={server}"


def test_a_configured_domain_goes_to_ecr() -> None:
    table = {"match": "*.images.example", "account": "123456789012", "region": "eu-central-1"}
    settings = Settings({f"ecr.registry.0.{key}": value for key, value in table.items()})
    routes = Routes(settings, ISSUERS, lambda _: False, lambda: "default")
    assert routes.target("a.images.example").helper == "ecr-login"
    for other in ("images.example", "evil.test#.images.example", "http://a.images.example"):
        assert routes.target(other).helper == "default"


@pytest.mark.parametrize(
    "server", [f"http://{ECR_HOST}", f"{ECR_HOST}:5000", f"{ECR_HOST}.evil.example", f"evil@{ECR_HOST}"]
)
def test_a_lookalike_does_not_go_to_ecr(server: str) -> None:
    assert decide(server) == f"default={server}"


@pytest.mark.parametrize(
    ("server", "installed", "helper"),
    [
        ("gcr.io", ("gcr", "gcloud"), "gcr"),
        ("https://eu.gcr.io/project/app", ("gcloud",), "gcloud"),
        ("europe-west3-docker.pkg.dev", ("gcloud",), "gcloud"),
        ("team.azurecr.io:443", ("acr-env",), "acr-env"),
        ("gcr.io", ("acr-env",), "default"),
        ("team.azurecr.io", (), "default"),
        ("ghcr.io", ("gcr", "gcloud", "acr-env", "gh"), "default"),
        ("http://gcr.io", ("gcr",), "default"),
        ("gcr.io:5000", ("gcr",), "default"),
        ("gcr.io.evil.example", ("gcr",), "default"),
        ("evil.example#.gcr.io", ("gcr",), "default"),
        ("notgcr.io", ("gcr",), "default"),
    ],
)
def test_a_cloud_goes_to_its_helper_if_installed(
    server: str, installed: tuple[str, ...], helper: str
) -> None:
    assert decide(server, installed=installed) == f"{helper}={server}"


@pytest.mark.parametrize("server", [ECR_HOST, "gcr.io"])
def test_a_route_counts_more_than_what_a_host_is(server: str) -> None:
    assert decide(server, (server, "pass"), installed=("gcr",)) == f"pass={server}"


def test_a_route_may_name_another_key() -> None:
    route = ("registry.example:5000/team/*", "pass", "registry.example:5000#team")
    for server in ("registry.example:5000/team/app", "registry.example:5000#team"):
        assert decide(server, route) == "pass=registry.example:5000#team"
    assert decide("registry.example:5000", route) == "default=registry.example:5000"


def names(helper: str, key: str, *routes: tuple[str, ...]) -> list[str]:
    return Routes(settings_of(*routes), ISSUERS, lambda _: False, lambda: "default").names(helper, key)


def test_a_key_is_listed_where_get_finds_it() -> None:
    assert names("default", "registry.example") == ["registry.example"]
    assert names("default", "registry.example", ("*.example", "pass")) == []
    assert names("pass", "registry.example", ("*.example", "pass")) == ["registry.example"]
    assert names("pass", "other.test", ("*.example", "pass")) == []


def test_a_key_is_listed_under_its_route() -> None:
    literal = ("registry.example/team", "pass", "key#team")
    assert names("pass", "key#team", literal) == ["registry.example/team"]
    assert names("pass", "key#team", ("registry.example/*", "pass", "key#team")) == ["key#team"]
    assert names("pass", "key#team", literal, ("mirror.example", "pass", "key#team")) == [
        "registry.example/team",
        "mirror.example",
    ]


def test_a_key_that_is_a_server_is_listed_too() -> None:
    assert names("default", HUB, ("mirror.example", "default", HUB)) == ["mirror.example", HUB]


def test_a_shadowed_match_is_not_listed() -> None:
    routes = (("*", "keyring"), ("registry.example", "pass", "key#team"))
    assert names("pass", "key#team", *routes) == ["key#team"]


def test_the_documented_example_works(tmp_path: Path) -> None:
    page = Path(__file__).parents[2].joinpath("docs", "auto.md").read_text()
    example = tmp_path / "config.toml"
    example.write_text(page.partition("```toml\n")[2].partition("```")[0])
    settings = load({"CREDHELPERS_CONFIG": str(example), "HOME": str(tmp_path)})
    assert settings.text("auto.default") == "pass"
    routes = Routes(settings, ISSUERS, lambda _: False, lambda: "default")
    decided = {
        "europe-west3-docker.pkg.dev": ("gcloud", "europe-west3-docker.pkg.dev"),
        "registry.internal:5000/team-a/app": ("pass", "registry.internal:5000#team-a"),
        "registry.internal:5000": ("default", "registry.internal:5000"),
        "mirror.internal": ("pass", HUB),
    }
    for server, expected in decided.items():
        target = routes.target(server)
        assert (target.helper, target.key) == expected


class Kept:
    """A store in memory."""

    def __init__(self, credentials: dict[str, Credential], error: CredentialError | None = None) -> None:
        self.credentials = credentials
        self.error = error

    def get(self, server: str) -> Credential:
        self._fail()
        if server not in self.credentials:
            raise CredentialsNotFound
        return self.credentials[server]

    def store(self, server: str, credential: Credential) -> None:
        self._fail()
        self.credentials[server] = credential

    def erase(self, server: str) -> None:
        self._fail()
        self.credentials.pop(server, None)

    def list(self) -> dict[str, str]:
        self._fail()
        return {server: credential.username for server, credential in self.credentials.items()}

    def _fail(self) -> None:
        if self.error:
            raise self.error


class World:
    """A machine with three stores and no program but those that a test puts on PATH."""

    def __init__(self, home: Path) -> None:
        self.path = home / "bin"
        self.path.mkdir()
        self.environ = {"HOME": str(home), "PATH": str(self.path)}
        self.stores = {name: Kept({}) for name in ("pass", "keyring", "ecr-login")}

    def auto(self, *routes: tuple[str, ...], default: str = "pass") -> AutoStore:
        settings = settings_of(*routes, **{"auto.default": default, "auto.helper_seconds": "20"})
        built_in = {
            name: Helper(name, "", lambda *_, store=store: store, serves=ISSUERS.get(name))
            for name, store in self.stores.items()
        }
        return AutoStore(self.environ, settings, Log("auto", None, settings), built_in)

    def install(self, name: str, script: str) -> Path:
        executable = self.path / f"docker-credential-{name}"
        executable.write_text(f"#!/bin/sh\n{script}\n")
        executable.chmod(0o755)
        return executable


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_each_verb_uses_the_key_of_the_route(world: World) -> None:
    auto = world.auto(("mirror.example", "keyring", "key#mirror"))
    auto.store("mirror.example", ALICE)
    auto.store("registry.example", Credential("bob", ""))

    assert world.stores["keyring"].credentials == {"key#mirror": ALICE}
    assert auto.get("mirror.example") == ALICE
    assert auto.get("registry.example").username == "bob"
    assert auto.list() == {"registry.example": "bob", "mirror.example": "alice"}
    auto.erase("mirror.example")
    assert world.stores["keyring"].credentials == {}
    assert auto.list() == {"registry.example": "bob"}


def test_servers_of_other_stores_are_not_listed(world: World) -> None:
    world.stores["pass"].credentials = {ECR_HOST: ALICE, "registry.example": ALICE, "routed.example": ALICE}
    world.stores["ecr-login"].credentials = {f"https://{ECR_HOST}": Credential("AWS", "")}
    auto = world.auto(("routed.example", "keyring"))

    assert auto.list() == {"registry.example": "alice", f"https://{ECR_HOST}": "AWS"}


def test_a_broken_store_loses_only_its_entries(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    world.stores["pass"].credentials = {"registry.example": ALICE}
    world.stores["keyring"].error = StoreUnavailable("the keyring is locked", "unlock it")
    auto = world.auto(("*.internal", "keyring"), ("*.cloud", "absent"))

    assert auto.list() == {"registry.example": "alice"}
    assert capfd.readouterr().err == (
        "docker-credential-auto: the keyring is locked\n"
        "docker-credential-auto: docker-credential-absent is not on PATH\n"
    )
    assert auto.get("registry.example") == ALICE
    with pytest.raises(StoreUnavailable, match="locked"):
        auto.get("a.internal")
    with pytest.raises(StoreUnavailable, match="docker-credential-absent is not on PATH"):
        auto.get("a.cloud")


def test_an_ecr_host_is_asked_of_ecr_alone(world: World) -> None:
    world.stores["pass"].credentials = {ECR_HOST: ALICE}
    world.stores["ecr-login"].error = CredentialsNotFound("no permission", anonymous=False)
    with pytest.raises(CredentialsNotFound, match="no permission") as raised:
        world.auto().get(ECR_HOST)
    assert not raised.value.anonymous


def test_a_failing_cloud_helper_means_not_found(world: World) -> None:
    world.install("gcloud", "echo please log in; exit 1")
    with pytest.raises(CredentialsNotFound, match="docker-credential-gcloud: please log in"):
        world.auto().get("gcr.io")
    with pytest.raises(StoreUnavailable, match="docker-credential-gcloud: please log in"):
        world.auto(("gcr.io", "gcloud")).get("gcr.io")


@pytest.mark.parametrize("asked", ["docker.io", "index.docker.io/library/alpine", HUB])
def test_docker_hub_is_asked_for_by_its_key(world: World, asked: str) -> None:
    answer = '{"Username":"alice","Secret":"secret"}'
    world.install("own", f"read -r server\n[ \"$server\" = {HUB} ] && echo '{answer}' || echo '{{}}'")
    assert world.auto(default="own").get(asked) == ALICE


def test_an_initialised_store_is_the_default(world: World) -> None:
    assert world.auto(default="").target("registry.example").helper == "keyring"
    directory = Path(world.environ["HOME"], ".password-store")
    directory.mkdir()
    (directory / ".gpg-id").write_text("alice@example.com\n")
    assert world.auto(default="").target("registry.example").helper == "pass"
    assert world.auto(default="keyring").target("registry.example").helper == "keyring"


def test_without_any_store_nothing_is_kept(world: World) -> None:

    settings = Settings({})
    auto = AutoStore(
        world.environ,
        settings,
        Log("auto", None, settings),
        {**BUILT_IN, "keyring": Helper("keyring", "", _no_keyring)},
    )
    with pytest.raises(
        CredentialsNotFound, match="no password store is initialised, and there is no OS keyring"
    ):
        auto.get("registry.example")
    with pytest.raises(StoreUnavailable, match="no password store is initialised") as raised:
        auto.store("registry.example", ALICE)
    assert "credhelpers init pass" in raised.value.remedy
    auto.erase("registry.example")
    assert auto.list() == {}


def _no_keyring(environ: Mapping[str, str], settings: Settings, log: Log) -> Kept:
    from credhelpers.stores.os_keyring.bus import NoService

    raise NoService("there is no session bus")


def test_a_silent_keyring_is_not_a_missing_one(world: World) -> None:
    def fail(environ: Mapping[str, str], settings: Settings, log: Log) -> Kept:
        raise StoreUnavailable("the keyring does not answer")

    settings = Settings({})
    auto = AutoStore(
        world.environ, settings, Log("auto", None, settings), {"keyring": Helper("keyring", "", fail)}
    )
    with pytest.raises(StoreUnavailable, match="does not answer"):
        auto.get("registry.example")


def test_a_link_to_itself_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    itself = world.install("auto", "exit 9")
    Path(world.path, "docker-credential-other").symlink_to(itself)
    monkeypatch.setattr("sys.argv", [str(itself), "get"])
    for auto in (world.auto(("a.example", "other")), world.auto(default="other"), world.auto(default="auto")):
        with pytest.raises(StoreUnavailable, match="is docker-credential-auto itself"):
            auto.get("a.example")


_ANSWER = """\
import sys
from credhelpers.stores.auto.reentry import is_ancestor
print(is_ancestor(sys.argv[1]))
"""


def seen_by_a_grandchild(mark: str) -> bool:
    """Return whether a process that a shell of ours has started takes the mark for an ancestor's."""
    command = ["/bin/sh", "-c", '"$@"; exit', "sh", sys.executable, "-c", _ANSWER, mark]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout == "True\n"


def test_it_is_not_started_by_what_it_has_started() -> None:
    assert seen_by_a_grandchild(reentry.mark())


def test_other_processes_are_not_ancestors(world: World) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        start = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()[19]
        assert not seen_by_a_grandchild(f"{other.pid}-{start}")
        assert not seen_by_a_grandchild(f"{os.getpid()}-1")  # its number is used again
        other.kill()


@pytest.mark.parametrize("value", ["", "-", "0", "1", "1-", "true", "0-0", "999999999-1", "9" * 40, "٣-1"])
def test_a_foreign_value_means_nothing(world: World, value: str) -> None:
    world.environ["CREDHELPERS_AUTO"] = value
    assert world.auto().list() == {}
    world.environ["CREDHELPERS_AUTO"] = str(os.getpid())
    assert world.auto().list() == {}


def test_a_running_process_counts_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reentry, "_parent_and_start", lambda _: None)
    assert reentry.is_ancestor(f"{os.getpid()}-")
    assert not reentry.is_ancestor("999999999-")


def test_built_in_stores_get_the_environment(world: World) -> None:
    seen = []

    def remember(environ: Mapping[str, str], settings: Settings, log: Log) -> Kept:
        seen.append(environ)
        return Kept({"registry.example": ALICE})

    settings = settings_of(**{"auto.default": "pass"})
    auto = AutoStore(
        world.environ, settings, Log("auto", None, settings), {"pass": Helper("pass", "", remember)}
    )

    assert auto.get("registry.example") == ALICE
    assert seen == [world.environ]
