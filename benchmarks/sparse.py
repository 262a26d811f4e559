"""Build rate and time per question of the sparse engines, on a JSON-lines corpus.

    python benchmarks/sparse.py CORPUS.jsonl.xz --questions QUESTIONS.tsv

Questions are the first column of a tab-separated file; 200 of them are asked one by one, then all
as one batch.
"""

import argparse
import csv
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from index.sparse import bm25s_index, lucene
from index.sparse.contract import SparseIndex, load_made_with
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.corpus.splitting import WordSplitter
from spider.sources.jsonl import JsonLines

DEPTH = 1_000
WARM_UP = 50


class Passages:
    """The passages of a corpus, in memory."""

    def __init__(self, path: Path):
        self.pairs: list[tuple[str, str]] = []
        splitter = WordSplitter()
        for document in JsonLines(path=str(path)).documents():
            for bounds in splitter.split(document).passages or ():
                self.pairs.append((document.title, document.text[bounds.start : bounds.end]))

    def __len__(self) -> int:
        """Count the passages."""
        return len(self.pairs)

    def titles(self, positions: range) -> list[str]:
        """Return titles."""
        return [self.pairs[position][0] for position in positions]

    def texts(self, positions: range) -> list[str]:
        """Return texts."""
        return [self.pairs[position][1] for position in positions]


def measure(index: SparseIndex, questions: list[str]) -> dict[str, Any]:
    """Time single questions and one batch."""
    for question in questions[-WARM_UP:]:
        index.search([question], DEPTH)
    times = []
    for question in questions[:200]:
        start = time.perf_counter()
        index.search([question], DEPTH)
        times.append(1_000 * (time.perf_counter() - start))
    start = time.perf_counter()
    index.search(questions, DEPTH)
    batch = time.perf_counter() - start
    p50, p95 = np.percentile(times, [50, 95])
    return {
        "depth": DEPTH,
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "batch_questions_per_second": round(len(questions) / batch, 1),
    }


def main() -> None:
    """Measure both engines and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/sparse.json"))
    arguments = parser.parse_args()
    with arguments.questions.open(encoding="utf-8", newline="") as file:
        questions = [row[0] for row in csv.reader(file, delimiter="\t")][:400]
    corpus = Passages(arguments.corpus)
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        engines = (
            (lucene.Lucene(analyzer="anserini"), lucene),
            (bm25s_index.Bm25s(analyzer="anserini"), bm25s_index),
        )
        for engine, module in engines:
            folder = Path(scratch) / engine.variant
            start = time.perf_counter()
            details = engine.build(corpus, folder)
            seconds = time.perf_counter() - start
            size = sum(file.stat().st_size for file in folder.iterdir())
            index = module.load(folder, details)
            results[engine.variant] = {
                "passages_per_second": round(len(corpus) / seconds),
                "megabytes": round(size / 1e6, 1),
                **measure(index, questions),
                "details": details,
                "made_with": load_made_with(folder),
            }
            index.close()
            print(engine.variant, json.dumps(results[engine.variant]))
    report = {
        "passages": len(corpus),
        "questions": len(questions),
        "results": results,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "arguments": [arguments.corpus.name, arguments.questions.name],
        "provenance": provenance(),
    }
    write_json(arguments.output, report)


if __name__ == "__main__":
    main()
