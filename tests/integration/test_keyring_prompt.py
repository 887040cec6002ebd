"""A prompt that is answered; gnome-keyring needs a desktop for its prompt, so a stand-in shows it here."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, message_bus, new_method_return, new_signal
from jeepney.io.blocking import DBusConnection, open_dbus_connection, unwrap_msg

from tests.support.client import Helper
from tests.support.keyring import private_bus
from tests.support.operator import Operator

SERVER = "registry.example"
ITEM, PROMPT, SESSION = "/org/example/item", "/org/example/prompt", "/org/example/session"
COLLECTION, NOTHING = "/org/example/collection", "/"
ATTRIBUTES = {"server": SERVER, "username": "alice", "docker_cli": "1"}

# The signature and the body of the reply to a method, or a function from the call's body to these.
Reply = tuple[str, tuple[Any, ...]]
Replies = Mapping[str, Reply | Callable[[tuple[Any, ...]], Reply]]

# What a `get` of a locked item calls.
REPLIES: Replies = {
    "OpenSession": ("vo", (("s", ""), SESSION)),
    "SearchItems": ("aoao", ([], [ITEM])),
    "Unlock": ("aoo", ([], PROMPT)),
    "Prompt": ("", ()),
    "Get": ("v", (("a{ss}", ATTRIBUTES),)),
    "GetSecret": ("(oayays)", ((SESSION, b"", b"s3cret", "text/plain"),)),
}


def without_collection(calls: list[str]) -> Replies:
    """Return the replies of a keyring that has no collection before its prompt, and then keeps one item.

    Args:
        calls: The calls that were made.
    """
    kept: list[tuple[Any, ...]] = []

    def create(body: tuple[Any, ...]) -> Reply:
        kept.append(body)
        return "oo", (ITEM, NOTHING)

    def delete(_: tuple[Any, ...]) -> Reply:
        kept.clear()
        return "o", (NOTHING,)

    def get(body: tuple[Any, ...]) -> Reply:
        locked = ("b", False)
        return "v", (
            locked if body[1] == "Locked" else kept[-1][0]["org.freedesktop.Secret.Item.Attributes"],
        )

    return {
        "OpenSession": REPLIES["OpenSession"],
        "ReadAlias": lambda _: ("o", (COLLECTION if "Prompt" in calls else NOTHING,)),
        "CreateCollection": ("oo", (NOTHING, PROMPT)),
        "Prompt": ("", ()),
        "Get": get,
        "CreateItem": create,
        "SearchItems": lambda _: ("aoao", ([ITEM] if kept else [], [])),
        "GetSecret": lambda _: ("(oayays)", ((SESSION, b"", kept[-1][1][2], "text/plain"),)),
        "Delete": delete,
    }


@contextmanager
def imitated_secret_service(
    address: str,
    *,
    dismissed: bool,
    replies: Callable[[list[str]], Replies] = lambda _: REPLIES,
    result: tuple[str, Any] = ("ao", [ITEM]),
) -> Iterator[list[str]]:
    """Imitate a keyring whose prompt is answered or dismissed at once; yield the calls made.

    Args:
        address: The bus.
        dismissed: Whether the prompt is dismissed.
        replies: Returns the replies, from the calls made; by default those for one locked item.
        result: What the prompt leads to.
    """
    calls: list[str] = []
    known = replies(calls)
    stop = Event()

    def serve(connection: DBusConnection) -> None:
        while not stop.is_set():
            try:
                message = connection.receive(timeout=0.1)
            except TimeoutError:
                continue
            member = message.header.fields.get(HeaderFields.member)
            if member not in known:
                continue
            calls.append(member)
            reply = known[member]
            signature, body = reply(message.body) if callable(reply) else reply
            connection.send(new_method_return(message, signature or None, body))
            if member == "Prompt":
                emitter = DBusAddress(PROMPT, interface="org.freedesktop.Secret.Prompt")
                connection.send(new_signal(emitter, "Completed", "bv", (dismissed, result)))

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


@pytest.fixture
def operator(installed: Path, helper: Helper) -> Operator:
    return Operator.at(installed, dict(helper.env))


def test_init_makes_a_collection_by_a_prompt(operator: Operator, bus: str) -> None:
    with imitated_secret_service(
        bus, dismissed=False, replies=without_collection, result=("o", COLLECTION)
    ) as calls:
        report = operator.succeed("init", "keyring", "--json").json()
    assert report == {"made_collection": True, "unlocked": False}
    assert calls[:4] == ["OpenSession", "ReadAlias", "CreateCollection", "Prompt"]
    assert {"CreateItem", "GetSecret", "Delete"} <= set(calls)


def test_init_is_told_of_a_dismissed_prompt(operator: Operator, bus: str) -> None:
    with imitated_secret_service(
        bus, dismissed=True, replies=without_collection, result=("o", NOTHING)
    ) as calls:
        cause, _ = operator.run("init", "keyring").complaint
    assert cause.endswith("the prompt to make the keyring's default collection was dismissed")
    assert "CreateItem" not in calls
