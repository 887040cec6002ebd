"""What a profile of the AWS configuration uses beyond its own text: processes, token files, sessions."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

LEADING = ("credential_process", "web_identity_token_file", "sso_", "login_session")
"""What the names of such keys begin with, in lower case."""

_FOLLOWED = ("source_profile", "sso_session")


def leading(texts: "Iterable[str]", named: list[str]) -> list[tuple[str, str]]:
    """Return the keys, with their values, that name something else, in a profile or in those that it names.

    Read as botocore reads them (configloader.py): keys in any letter case, ``=`` or ``:`` behind them,
    sections ``[NAME]``, ``[profile NAME]`` and ``[sso-session NAME]``; what the files say of one profile
    counts together.

    Args:
        texts: The configuration and the credentials.
        named: The profiles in use.
    """
    sections: dict[str, list[tuple[str, str]]] = {}
    for text in texts:
        section: list[tuple[str, str]] = []
        for line in text.splitlines():
            stripped = line.strip()
            if stripped.startswith("["):
                header = stripped[1:].partition("]")[0].split(None, 1)
                name = header[-1].strip().strip("\"'") if header else ""
                section = sections.setdefault(name, [])
            elif stripped and stripped[0] not in "#;":
                key, value = _split(stripped)
                section.append((key, value))
    found = []
    wanted = list(named)
    for name in wanted:  # grows while it is walked
        for key, value in sections.get(name, ()):
            if key in _FOLLOWED and value not in wanted:
                wanted.append(value)
            if key.startswith(LEADING):
                found.append((key, value))
    return found


def _split(line: str) -> tuple[str, str]:
    places = [place for place in (line.find("="), line.find(":")) if place >= 0]
    end = min(places, default=len(line))
    return line[:end].strip().lower(), line[end + 1 :].strip()
