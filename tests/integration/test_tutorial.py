"""The sequence of docs/tutorial/your-own-folder.md, on a folder of a few notes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import open_artifact
from spider_odqa import Retriever

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "your-own-folder.md"
NOTES = {
    "minutes/march.md": "# Meeting in March\n\nThe pontoon was repaired. Ines holds the key.",
    "rules.md": "# Rules\n\nA boat is booked in the calendar. Nobody sails alone after dusk.",
    "winter.txt": "The lift takes boats out of the water in the last week of October.",
}


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a user's folder with ``notes`` in it."""
    club = tmp_path_factory.mktemp("the club's folder")
    for name, text in NOTES.items():
        (club / "notes" / name).parent.mkdir(parents=True, exist_ok=True)
        (club / "notes" / name).write_text(text, encoding="utf-8")
    return club


@pytest.fixture(scope="module")
def built(club: Path, run: Any) -> Any:
    """Return what the first ``spider quickstart notes`` said."""
    done = run("quickstart", "notes", "start=static", cwd=club)
    assert done.code == 0, done.err
    return done


def workspace(club: Path) -> Path:
    """Return the one workspace that the folder has."""
    (place,) = (path for path in (club / "spider-work").iterdir() if path.is_dir())
    return place


def test_the_tutorial_has_the_commands_that_are_tested_here() -> None:
    commands = re.findall(r"^\$ (.*)$", TUTORIAL.read_text(encoding="utf-8"), re.M)
    verbs = {line.split()[1] for line in commands if line.startswith("spider ")}
    assert verbs == {"doctor", "quickstart", "search"}
    assert 'spider search "Why did the engine stall?" k=1' in commands
    assert commands.count("spider quickstart examples/boat-club") == 2


def test_doctor_has_one_line_for_each_part(club: Path, run: Any) -> None:
    done = run("doctor", cwd=club)
    assert done.code == 0, done.err
    lines = [line.split(maxsplit=2) for line in done.out.splitlines() if not line.startswith(" ")]
    assert {level for level, *_ in lines} <= {"ok", "warn"}
    parts = [part for _, part, _ in lines]
    assert parts == [
        "python", "torch", "faiss", "lucene", "formats", "cores", "memory", "disk"
    ]  # fmt: skip


def test_few_short_notes_get_bm25_and_are_told_so(built: Any, club: Path) -> None:
    assert "Search matches words alone (BM25)." in built.out
    assert "Encoder: none, since 0 repeated phrases are too few to train one" in built.out
    assert "There is too little text to judge how well this works." in built.out
    assert f"Everything is in {workspace(club).relative_to(club)}. To ask a question:" in built.out
    assert {path.name for path in workspace(club).iterdir()} == {
        "corpus",
        "spans",
        "choice",
        "index",
    }
    assert open_artifact(workspace(club) / "corpus").counts["documents"] == 3
    stages = re.findall(r"\[(\d+)/(\d+)\]", built.err)
    assert [int(number) for number, _ in stages] == [1, 2, 3, 12]
    assert {total for _, total in stages} == {"14"}
    assert "skipped" not in built.err
    # tables are for --verbose
    assert "Recurring spans" not in built.out


def test_a_question_finds_its_passage_in_the_last_workspace(
    built: Any, club: Path, run: Any
) -> None:
    done = run("search", "Who holds the key?", "k=1", cwd=club)
    assert done.code == 0, done.err
    asked, title, facts, *text = done.out.splitlines()
    assert asked == "Who holds the key?"
    assert title == " 1  Meeting in March"
    assert re.match(
        r"^    notes/minutes/march.md:1  \[minutes/march.md#0\]  score [\d.]+  bm25 100%$", facts
    )
    assert any("Ines holds the key." in row for row in text)


def test_the_prompt_answers_each_question_and_ends_with_the_input(
    built: Any, club: Path, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "typed").write_text("When does the lift work?\nMay one sail alone?\n")
    done = run("search", "k=1", cwd=club, stdin=str(tmp_path / "typed"))
    assert done.code == 0, done.err
    assert re.findall(r"\[(\S+)#0\]", done.out) == ["winter.txt", "rules.md"]


def test_the_api_opens_the_same_workspace(built: Any, club: Path) -> None:
    with Retriever.open(workspace(club)) as retriever:
        assert retriever.systems == ("bm25",)
        (hit,) = retriever.search("Who holds the key?", k=1)
        assert (hit.source, hit.title) == ("minutes/march.md", "Meeting in March")


def test_every_artifact_has_a_manifest_that_says_how_it_was_made(built: Any, club: Path) -> None:
    for name, verb in (("corpus", "prepare"), ("spans", "mine"), ("index", "build")):
        manifest = json.loads((workspace(club) / name / "manifest.json").read_text("utf-8"))
        assert manifest["verb"] == verb
        assert manifest["kind"] == name
        on_disk = {
            path.relative_to(workspace(club) / name).as_posix(): path.stat().st_size
            for path in (workspace(club) / name).rglob("*")
            if path.is_file() and path.name != "manifest.json"
        }
        assert {name: entry["size"] for name, entry in manifest["files"].items()} == on_disk
        assert all(parent["content_hash"] for parent in manifest["inputs"].values())
        assert str(club) not in json.dumps(manifest["config"])


def test_a_changed_folder_is_read_again_and_nothing_else(built: Any, club: Path, run: Any) -> None:
    unchanged = run("quickstart", "notes", "start=static", "--verbose", cwd=club)
    assert unchanged.err.count("is up to date") == 4
    (club / "notes" / "new.md").write_text("# Regatta\n\nThe regatta starts at the red buoy.")
    (club / "notes" / "winter.txt").unlink()
    rules = club / "notes" / "rules.md"
    rules.write_text(rules.read_text().replace("calendar", "logbook"))
    again = run("quickstart", "notes", "start=static", cwd=club)
    assert again.code == 0, again.err
    assert "1 file unchanged, 1 changed, 1 added, 1 deleted" in again.err
    assert "[new.md#0]" in run("search", "Where does the regatta start?", "k=1", cwd=club).out
    assert "[rules.md#0]" in run("search", "logbook", cwd=club).out
    assert "winter" not in run("search", "lift boats water October", cwd=club).out
