"""What a quickstart says at the end, in plain words, to a person who owns documents."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.manifest import MANIFEST
from spider.artifacts.records.choice import ChoiceRecord
from spider.artifacts.records.index import IndexRecord
from spider.errors import ArtifactError
from spider.printable import counted
from spider.reading import read_json_object

ENOUGH_SOURCES = 7
"""Documents or sections that questions were made from. Those of one document succeed or fail
together, and with six no paired test of two systems can reach 5 %: its smallest p is 2 · 2 / 2⁶."""
TOO_LITTLE = "There is too little text to judge how well this works."
DEPTHS = (1, 5, 20)
ROWS = {
    "bm25": "words alone (BM25)",
    "dense": "meaning alone (dense)",
    "hybrid": "both together (hybrid)",
    "untrained/dense": "meaning, untrained",
    "untrained": "meaning, untrained",
    "static-dense": "meaning, learnt from scratch",
    "static-hybrid": "both, learnt from scratch",
    "untouched-dense": "meaning, as published",
    "untouched-hybrid": "both, as published",
    "student-dense": "meaning, by its student",
    "student-hybrid": "both, by its student",
}

OUTDATED = (
    "How well it works was not measured, since your documents changed after the training; "
    "retrain=true trains and measures again."
)
QUESTIONS = {
    "questions-report": "questions",
    "heldout-report": "test questions about parts that training did not see,",
}
"""Reports, the most natural questions first, and what their questions are called."""


class Measured(NamedTuple):
    """A report in plain words.

    Attributes:
        sentence: what was found.
        rows: for each system, in how many of 100 questions a right passage is among the first k.
    """

    sentence: str
    rows: list[list[str]]


def describe_documents(workspace: Path) -> str:
    """Return how much was read, and how much was not."""
    counts = open_artifact(workspace / "corpus", kind="corpus").counts
    skipped = sum(number for name, number in counts.items() if name.startswith("skipped_"))
    read = f"{counted(counts['documents'], 'document')}, {counted(counts['passages'], 'passage')}"
    return f"Read: {read}" + (f"; left out: {counted(skipped, 'file')}." if skipped else ".")


def describe_index(workspace: Path) -> str:
    """Return how the documents are searched."""
    index = open_artifact(workspace / "index", kind="index")
    if IndexRecord.from_manifest(index).dense is None:
        return "Search matches words alone (BM25)."
    kept = ", which was learnt from them before they changed" if _trained_earlier(workspace) else ""
    return f"Search matches words (BM25) and meaning{kept}."


def describe_choice(workspace: Path) -> str:
    """Return which encoder is used and why; "" where an earlier one was kept."""
    choice = open_artifact(workspace / "choice", kind="choice")
    kept = _trained_earlier(workspace)
    return "" if kept else f"Encoder: {ChoiceRecord.from_manifest(choice).reason}."


def describe_measures(workspace: Path) -> Measured:
    """Return how well the index finds passages, by the report on the most natural questions."""
    found = [name for name in QUESTIONS if (workspace / name / MANIFEST).is_file()]
    if not found:
        return Measured(OUTDATED if _trained_earlier(workspace) else TOO_LITTLE, [])
    report = read_json_object(workspace / found[0] / "report.json", error=ArtifactError)
    if report["question_set"]["clusters"] < ENOUGH_SOURCES or "hybrid" not in report["systems"]:
        return Measured(TOO_LITTLE, [])
    rows = [
        [ROWS.get(system, system), *(f"{100 * cells[f'top_{k}']['value']:.0f}" for k in DEPTHS)]
        for system, cells in report["systems"].items()
    ]
    best = report["systems"]["hybrid"]["top_20"]["value"]
    sentence = (
        f"For {100 * best:.0f} of 100 {QUESTIONS[found[0]]} a right passage is among the first 20"
        f"{_against_words(report)}."
    )
    return Measured(sentence, rows)


def _trained_earlier(workspace: Path) -> bool:
    """Return whether the encoder was kept when the documents changed."""
    index = open_artifact(workspace / "index", kind="index")
    if IndexRecord.from_manifest(index).dense is None:
        return False
    trained = index.parent("embeddings").parent("encoder")
    # a student is fitted to passages and reads no spans
    read = "spans" if "spans" in trained.manifest["inputs"] else "corpus"
    now = open_artifact(workspace / read, kind=read)
    return trained.parent_hash(read) != now.content_hash


def _against_words(report: Mapping[str, Any]) -> str:
    for comparison in report["comparisons"]:
        systems = (comparison["system"], comparison["reference"], comparison["measure"])
        if systems == ("hybrid", "bm25", "top_20"):
            if not comparison["distinguishable"]:
                return ", about as many as with words alone"
            more = "more" if comparison["difference"] > 0 else "fewer"
            points = max(1, round(abs(100 * comparison["difference"])))
            return f", {points} {more} than with words alone"
    return ""
