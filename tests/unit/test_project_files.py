"""What stands beside the code has the form that its readers, people and programs, expect."""

import configparser
import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
_KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
_FORMS = sorted(ROOT.glob(".github/ISSUE_TEMPLATE/[!c]*.yml"))
_RECIPES = re.findall(
    r"^([a-z]+):.*## (.+)\n\t@(\S+) \$\(ARGS\)$", (ROOT / "Makefile").read_text(), re.MULTILINE
)


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def test_changelog_keeps_the_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.*)$", text, re.MULTILINE)

    assert "(https://keepachangelog.com/" in text.partition("\n## ")[0]
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    for section in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.*)$", section, re.MULTILINE)
        assert "\n- " not in section.partition("\n### ")[0], "an entry stands below a kind"
        assert set(kinds) <= set(_KINDS)
        assert len(kinds) == len(set(kinds))
        for entries in re.split(r"^### .*$", section, flags=re.MULTILINE)[1:]:
            assert all(line.startswith(("- ", "  ")) for line in entries.splitlines() if line)


def test_make_has_the_targets() -> None:
    assert {target for target, _, _ in _RECIPES} == {
        "install", "test", "unit", "gallery", "lint", "bench", "fuzz", "docs", "packages"
    }  # fmt: skip


@pytest.mark.parametrize("script", [script for _, _, script in _RECIPES])
def test_each_target_is_a_script_with_help(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    if script not in (
        "scripts/test.sh",
        "scripts/unit.sh",
        "scripts/gallery.sh",
    ):  # which pass their arguments to pytest
        shown = subprocess.check_output([ROOT / script, "--help"], text=True, timeout=60)
        assert shown.lower().startswith("usage: ")


def test_workflow_runs_the_script_on_each_python() -> None:
    workflow = load(".github/workflows/ci.yml")
    job = workflow["jobs"]["test"]
    steps = job["steps"]
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]

    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    rows = job["strategy"]["matrix"]["include"]
    assert [row["python"] for row in rows] == ["3.11", "3.12", "3.13", "3.14"]
    assert all("bookworm" in row["image"] for row in rows)
    assert supported == ">=3.11"
    assert steps[-1]["run"] == ".ci/run"
    for step in steps:
        assert "uses" not in step or re.fullmatch(r"[\w/-]+@v\d+\.\d+\.\d+", step["uses"])


def test_commit_hooks_download_nothing() -> None:
    repositories = load(".pre-commit-config.yaml")["repos"]

    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = repositories[0]["hooks"]
    assert {hook["id"] for hook in hooks} == {"ruff-check", "ruff-format", "mypy", "shellcheck"}
    assert {hook["language"] for hook in hooks} == {"system"}


@pytest.mark.parametrize("form", _FORMS, ids=lambda form: form.stem)
def test_issue_form_is_one_that_github_takes(form: Path) -> None:
    content = load(str(form))
    fields = [field for field in content["body"] if field["type"] != "markdown"]

    assert content.keys() >= {"name", "description", "body"}
    assert len({field["id"] for field in fields}) == len(fields) > 0
    for field in fields:
        assert field["type"] in ("input", "textarea", "dropdown", "checkboxes")
        assert field["attributes"]["label"]
        assert field["type"] != "dropdown" or all(isinstance(o, str) for o in field["attributes"]["options"])
    assert any(field.get("validations", {}).get("required") for field in fields)
    assert "ecret" in form.read_text(), "it says to leave secrets out"


def test_bug_form_asks_for_what_is_needed() -> None:
    body = load(".github/ISSUE_TEMPLATE/bug.yml")["body"]
    required = {field["id"] for field in body if field.get("validations", {}).get("required")}

    assert {"what", "version", "client", "doctor"} <= required
    assert "credhelpers doctor --json" in str(body)
    assert "Remove secrets" in body[0]["attributes"]["value"]


def test_editors_and_ruff_agree() -> None:
    parser = configparser.ConfigParser()
    parser.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]

    assert parser["top"]["root"] == "true"
    assert parser.getint("*.py", "max_line_length") == ruff["line-length"]
    assert parser["Makefile"]["indent_style"] == "tab"
