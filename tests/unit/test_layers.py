"""What may know of what: docs/architecture.md lists the rooms, and this holds the imports against it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "credhelpers"
_ROW = re.compile(
    r"^\| (?P<room>[\w ]+) \| (?P<files>[^|]+) \| [^|]+ \|\s*(?P<below>[^|]*?)\s*\|$", re.MULTILINE
)


_OTHER = "other stores"
"""The room of every folder of stores/ that no row names, so that a new store needs no row of its own."""


def _modules() -> dict[str, Path]:
    """Return every file of the package by the name of its module."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


MODULES = _modules()


def _imports(path: Path) -> set[str]:
    """Return the modules that a file imports, wherever in it, for its annotations too."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else str(node.module))
    return found


IMPORTS = {name: _imports(path) for name, path in MODULES.items()}


def _room_of() -> dict[str, str]:
    """Return the room of each module, as the table of docs/architecture.md has it."""
    found: dict[str, str] = {}
    for room, files, _ in _rows():
        for name in re.findall(r"`([^`]+)`", files):
            place = PACKAGE / name
            inside = place.rglob("*.py") if name.endswith("/") else [place]
            for path in inside:
                module = next(key for key, value in MODULES.items() if value == path)
                assert module not in found, f"{name} stands in two rooms"
                found[module] = room
    others = {
        module
        for module, path in MODULES.items()
        if path.is_relative_to(PACKAGE / "stores") and module not in found
    }
    return found | dict.fromkeys(others, _OTHER)


def _rows() -> list[tuple[str, str, set[str]]]:
    page = (ROOT / "docs/architecture.md").read_text()
    return [
        (row["room"], row["files"], set(filter(None, row["below"].split(", "))))
        for row in _ROW.finditer(page)
        if row["room"] != "room"
    ]


def test_every_file_has_a_room() -> None:
    homeless = set(MODULES) - set(_room_of()) - {"credhelpers"}  # the version, which anybody may know

    assert homeless == set()


@pytest.mark.parametrize(("room", "below"), [(room, below) for room, _, below in _rows()])
def test_the_picture_is_true(room: str, below: set[str]) -> None:
    rooms = _room_of()
    known = {
        rooms[target]
        for module, targets in IMPORTS.items()
        if rooms.get(module) == room
        for target in targets
        if target in rooms
    }

    assert (_OTHER in known - {room}) <= (_OTHER in below)
    if room == _OTHER:
        assert known - {room} <= below
    else:
        assert known - {room, _OTHER} == below - {_OTHER}


def test_other_stores_do_not_know_each_other() -> None:
    def folder(module: str) -> str:
        return MODULES[module].relative_to(PACKAGE / "stores").parts[0]

    others = {module for module, room in _room_of().items() if room == _OTHER}
    known = {(folder(one), folder(other)) for one in others for other in IMPORTS[one] & others}

    assert {pair for pair in known if len(set(pair)) > 1} == set()


def test_imports_go_down_only() -> None:
    order = [room for room, _, _ in _rows()]
    for room, _, below in _rows():
        assert below <= set(order[order.index(room) + 1 :]), room


def test_there_is_no_circle() -> None:
    """Take away, again and again, what imports nothing that is left; a circle is what stays."""
    left = {name: targets & set(MODULES) - {name} for name, targets in IMPORTS.items()}
    while True:
        leaves = {name for name, targets in left.items() if not targets}
        if not leaves:
            break
        left = {name: targets - leaves for name, targets in left.items() if name not in leaves}

    assert left == {}


def test_commands_share_by_the_shared_folder_only() -> None:
    """A file of `cli/<command>` imports, of `cli/`, its own folder and `cli/shared/` only."""
    foreign = {
        f"{module} -> {target}"
        for module, targets in IMPORTS.items()
        for target in targets
        if module.startswith("credhelpers.cli.")
        and target.startswith("credhelpers.cli.")
        and target.split(".")[2] not in (module.split(".")[2], "shared")
    }

    assert foreign == set()


def _importers(prefix: str) -> set[str]:
    """Return the files that import something, from the top of the package."""
    return {
        str(MODULES[module].relative_to(PACKAGE))
        for module, targets in IMPORTS.items()
        if any((target + ".").startswith(prefix + ".") for target in targets)
    }


def _outside(files: set[str], *allowed: str) -> set[str]:
    return {file for file in files if not file.startswith(allowed)}


@pytest.mark.parametrize(
    ("library", "users"),
    [
        ("botocore", ("stores/ecr/", "cli/")),
        ("boto3", ("cli/",)),
        ("keyring", ("stores/os_keyring/",)),
        ("jeepney", ("stores/os_keyring/",)),
        ("gnupg", ("cli/shared/",)),
        ("click", ("cli/",)),
        ("rich", ("cli/",)),
        ("yaml", ("cli/doctor/clients/",)),
        ("urllib3", ("cli/shared/connection.py", "cli/shared/registry.py", "stores/ecr/")),
    ],
)
def test_each_library_is_known_where_it_is_needed(library: str, users: tuple[str, ...]) -> None:
    assert _outside(_importers(library), *users) == set()


def test_only_its_commands_know_the_emulator() -> None:
    users = _importers("credhelpers.emulator")
    assert _outside(users, "emulator/") == {"cli/demo.py", "cli/emulator.py"}


def test_the_token_engine_knows_no_cloud() -> None:
    """Nor any word of one: what is an issuer's is an argument."""
    for path in (PACKAGE / "stores/tokens").glob("*.py"):
        words = re.findall(r"(?i)aws|amazon|ecr\b|boto", path.read_text())
        assert words == [], path


def _reads_process_environment(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("environ", "environb", "getenv", "putenv")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("os", "posix")
        for node in ast.walk(ast.parse(path.read_text()))
    )


def test_the_passed_environment_counts() -> None:
    """Only the ways in read the process's own. Two libraries know no other, and get the passed one by it."""
    libraries = ("stores/ecr/chain.py", "stores/os_keyring/backend.py")
    readers = {
        str(path.relative_to(PACKAGE)) for path in MODULES.values() if _reads_process_environment(path)
    }

    assert _outside(readers, "executables.py", "cli/", *libraries) == set()
