"""Every verb, in order, through the console entry point, as children, on a generated folder."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import Artifact, open_artifact
from spider.corpus.corpus import Corpus

# each test starts the console script several times
pytestmark = pytest.mark.slow

CONSOLE_SCRIPT = "import sys; from spider.cli import main; sys.exit(main())"
OVERLAY = """
defaults:
  - own_files
  - _self_
stages:
  write_an_untrained_encoder_to_compare_with:
    verb: train
    settings:
      training.steps: 0
      output: ${workspace}/untrained-encoder
      architecture.dimension: 16
      batch_size: 32
    keep_despite: corpus
    output: untrained-encoder
  train_an_encoder_from_scratch:
    settings:
      training.minutes: null
      training.steps: 3
      batch_size: 32
      architecture.dimension: 16
  index_vectors_and_words:
    settings: {sparse: bm25s}
"""
MADE = [
    "corpus", "spans", "choice", "untrained-encoder", "encoder", "embeddings", "index",
    "heldout-run", "heldout-report",
]  # fmt: skip
EDITED, DELETED, ADDED = "note-03.md", "note-04.md", "note-99.md"
NEW_WORD = "zymurgy"

Spider = Callable[..., subprocess.CompletedProcess[str]]
WriteNote = Callable[..., None]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, write_note: WriteNote) -> Path:
    """Return a folder with the user's notes, whose name needs quoting, and a pipeline overlay."""
    home = tmp_path_factory.mktemp("it's [a] home, {x}=~")
    (home / "my notes").mkdir()
    for number in range(24):
        write_note(home / "my notes" / f"note-{number:02d}.md", seed=number)
    (home / "conf" / "pipeline").mkdir(parents=True)
    (home / "conf" / "pipeline" / "small.yaml").write_text(OVERLAY, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def spider(home: Path) -> Spider:
    """Return the console script, run in the user's folder."""
    root = str(Path(__file__).parents[2])

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-c", CONSOLE_SCRIPT, *words],
            cwd=home,
            env={**os.environ, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done

    return run


def quickstart(spider: Spider, *words: str) -> str:
    done = spider(
        "quickstart", "my notes", "--config-dir", "conf", "pipeline@own_files=small",
        "--workspace", "w", "--start", "static", "--verbose", *words,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def artifacts(home: Path) -> dict[str, Artifact]:
    return {name: open_artifact(home / "w" / name) for name in MADE if (home / "w" / name).exists()}


def hashes(home: Path) -> dict[str, str]:
    return {name: artifact.content_hash for name, artifact in artifacts(home).items()}


@pytest.fixture(scope="module")
def first(home: Path, spider: Spider) -> str:
    """Return the log of the first run."""
    return quickstart(spider)


@pytest.fixture(scope="module")
def after_edit(
    first: str, home: Path, spider: Spider, write_note: WriteNote
) -> tuple[dict[str, str], str]:
    """Return the hashes before an edit, and the log of the run after it."""
    before = hashes(home)
    edited = home / "my notes" / EDITED
    edited.write_text(f"{NEW_WORD} {edited.read_text(encoding='utf-8')}", encoding="utf-8")
    (home / "my notes" / DELETED).unlink()
    write_note(home / "my notes" / ADDED, seed=99)
    return before, quickstart(spider)


def test_first_run_makes_a_chain_of_artifacts(first: str, home: Path) -> None:
    made = artifacts(home)
    assert "crop and title pairs are added" in first
    report = (home / "w" / "heldout-report" / "report.md").read_text(encoding="utf-8")
    assert "crop and title pairs are added" in report
    assert 50 <= made["spans"].counts["training_pairs"] < 500
    parents = {(name, parent) for name in made for parent in made[name].manifest["inputs"]}
    assert {("spans", "corpus"), ("encoder", "spans"), ("embeddings", "encoder")} <= parents
    assert {("index", "embeddings"), ("heldout-run", "index"), ("heldout-report", "run-1")} <= (
        parents
    )
    for name, parent in parents:
        opened = made[name].parent(parent)
        assert made[name].parent_hash(parent) == opened.content_hash
    assert set(made["heldout-report"].details["systems"]) >= {"bm25", "dense", "hybrid"}


@pytest.mark.untraced
def test_second_run_finds_all_up_to_date(first: str, home: Path, spider: Spider) -> None:
    before = {name: artifact.manifest for name, artifact in artifacts(home).items()}
    log = quickstart(spider)
    assert log.count("is up to date") == len(MADE)
    assert {name: artifact.manifest for name, artifact in artifacts(home).items()} == before


@pytest.mark.untraced
def test_edit_changes_only_what_it_must(after_edit: tuple[dict[str, str], str], home: Path) -> None:
    before, log = after_edit
    assert "22 files unchanged, 1 changed, 1 added, 1 deleted" in log
    assert "encoder kept, though corpus changed since; retrain=true" in log
    after = hashes(home)
    changed = {name for name, now in after.items() if now != before[name]}
    # the choice is made again, and is the same
    assert changed == {"corpus", "spans", "embeddings", "index"}
    assert_no_stale_measure(home, log)
    counts = open_artifact(home / "w" / "embeddings").counts
    assert 0 < counts["encoded"] <= passages_of(home, EDITED) + passages_of(home, ADDED)
    assert counts["reused"] == counts["passages"] - counts["encoded"]


def assert_no_stale_measure(home: Path, log: str) -> None:
    for name in ("heldout-run", "heldout-report"):
        assert not (home / "w" / name).exists()
        assert f"removed w/{name}, which was about earlier documents" in log


def passages_of(home: Path, document: str) -> int:
    corpus = Corpus.open(home / "w" / "corpus")
    (number,) = (n for n in range(corpus.n_documents) if corpus.document_id(n) == document)
    return len(corpus.document_passages(number))


@pytest.mark.untraced
def test_search_finds_the_new_text_and_no_more_than_there_is(
    after_edit: tuple[dict[str, str], str], spider: Spider
) -> None:
    done = spider("search", NEW_WORD, "k=1", "systems=[bm25]")
    assert done.returncode == 0, done.stderr
    assert f"[{EDITED}#0]" in done.stdout
    everything = spider("search", NEW_WORD, "k=100000")
    assert everything.returncode == 0, everything.stderr
    assert DELETED not in everything.stdout


@pytest.mark.untraced
def test_other_encoder_is_refused_with_both_hashes(first: str, home: Path, spider: Spider) -> None:
    done = spider("search", "x", "--encoder", "w/untrained-encoder")
    made = artifacts(home)
    assert done.returncode == 5
    assert done.stderr.count("\n") == 1
    for name in ("encoder", "untrained-encoder"):
        assert made[name].content_hash in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["quickstart", "nowhere"], 3, "nowhere: no such folder"),
        (["train", "--workspace", "w", "--output", "e", "batch_size=0"], 2, "batch_size: got 0"),
        (["search", "x", "kk=3"], 2, "did you mean k?"),
        (["search", "x", "--workspace", "elsewhere"], 5, "spider build writes it"),
    ],
)
def test_bad_input_is_one_line_and_a_code(
    first: str, spider: Spider, words: list[str], code: int, said: str
) -> None:
    done = spider(*words)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.untraced
def test_notes_too_short_to_train_on_end_with_words_alone(home: Path, spider: Spider) -> None:
    (home / "short").mkdir()
    for name, text in {"a": "Buy milk.", "b": "The cat is Momo.", "c": "It rained."}.items():
        (home / "short" / f"{name}.txt").write_text(text, encoding="utf-8")
    done = spider("quickstart", "short", "--workspace", "s", "--start", "static")
    assert done.returncode == 0, done.stderr
    assert "Encoder: none, since 0 repeated phrases are too few to train one" in done.stdout
    assert "There is too little text to judge how well this works.\n" in done.stdout
    manifest: dict[str, Any] = json.loads((home / "s" / "index" / "manifest.json").read_text())
    assert manifest["details"]["dense"] is None
    assert "[b.txt#0]" in spider("search", "Momo?", "--workspace", "s").stdout
