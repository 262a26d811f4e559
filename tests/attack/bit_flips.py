"""Flips bits in the files of a workspace, and looks whether other data is served for it.

Each flip is read twice: as the program does it, and as it does files above its limit of small
files, whose digests only ``spider verify`` compares. A child process reads, since native code may
crash on damaged files that nothing has compared.
"""

import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from eval.reports.retrieval.runs import load_runs
from index.embeddings.embeddings import Embeddings
from index.engines.opening import open_index
from jamba_reader.checkpoints.stored import Checkpoint
from spider.array_file import load_array
from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder import file_table
from spider.corpus.corpus import Corpus
from spider.encoders.loading import load_encoder
from spider.errors import SpiderError
from spider.health.artifacts import verify
from spider.question import load_question_set
from spider.reading import read_json
from spider.spans.clusters import ARRAYS
from spider.spans.span_store import SpanStore

ASKED = ["silt and gold", "ba de fi", "kumolo tarina"]
FOUND, HARMLESS, SERVED, UNTYPED, CRASHED = "found", "harmless", "served", "untyped", "crashed"


def _corpus(path: Path) -> Iterator[object]:
    corpus = Corpus.open(path)
    for number in range(corpus.n_documents):
        document = corpus.document(number)
        yield document
        yield corpus.find_document(document.id)
    for position in range(len(corpus)):
        passage = corpus.passage(position)
        yield passage
        yield corpus.position(passage.id)
    yield corpus.passage_hashes.tobytes()


def _spans(path: Path) -> Iterator[object]:
    spans = SpanStore.open(path)
    for name in ARRAYS:
        yield getattr(spans, name).tobytes()
    yield spans.split.parts.tobytes()
    yield from (spans.heldout(name) for name in ("validation", "test"))


def _encoder(path: Path) -> Iterator[object]:
    yield load_encoder(path).encode_questions(ASKED).tobytes()


def _embeddings(path: Path) -> Iterator[object]:
    embeddings = Embeddings.open(path)
    yield embeddings.take(np.arange(len(embeddings))).tobytes()
    yield embeddings.passage_hashes().tobytes()


def _index(path: Path) -> Iterator[object]:
    with open_index(path) as index:
        for system in index.engine.systems:
            yield index.passages(ASKED, 20, system=system)


def _questions(path: Path) -> Iterator[object]:
    open_artifact(path)
    yield load_question_set(path)


def _run(path: Path) -> Iterator[object]:
    runs = load_runs([open_artifact(path)], Corpus.open(path.parent / "corpus"), [])
    yield runs.question_set
    yield from (hits.positions.tobytes() + hits.scores.tobytes() for hits in runs.hits.values())


def _report(path: Path) -> Iterator[object]:
    open_artifact(path)
    yield read_json(path / "report.json")
    yield load_array(path / "first_hits.npy").tobytes()


def _model(path: Path) -> Iterator[object]:
    checkpoint = Checkpoint(path)
    yield checkpoint.config
    yield from (checkpoint.read(name).numpy().tobytes() for name in checkpoint.specs)


#: how the data of each artifact is read
READERS: dict[str, Callable[[Path], Iterator[object]]] = {
    "corpus": _corpus, "spans": _spans, "encoder": _encoder, "embeddings": _embeddings,
    "index": _index, "questions": _questions, "run": _run, "report": _report,
    "language-model": _model, "reader": _model,
}  # fmt: skip


def served(path: Path) -> str:
    """Return the digest of what is read from an artifact."""
    digest = hashlib.blake2b(digest_size=16)
    for part in READERS[path.name](path):
        digest.update(part if isinstance(part, bytes) else repr(part).encode("utf-8", "replace"))
    return digest.hexdigest()


def choose(made: Path, count: int, rng: random.Random) -> list[tuple[str, int]]:
    """Choose flips: every file gets its share, and no file none; return file and bit."""
    files = [file for file in sorted(made.rglob("*")) if file.is_file() and file.stat().st_size]
    chosen = [files[number % len(files)] for number in range(max(count, len(files)))]
    return [
        (str(file.relative_to(made)), rng.randrange(8 * file.stat().st_size)) for file in chosen
    ]


def flip(file: Path, bit: int) -> None:
    """Flip one bit; a second call mends it."""
    with file.open("r+b") as opened:
        opened.seek(bit // 8)
        byte = opened.read(1)[0] ^ 1 << bit % 8
        opened.seek(bit // 8)
        opened.write(bytes([byte]))


def judge(path: Path, expected: str) -> str:
    """Return what came of reading an artifact."""
    try:
        got = served(path)
    except SpiderError as error:
        return FOUND if "\n" not in str(error) else UNTYPED
    except Exception as error:
        sys.stderr.write(f"{path}: {error!r}\n")
        return UNTYPED
    return HARMLESS if got == expected else SERVED


def flips(made: Path, count: int, rng: random.Random, scratch: Path) -> dict[str, Any]:
    """Flip bits all over a workspace, and return what was found where."""
    chosen = choose(made, count, rng)
    work = Path(shutil.copytree(made, scratch))
    shipped = _children(work, chosen, file_table.SMALL)
    unchecked = _children(work, chosen, -1)
    alone: Counter[str] = Counter()
    figures: Counter[str] = Counter(dict.fromkeys(("silent", "untyped", "verified"), 0))
    for (file, bit), now, large in zip(chosen, shipped, unchecked, strict=True):
        figures["flips"] += 1
        figures[f"{now} on opening"] += 1
        figures["untyped"] += now in (UNTYPED, CRASHED)
        flip(work / file, bit)
        seen = bool(verify(work / file.split("/", maxsplit=1)[0]).damage)
        flip(work / file, bit)
        figures["verified"] += seen
        figures["silent"] += now == SERVED and not seen
        if large not in (FOUND, HARMLESS):
            alone[f"{_kind(file)}: {large}"] += 1
        if not seen and now != HARMLESS and now != FOUND:
            _say(f"not found: {file} bit {bit}: {now}")
    return {**figures, "if every file were above the limit": dict(sorted(alone.items()))}


def _kind(file: str) -> str:
    """Return the artifact and the kind of file, without numbers of shards and names of systems."""
    artifact, _, name = file.partition("/")
    return f"{artifact}/{name.rpartition('/')[2]}"


def _children(work: Path, chosen: list[tuple[str, int]], small: int) -> list[str]:
    """Judge every flip in child processes; one that dies counts as a crash of its flip."""
    outcomes: list[str] = []
    while len(outcomes) < len(chosen):
        request = json.dumps([str(work), chosen[len(outcomes) :], small])
        done = subprocess.run(
            [sys.executable, __file__], input=request, capture_output=True, text=True, check=False
        )
        outcomes += done.stdout.split()
        if done.returncode:
            file, bit = chosen[len(outcomes)]
            _say(f"crash: {file} bit {bit}: {done.stderr[-300:]}")
            # what the dead child flipped
            flip(work / file, bit)
            outcomes.append(CRASHED)
    return outcomes


def main() -> None:
    """Judge the flips of a request, one word for each on standard output."""
    work, chosen, small = json.loads(sys.stdin.read())
    file_table.SMALL = small
    expected: dict[str, str] = {}
    for file, bit in chosen:
        path = Path(work) / file.split("/", maxsplit=1)[0]
        if path.name not in expected:
            expected[path.name] = served(path)
        flip(Path(work) / file, bit)
        outcome = judge(path, expected[path.name])
        flip(Path(work) / file, bit)
        sys.stdout.write(f"{outcome}\n")
        sys.stdout.flush()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
