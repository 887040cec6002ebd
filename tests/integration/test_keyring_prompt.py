"""A prompt that is answered; gnome-keyring needs a desktop for its prompt, so a stand-in shows it here."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, message_bus, new_method_return, new_signal
from jeepney.io.blocking import DBusConnection, open_dbus_connection, unwrap_msg

from tests.support.client import Helper
from tests.support.keyring import private_bus

SERVER = "registry.example"
ITEM, PROMPT, SESSION = "/org/example/item", "/org/example/prompt", "/org/example/session"
ATTRIBUTES = {"server": SERVER, "username": "alice", "docker_cli": "1"}

# The signature and the body of the reply to each method that a `get` of a locked item calls.
REPLIES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "OpenSession": ("vo", (("s", ""), SESSION)),
    "SearchItems": ("aoao", ([], [ITEM])),
    "Unlock": ("aoo", ([], PROMPT)),
    "Prompt": ("", ()),
    "Get": ("v", (("a{ss}", ATTRIBUTES),)),
    "GetSecret": ("(oayays)", ((SESSION, b"", b"s3cret", "text/plain"),)),
}


@contextmanager
def imitated_secret_service(address: str, *, dismissed: bool) -> Iterator[list[str]]:
    """Offer one locked item behind a prompt that is answered or dismissed at once; yield the calls made."""
    calls: list[str] = []
    stop = Event()

    def serve(connection: DBusConnection) -> None:
        while not stop.is_set():
            try:
                message = connection.receive(timeout=0.1)
            except TimeoutError:
                continue
            member = message.header.fields.get(HeaderFields.member)
            if member not in REPLIES:
                continue
            calls.append(member)
            signature, body = REPLIES[member]
            connection.send(new_method_return(message, signature or None, body))
            if member == "Prompt":
                emitter = DBusAddress(PROMPT, interface="org.freedesktop.Secret.Prompt")
                connection.send(new_signal(emitter, "Completed", "bv", (dismissed, ("ao", [ITEM]))))

    with closing(open_dbus_connection(bus=address)) as connection:
        unwrap_msg(connection.send_and_get_reply(message_bus.RequestName("org.freedesktop.secrets", 0)))
        thread = Thread(target=serve, args=(connection,))
        thread.start()
        try:
            yield calls
        finally:
            stop.set()
            thread.join()


@pytest.fixture
def bus() -> Iterator[str]:
    with (
        tempfile.TemporaryDirectory(prefix="ch-bus-", dir="/tmp") as path,
        private_bus(Path(path)) as address,
    ):
        yield address


@pytest.fixture
def helper(installed: Path, private_env: dict[str, str], bus: str) -> Helper:
    environment = {**private_env, "DBUS_SESSION_BUS_ADDRESS": bus, "WAYLAND_DISPLAY": "wayland-9"}
    return Helper(installed / "docker-credential-keyring", environment)


def test_an_answered_prompt_gives_the_credential(helper: Helper, bus: str) -> None:
    with imitated_secret_service(bus, dismissed=False) as calls:
        found = helper.get(SERVER).credentials()
    assert (found.username, found.secret) == ("alice", "s3cret")
    assert calls == ["OpenSession", "SearchItems", "Unlock", "Prompt", "Get", "GetSecret"]


def test_a_dismissed_prompt_is_an_error(helper: Helper, bus: str) -> None:
    with imitated_secret_service(bus, dismissed=True) as calls:
        answer = helper.get(SERVER)
    assert (answer.code, answer.out) == (1, b"the prompt to unlock the keyring was dismissed\n")
    assert calls[-1] == "Prompt"


def test_no_prompt_without_a_display(helper: Helper, bus: str) -> None:
    headless = Helper(helper.executable, {**helper.env, "WAYLAND_DISPLAY": ""})
    with imitated_secret_service(bus, dismissed=False) as calls:
        assert headless.get(SERVER).code == 1
    assert "Prompt" not in calls
