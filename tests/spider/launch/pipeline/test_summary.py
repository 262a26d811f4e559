"""What a person reads after a quickstart."""

import json
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import Artifact
from spider.artifacts.records.choice import ChoiceRecord
from spider.artifacts.records.index import EncoderReference, IndexRecord
from spider.artifacts.stage import Stage
from spider.launch.pipeline.summary import (
    OUTDATED,
    TOO_LITTLE,
    describe_choice,
    describe_documents,
    describe_index,
    describe_measures,
)


def make(
    path: Path, kind: str, inputs: dict[str, Artifact], details: Any = None, **config: int
) -> Artifact:
    counts = {"documents": 1, "passages": 1200, "skipped_image": 2, "training_pairs": 70}
    stage = Stage(verb="v", kind=kind, output=path, config=config, inputs=inputs, overwrite=True)
    with stage.writing():
        return stage.finish(counts=counts, details=details)


def workspace(
    folder: Path, *, dense: bool = True, kept: bool = False, student: bool = False
) -> Path:
    corpus = make(folder / "corpus", "corpus", {})
    spans = make(folder / "spans", "spans", {"corpus": corpus})
    inputs = {"corpus": corpus}
    # a student reads no spans
    read = {"corpus": corpus} if student else {"spans": spans}
    if dense:
        encoder = make(folder / "encoder", "encoder", read)
        inputs["embeddings"] = make(folder / "embeddings", "embeddings", {"encoder": encoder})
    record = IndexRecord(
        passages=3,
        encoder=EncoderReference(content_hash="a", variant="static") if dense else None,
        dense={"variant": "exact"} if dense else None,
        sparse={"variant": "bm25s"},
        fusion=None,
    )
    make(folder / "index", "index", inputs, record)
    if kept:
        make(folder / "spans", "spans", {}, edit=1)
        make(folder / "corpus", "corpus", {}, edit=1)
    return folder


def report(folder: Path, name: str, *, clusters: int = 7, difference: float = 0.004) -> None:
    values = {"bm25": 0.6, "dense": 0.5, "hybrid": 0.604}
    (folder / name).mkdir()
    (folder / name / "manifest.json").write_text("{}")
    found = {
        "question_set": {"clusters": clusters},
        "systems": {
            system: {f"top_{k}": {"value": value} for k in (1, 5, 20)}
            for system, value in values.items()
        },
        "comparisons": [
            {
                "system": "hybrid",
                "reference": "bm25",
                "measure": "top_20",
                "difference": difference,
                "distinguishable": abs(difference) > 0.01,
            }
        ],
    }
    (folder / name / "report.json").write_text(json.dumps(found))


def test_what_was_read_is_counted_with_what_was_not(tmp_path: Path) -> None:
    workspace(tmp_path)
    assert describe_documents(tmp_path) == "Read: 1 document, 1,200 passages; left out: 2 files."


def choose(folder: Path) -> None:
    record = ChoiceRecord(architecture="bert", start="x", adapts=True, reason="x, adapted")
    make(folder / "choice", "choice", {}, record)


def test_how_it_searches_and_with_which_encoder(tmp_path: Path) -> None:
    dense = workspace(tmp_path / "a")
    choose(dense)
    assert describe_index(dense) == "Search matches words (BM25) and meaning."
    assert describe_choice(dense) == "Encoder: x, adapted."
    words = workspace(tmp_path / "b", dense=False)
    assert describe_index(words) == "Search matches words alone (BM25)."


@pytest.mark.parametrize("student", [False, True])
def test_an_encoder_that_was_kept_is_not_described_by_the_present_choice(
    student: bool, tmp_path: Path
) -> None:
    kept = workspace(tmp_path, kept=True, student=student)
    choose(kept)
    assert "meaning, which was learnt from them before they changed" in describe_index(kept)
    assert describe_choice(kept) == ""


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (0.004, "first 20, about as many as with words alone."),
        (0.054, "first 20, 5 more than with words alone."),
        (-0.02, "first 20, 2 fewer than with words alone."),
    ],
)
def test_how_well_it_works_is_one_sentence_and_a_table(
    difference: float, said: str, tmp_path: Path
) -> None:
    report(workspace(tmp_path), "heldout-report", difference=difference)
    found = describe_measures(tmp_path)
    assert found.sentence.startswith("For 60 of 100 test questions about parts that training did")
    assert found.sentence.endswith(said)
    assert found.rows[0] == ["words alone (BM25)", "60", "60", "60"]
    assert [row[0].split()[0] for row in found.rows] == ["words", "meaning", "both"]


def test_questions_of_people_count_more_than_those_of_phrases(tmp_path: Path) -> None:
    workspace(tmp_path)
    report(tmp_path, "heldout-report", clusters=3)
    report(tmp_path, "questions-report")
    assert describe_measures(tmp_path).sentence.startswith("For 60 of 100 questions a right")


def test_too_little_to_judge_is_all_that_is_said(tmp_path: Path) -> None:
    workspace(tmp_path)
    assert describe_measures(tmp_path) == (TOO_LITTLE, [])
    report(tmp_path, "heldout-report", clusters=6)
    assert describe_measures(tmp_path) == (TOO_LITTLE, [])


def test_a_kept_encoder_was_not_measured(tmp_path: Path) -> None:
    assert describe_measures(workspace(tmp_path, kept=True)) == (OUTDATED, [])
