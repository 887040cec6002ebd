"""config.json in every spelling that the real docker client takes: read as it does, and edited in place."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from credhelpers.clients.docker_config import DockerConfig
from credhelpers.credential import CredentialError
from tests.integration.docker_home import DockerHome, stub_helper
from tests.integration.recording_daemon import RecordingDaemon, recording_daemon, write_config

SERVER = "r.example:5000"
A, B = (base64.b64encode(f"{name}:secret".encode()).decode() for name in "ab")
ANSWER = """printf '{"ServerURL":"x","Username":"helped","Secret":"s"}'"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[RecordingDaemon]:
    """What the docker client pulls from."""
    with recording_daemon() as running:
        yield running


@pytest.fixture
def home(installed: Path, password_store_env: dict[str, str]) -> DockerHome:
    """A user with an empty password store."""
    return DockerHome({**password_store_env, "PATH": f"{installed}:/usr/bin:/bin"}, installed / "credhelpers")


ENTRY = f'{{"auths":{{"\\ud800":{{"auth":"{B}"}},"{SERVER}":{{"auth":"{A}"}}}}}}'
READ = {
    "as documented": f'{{"auths":{{"{SERVER}":{{"auth":"{A}"}}}}}}',
    "capitals": f'{{"Auths":{{"{SERVER}":{{"Auth":"{A}"}}}}}}',
    "all capitals": f'{{"AUTHS":{{"{SERVER}":{{"AUTH":"{A}"}}}}}}',
    "a long s": f'{{"auth\u017f":{{"{SERVER}":{{"auth":"{A}"}}}}}}',
    "a Kelvin sign": f'{{"auths":{{"{SERVER}":{{"auth":"{A}","identityto\u212aen":"it"}}}}}}',
    "username and password": f'{{"auths":{{"{SERVER}":{{"Username":"a","PassWord":"secret"}}}}}}',
    "an identity token": f'{{"auths":{{"{SERVER}":{{"auth":"{A}","IdentityToken":"it"}}}}}}',
    "a server in capitals": f'{{"auths":{{"R.EXAMPLE:5000":{{"auth":"{A}"}}}}}}',
    "half a surrogate pair": f'{{"\\ud800":"\\udc00",{ENTRY[1:-1]}}}',
    "line ends in base64": f'{{"auths":{{"{SERVER}":{{"auth":"{A[:3]}\\r\\n{A[3:]}"}}}}}}',
    "a password that is not UTF-8": f'{{"auths":{{"{SERVER}":{{"auth":"YTr/"}}}}}}',
    "a password with NUL behind it": f'{{"auths":{{"{SERVER}":{{"auth":"YTpiAAA="}}}}}}',
    "no password": f'{{"auths":{{"{SERVER}":{{"auth":"YWI="}}}}}}',
    "another alphabet of base64": f'{{"auths":{{"{SERVER}":{{"auth":"YTp-fn4_"}}}}}}',
    "a store": '{"credsstore":"stub"}',
    "a store in capitals": '{"CREDSSTORE":"stub"}',
    "helpers": f'{{"CREDHELPERS":{{"{SERVER}":"stub"}}}}',
    "a helper for a server in capitals": '{"credHelpers":{"R.EXAMPLE:5000":"stub"},"auths":{"o":{}}}',
    "a store behind a null": '{"credsStore":null,"auths":{"o":{}}}',
}


@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_a_file_is_read_as_docker_reads_it(
    private_env: dict[str, str], daemon: RecordingDaemon, tmp_path: Path, content: str
) -> None:
    stub_helper(tmp_path / "bin", "stub", ANSWER)
    env = {**private_env, "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}
    config = DockerConfig.read(str(write_config(env, content)))

    sent = daemon.credential_for(SERVER, env)

    found = config.plaintext_for(SERVER)
    if found and found.kind == "unreadable":
        found = None
    ours: dict[str, str] = {}
    if config.helper_for(SERVER) == "stub":
        ours = {"username": "helped", "password": "s"}
    elif found and found.kind == "identity token":
        ours = {"username": "a", "password": "secret", "identitytoken": found.credential.secret}
    elif found:
        ours = {"username": found.credential.username, "password": found.credential.secret}
    assert sent == ours


ONE, OTHER = (f'{{"{SERVER}":{{"auth":"{auth}"}}}}' for auth in (A, B))
TWICE = {
    "tables": f'{{"auths":{ONE},"Auths":{OTHER}}}',
    "tables of one spelling": f'{{"auths":{ONE},"auths":{OTHER}}}',
    "fields": f'{{"auths":{{"{SERVER}":{{"auth":"{A}","Auth":"{B}"}}}}}}',
}


@pytest.mark.parametrize("content", TWICE.values(), ids=TWICE)
def test_a_key_twice_is_refused(private_env: dict[str, str], daemon: RecordingDaemon, content: str) -> None:
    path = write_config(private_env, content)
    assert daemon.credential_for(SERVER, private_env)["username"] == "b"

    with pytest.raises(CredentialError) as refused:
        DockerConfig.read(str(path))

    assert "twice" in refused.value.cause or "the same to Docker" in refused.value.cause
    assert "secret" not in refused.value.cause


def test_a_key_in_other_case_is_changed_in_place(home: DockerHome) -> None:
    before = home.write('{"CREDSSTORE": "old", "credhelpers": {"a.test": "x"}, "AUTHS": {}}')

    home.succeed("configure", "--force", "--store", "pass", "--ecr", "public.ecr.aws")

    assert home.config.read_text() == (
        '{"CREDSSTORE": "pass", "credhelpers": {"a.test": "x", "public.ecr.aws": "ecr-login"}, "AUTHS": {}}'
    )
    home.succeed("configure", "--undo")
    assert home.config.read_bytes() == before


def test_migrate_with_keys_in_other_case(home: DockerHome) -> None:
    home.write(
        f'{{"Auths": {{"{SERVER}": {{"Auth": "{A}", "Email": "e"}}, "i.test": {{"IDENTITYTOKEN": "it"}}}}}}'
    )

    assert "2 moved to pass" in home.succeed("migrate", "--to", "pass")

    assert home.config.read_text() == (
        f'{{"Auths": {{"{SERVER}": {{"Email": "e"}}, "i.test": {{}}}}, "credsStore": "pass"}}'
    )


def test_logout_with_a_key_in_other_case(home: DockerHome) -> None:
    home.write(f'{{"AUTHS": {{"{SERVER}": {{"AUTH": "{A}"}}, "k.example": {{}}}}}}')

    home.succeed("logout", SERVER)

    assert home.config.read_text() == '{"AUTHS": {"k.example": {}}}'


def test_status_and_doctor_ignore_case(home: DockerHome) -> None:
    home.write(f'{{"AUTHS": {{"{SERVER}": {{"AUTH": "{A}"}}}}}}')

    assert SERVER in home.succeed("status")
    assert b"plaintext: it holds secrets in plain text: " in home.run("doctor").out


HALVES = {
    "a server and fields": (
        '{"\\ud800": "\\udfff", "auths": {"\\ud800": {"email": "\\ud800", "auth": "YTpi"},'
        ' "r.example": {"auth": "YTpi", "x": "\\ud800"}}%s}'
    ),
    "a username and password": '{"auths": {"r.example": {"username": "\\ud800", "password": "\\udc00"}}%s}',
    "an identity token": '{"auths": {"r.example": {"identitytoken": "\\ud800"}}%s}',
    "a server with a helper": '{"credHelpers": {"\\ud800": "pass"}, "auths": {"\\udc00": {}}%s}',
}


@pytest.mark.parametrize("store", ["", ', "credsStore": "pass"'])
@pytest.mark.parametrize("content", HALVES.values(), ids=HALVES)
def test_half_a_surrogate_pair_in_commands(home: DockerHome, content: str, store: str) -> None:
    for command in (
        "doctor",
        "status",
        "configure --force --store pass --dry-run",
        "migrate --to pass --dry-run",
    ):
        before = home.write(content % store)
        answer = home.run(*command.split())
        assert b"internal error" not in answer.err and home.config.read_bytes() == before, answer
    for command in ("logout r.example", "configure --force --store pass", "migrate --to pass"):
        home.write(content % store)
        home.succeed(*command.split())


def test_half_a_surrogate_pair_is_kept(home: DockerHome) -> None:
    home.write(HALVES["a server and fields"] % "")

    home.succeed("migrate", "--to", "pass")

    assert home.config.read_text() == (
        '{"\\ud800": "\\udfff", "auths": {"\\ud800": {"email": "\\ud800"}, "r.example": {"x": "\\ud800"}},'
        ' "credsStore": "pass"}'
    )


@pytest.mark.parametrize(
    "content", ['{"credsStore": "\\ud800"}', '{"credHelpers": {"r.example": "\\ud800"}}']
)
def test_half_a_surrogate_pair_as_helper(home: DockerHome, content: str) -> None:
    home.write(content)

    assert "is not on PATH" in home.fail("logout", "r.example")

    assert home.run("doctor").code == home.run("status").code == 1


@pytest.mark.parametrize(
    "command", ["configure --force --store pass", "migrate --to pass", "logout r.example", "status"]
)
def test_a_file_nested_too_deeply_is_refused(home: DockerHome, command: str) -> None:
    before = home.write(
        '{"x":' + '{"a":' * 1200 + "1" + "}" * 1200 + ',"auths":{"r.example":{"auth":"YTpi"}}}'
    )

    assert "too deeply" in home.fail(*command.split())

    assert home.config.read_bytes() == before


def test_a_byte_order_mark_is_named(home: DockerHome) -> None:
    home.write(b"\xef\xbb\xbf{}")

    assert "begins with a byte order mark, which Docker does not read" in home.fail(
        "configure", "--force", "--store", "pass"
    )


def test_line_ends_of_windows_stay(home: DockerHome) -> None:
    before = home.write(
        '{\r\n\t"Auths": {\r\n\t\t"r.example": {\r\n\t\t\t"Auth": "YTpi"\r\n\t\t}\r\n\t}\r\n}\r\n'
    )

    home.succeed("configure", "--force", "--store", "pass")

    assert home.config.read_bytes() == before.replace(b"\r\n}\r\n", b',\r\n\t"credsStore": "pass"\r\n}\r\n')


def test_a_name_with_a_null_byte_is_an_error(home: DockerHome) -> None:
    home.write(json.dumps({"credsStore": "pa\0ss", "auths": {"r\0.example": {"auth": "YTpi"}}}))

    for command in ("status", "doctor", "logout r.example"):
        answer = home.run(*command.split())
        assert (
            answer.code == 1 and b"internal error" not in answer.err and b"\0" not in answer.out + answer.err
        )
