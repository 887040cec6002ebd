"""HCL and JSON as Nomad's agents read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credhelpers.clients.hcl import Item, last_text, parse, values

AGENT = """
# plugin "docker" { config { auth { helper = "commented-out" } } }
// the same }
/* and { the
   same */
data_dir  = "/opt/nomad/data"  # behind a value
bind_addr = "{{ GetInterfaceIP \\"eth0\\" }}"
client {
  enabled = true
  servers = ["10.0.0.1:4647", "10.0.0.2",]
  meta { "a.b" = "}" }
  options = { "driver.raw_exec.enable" = "1" }
}
tls { ca_file = file("/etc/{ca}.pem") }
note = <<-EOT
    plugin "docker" { config {
    EOT
template = "${ upper("}") }"
plugin "docker" {
  config {
    allow_privileged = false
    auth {
      config = "/etc/docker/config.json"
      helper = "ecr-login"
    }
  }
}
"""


def test_an_agents_file() -> None:
    body = parse(AGENT)
    assert last_text(body, "plugin", "docker", "config", "auth", "helper") == "ecr-login"
    assert last_text(body, "plugin", "docker", "config", "auth", "config") == "/etc/docker/config.json"
    assert last_text(body, "client", "enabled") == "true"
    assert last_text(body, "client", "options", "driver.raw_exec.enable") == "1"
    assert list(values(body, "client", "servers")) == ["10.0.0.1:4647", "10.0.0.2"]
    assert last_text(body, "bind_addr") == '{{ GetInterfaceIP "eth0" }}'
    assert last_text(body, "client", "meta", "a.b") == "}"
    assert list(values(body, "tls", "ca_file")) == [None]
    assert last_text(body, "note").strip() == 'plugin "docker" { config {'


@pytest.mark.parametrize(
    "text",
    [
        'plugin "docker" { config { auth { helper = "x" } } }',
        '"plugin" "docker" { config { auth { helper = "x" } } }',
        'plugin docker { config = { auth = { "helper" = "x" } } }',
        'plugin { docker { config { auth { helper = "x", config = "y" } } } }',
        'plugin "docker" {\r\n config {\r\n auth {\r\n helper = "x"\r\n }\r\n }\r\n }\r\n',
        '{"plugin": {"docker": {"config": {"auth": {"helper": "x"}}}}}',
        '{"plugin": [{"docker": [{"config": [{"auth": [{"helper": "x"}]}]}]}]}',
        '\n {"plugin": [{"raw_exec": {}}, {"docker": {"config": {"auth": {"helper": "x"}}}}]}',
    ],
)
def test_every_form_of_a_block(text: str) -> None:
    assert last_text(parse(text), "plugin", "docker", "config", "auth", "helper") == "x"


def test_labels_that_are_left() -> None:
    (found,) = values(parse('plugin "a" {}\nplugin "b" { x = 1 }'), "plugin", "b")
    assert found == [Item(("x",), "1")]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('plugin "docker" {', "line 1: } is missing"),
        ("a = 1\nb = [1, 2", "line 2: ] is missing"),
        ("a =\n", "line 2: a value is missing"),
        ('a = "open\n', "line 1"),
        ("a\n", "behind a"),
        ("a = f(1", "not closed"),
        ("}", "the end of the file"),
        ("{", "line 1"),
        ("a = " + "[" * 200, "nested"),
    ],
)
def test_what_is_not_hcl(text: str, where: str) -> None:
    with pytest.raises(ValueError, match=where.replace("(", r"\(")):
        parse(text)


def test_deep_json_is_refused() -> None:
    with pytest.raises(ValueError, match="nested"):
        parse('{"a":' * 100_000)


@given(st.text(alphabet='a"={}[]()\\\n#/*<-E$:, .0', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        pass


@given(st.text(max_size=30))
def test_any_string_comes_back(secret: str) -> None:
    text = "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in secret)
    assert last_text(parse(f'a = "{text}"'), "a") == secret
