"""What a stranger expects of a repository: how to cite it, its checks, its pins, its targets."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

#: the papers whose methods the code implements, by their numbers on arXiv
PAPERS = {"2112.07708", "2403.19887", "2408.12570", "2205.00445", "2107.01641"}


@pytest.fixture
def targets(root: Path) -> dict[str, str]:
    """Return each target of the Makefile with its line and its recipe."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    return {
        match[1]: match[0]
        for match in re.finditer(r"^([a-z-]+):[^\n]*\n(?:[\t#][^\n]*\n)*", text, re.MULTILINE)
    }


def test_citation_names_the_software_and_the_papers(root: Path, project: dict[str, Any]) -> None:
    cited = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert cited["message"]
    assert cited["title"].startswith(project["project"]["name"])
    assert cited["authors"]
    assert str(cited["version"]) == project["project"]["version"]
    assert cited["license"] == project["project"]["license"]
    numbers = set()
    for paper in cited["references"]:
        assert {"type", "title", "authors", "year"} <= set(paper), paper["title"]
        for identifier in paper["identifiers"]:
            kind, _, number = identifier["value"].partition(":")
            assert kind == "arXiv"
            numbers.add(number)
            submitted = 2000 + int(number[:2])
            assert submitted <= paper["year"] <= submitted + 1, paper["title"]
    assert numbers == PAPERS


def test_changelog_names_this_version(root: Path, project: dict[str, Any]) -> None:
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in text or f"## {project['project']['version']}" in text


def test_every_check_is_one_target(root: Path, targets: dict[str, str]) -> None:
    parts = set(targets["check"].splitlines()[0].partition("##")[0].split()[1:])
    assert parts == {"lint", "types", "imports", "deps", "test"}
    ci = (root / ".ci" / "run").read_text(encoding="utf-8")
    words = {word for line in re.findall(r"(?m)^make (.+)$", ci) for word in line.split()}
    assert {word for word in words if not word.startswith("--")} == parts | {"docs"}
    commit = yaml.safe_load((root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (hook,) = commit["repos"][0]["hooks"]
    assert hook["entry"] == "make lint types imports"


def test_workflow_runs_the_checks_on_every_python(root: Path, project: dict[str, Any]) -> None:
    workflow = yaml.safe_load((root / ".github" / "workflows" / "check.yml").read_text("utf-8"))
    job = workflow["jobs"]["check"]
    declared = re.findall(r"Python :: (3\.\d+)", "\n".join(project["project"]["classifiers"]))
    assert job["strategy"]["matrix"]["python"] == declared
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert any(command.startswith("make check") for command in commands)


def test_clean_keeps_workspaces(targets: dict[str, str]) -> None:
    recipe = targets["clean"].partition("\n")[2]
    assert "rm -rf" in recipe
    assert "spider-work" not in recipe


def test_tools_of_development_are_pinned(root: Path, project: dict[str, Any]) -> None:
    def plain(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {plain(line.partition("==")[0]) for line in lines if "==" in line}
    extras = project["project"]["optional-dependencies"]
    for line in [*project["project"]["dependencies"], *extras["dev"]]:
        name = re.match(r"[\w.-]+", line)
        assert name is not None
        assert plain(name[0]) in pinned, f"constraints.txt: no line {name[0]}==VERSION"


def test_coverage_has_a_floor(project: dict[str, Any], targets: dict[str, str]) -> None:
    assert project["tool"]["coverage"]["report"]["fail_under"] >= 84
    assert "coverage run -m pytest" in targets["test"]
    assert "coverage report" in targets["test"]


def test_no_result_names_a_place_on_one_machine(root: Path) -> None:
    """Commands in results name data as DATA/…, so that a reader can repeat them."""
    results = sorted((root / "benchmarks" / "results").glob("*.json"))
    assert results
    for file in results:
        assert not re.search(r'[" =](/tmp|/work|/home|/root)/', file.read_text("utf-8")), file.name
