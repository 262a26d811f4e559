"""The parsers of artifacts: manifests, corpora, spans, encoders, embeddings, indexes, runs.

An attacker can make every checksum right. So each kind is attacked twice: as damaged, and with the
digests in the manifest made right after the damage.
"""

import atexit
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.attack.fuzz_run import Parser

#: bytes of the largest file that is damaged
DAMAGEABLE = 300_000
#: the folder of the chain of artifacts, made once for all child processes
PLACE = "SPIDER_FUZZ"
COMMANDS = (
    "prepare source=folder source.path=docs",
    "mine",
    "train training.steps=2",
    "embed",
    "build dense=exact sparse=bm25s",
    "prepare-questions question_set=jsonl question_set.path=q.jsonl question_set.name=q",
    "search questions=w/questions",
)


@cache
def chain() -> Path:
    """Return a workspace with one artifact of each kind, from 24 documents of invented words."""
    if PLACE not in os.environ:
        os.environ[PLACE] = tempfile.mkdtemp(prefix="spider-fuzz-")
        atexit.register(shutil.rmtree, os.environ[PLACE], ignore_errors=True)
    place = Path(os.environ[PLACE])
    if (place / "w" / "run" / "manifest.json").is_file():
        return place / "w"
    rng = random.Random(0)  # noqa: S311
    words = [
        "".join(rng.choices("bcdfglmnprstvaeiou", k=rng.choice((2, 4, 6)))) for _ in range(300)
    ]
    shared = [" ".join(rng.choices(words, k=12)) + "." for _ in range(40)]
    (place / "docs").mkdir(parents=True, exist_ok=True)
    for number in range(24):
        own = [" ".join(rng.choices(words, k=14)) + "." for _ in range(24)]
        text = rng.sample(own + rng.choices(shared, k=16), k=40)
        (place / "docs" / f"d{number}.txt").write_text(" ".join(text))
    asked = [{"question": text, "answer": text[:20]} for text in shared[:8]]
    (place / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    for command in COMMANDS:
        line = [sys.executable, "-P", "-c", "from spider.cli import main; main()"]
        subprocess.run(
            [*line, *command.split(), "workspace=w"], cwd=place, check=True, capture_output=True
        )
    return place / "w"


def files_of(*kinds: str) -> dict[str, bytes]:
    return {
        file.relative_to(chain()).as_posix(): file.read_bytes()
        for kind in kinds
        for file in sorted((chain() / kind).rglob("*"))
        if file.is_file()
    }


def sign(folder: Path) -> None:
    """Make the digests in a manifest those of the files, as far as it can be read."""
    from spider.artifacts.folder import file_table
    from spider.artifacts.folder.manifest import MANIFEST, seal

    if not (folder / MANIFEST).is_file() or (folder / MANIFEST).is_symlink():
        return
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        names = [name for name in manifest["files"] if (folder / name).is_file()]
        regular = [name for name in names if not (folder / name).is_symlink()]
        described = file_table.to_json(file_table.describe(folder, regular))
        manifest["files"] = {**manifest["files"], **described}
        (folder / MANIFEST).write_text(json.dumps(seal(manifest)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass


def attacked(kind: str, *others: str, read: Callable[[Path], object], share: float) -> list[Parser]:
    files = files_of(kind, *others)
    damaged = tuple(
        name
        for name, content in files.items()
        if name.startswith(f"{kind}/") and len(content) <= DAMAGEABLE
    )

    def signed(place: Path) -> None:
        sign(place / kind)
        read(place)

    return [
        Parser(kind, files, read, damaged=damaged, share=share / 4),
        Parser(f"{kind}_signed", files, signed, damaged=damaged, share=share),
    ]


def corpus() -> list[Parser]:
    from spider.corpus.corpus import Corpus

    def read(place: Path) -> None:
        found = Corpus.open(place / "corpus")
        for position in range(0, len(found), 7):
            found.passage(position)
        for number in range(0, found.n_documents, 5):
            found.document(number)
            found.document_passages(number)

    return attacked("corpus", read=read, share=0.5)


def spans() -> list[Parser]:
    from spider.spans.span_store import SpanStore

    def read(place: Path) -> None:
        found = SpanStore.open(place / "spans")
        for name in ("training", "validation", "test"):
            getattr(found.split, name, None)
        found.positions.sum()

    return attacked("spans", "corpus", read=read, share=0.1)


def questions() -> list[Parser]:
    from spider.artifacts.artifact import open_artifact
    from spider.artifacts.records.questions import QuestionsRecord
    from spider.question import load_question_set

    def read(place: Path) -> None:
        artifact = open_artifact(place / "questions", kind="questions")
        QuestionsRecord.from_manifest(artifact)
        load_question_set(place / "questions")

    return attacked("questions", read=read, share=1)


def embeddings() -> list[Parser]:
    from index.embeddings.embeddings import Embeddings

    def read(place: Path) -> None:
        found = Embeddings.open(place / "embeddings")
        for _, block in found.blocks():
            block.sum()
        found.passage_hashes()

    return attacked("embeddings", "corpus", "encoder", read=read, share=0.04)


def encoder() -> list[Parser]:
    from spider.encoders.loading import load_encoder

    def read(place: Path) -> None:
        load_encoder(place / "encoder").encode_questions(["what is it?"])

    return attacked("encoder", read=read, share=0.1)


def index() -> list[Parser]:
    from index.engines.opening import open_index

    def read(place: Path) -> None:
        with open_index(place / "index") as found:
            found.passages(["what is it?", ""], 3)

    return attacked("index", "corpus", "encoder", "embeddings", "spans", read=read, share=0.01)


def run() -> list[Parser]:
    from eval.reports.retrieval.evaluation import RetrievalEvaluation
    from eval.reports.retrieval.runs import load_runs
    from spider.artifacts.artifact import open_artifact
    from spider.corpus.corpus import Corpus

    def read(place: Path) -> None:
        opened = Corpus.open(place / "corpus")
        runs = load_runs([open_artifact(place / "run", kind="run")], opened, ())
        RetrievalEvaluation(runs, opened, (1, 5))

    return attacked("run", "corpus", "index", "questions", "encoder", read=read, share=0.03)


def training() -> list[Parser]:
    import torch

    from spider.training.metrics import MetricsLog, read_metrics
    from spider.training.training_checkpoint import (
        latest_checkpoint,
        load_checkpoint,
        save_checkpoint,
    )

    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    with tempfile.TemporaryDirectory() as made:
        save_checkpoint(
            Path(made), step=1, model=model, optimizer=optimizer, state={"a": {}}, keep=1
        )
        log = MetricsLog(Path(made), resume_step=0)
        log.write(1, "train", {"loss": 0.5})
        log.close()
        files = {
            file.relative_to(made).as_posix(): file.read_bytes()
            for file in Path(made).rglob("*")
            if file.is_file()
        }

    def read(place: Path) -> None:
        found = latest_checkpoint(place)
        if found is not None:
            load_checkpoint(found)
        read_metrics(place)

    return [Parser("training_checkpoint", files, read, share=0.1)]


@cache
def _made(make: Callable[[], list[Parser]]) -> dict[str, Parser]:
    return {parser.name: parser for parser in make()}


def _each(make: Callable[[], list[Parser]], *names: str) -> dict[str, Callable[[], Parser]]:
    return {name: (lambda name=name: _made(make)[name]) for name in names}


MAKERS: dict[str, Callable[[], Parser]] = {
    **_each(corpus, "corpus", "corpus_signed"),
    **_each(spans, "spans", "spans_signed"),
    **_each(questions, "questions", "questions_signed"),
    **_each(embeddings, "embeddings", "embeddings_signed"),
    **_each(encoder, "encoder", "encoder_signed"),
    **_each(index, "index", "index_signed"),
    **_each(run, "run", "run_signed"),
    **_each(training, "training_checkpoint"),
}
