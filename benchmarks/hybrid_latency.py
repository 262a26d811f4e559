"""Measures the time of one hybrid question in a warm process.

    python -m benchmarks.hybrid_latency WORKSPACE [--questions FOLDER] [--output FILE]

WORKSPACE holds ``index/``, ``corpus/`` and ``encoder/``; the questions are the held-out test
queries of ``spans/`` by default. Each question is searched alone, with encoder, both retrievers to
k' = 1,000 and fusion. Twenty questions warm the caches first.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from index.engines.hybrid import HybridRetriever
from index.engines.opening import OpenIndex, open_index
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.question import load_question_set

WARM_UP = 20
SHOWN = 100
RESULTS = Path(__file__).parent / "results"


def measure(index: OpenIndex, questions: list[str]) -> dict[str, Any]:
    """Return milliseconds a question: of the whole, and of its parts one by one."""
    retriever = index.engine
    if not isinstance(retriever, HybridRetriever) or retriever.fusion is None:
        raise SystemExit("this index has no hybrid")
    depths = retriever.fusion.depths
    parts: dict[str, Callable[[str], object]] = {
        "hybrid": lambda text: retriever.search_with_shares([text], SHOWN),
        "dense_with_encoding": lambda text: retriever.search_each(
            [text], {"dense": depths["dense"]}
        ),
        "bm25": lambda text: retriever.search_each([text], {"bm25": depths["bm25"]}),
    }
    found = {}
    for name, search in parts.items():
        for text in questions[:WARM_UP]:
            search(text)
        seconds = []
        for text in questions:
            started = time.perf_counter()
            search(text)
            seconds.append(time.perf_counter() - started)
        milliseconds = np.array(seconds) * 1e3
        found[name] = {
            "p50_ms": round(float(np.percentile(milliseconds, 50)), 2),
            "p95_ms": round(float(np.percentile(milliseconds, 95)), 2),
        }
    return found


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--questions", type=Path, help="folder of a question set")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--output", type=Path, default=RESULTS / "hybrid_latency.json")
    arguments = parser.parse_args()
    workspace: Path = arguments.workspace
    folder = arguments.questions or workspace / "spans" / "heldout" / "test"
    texts = [question.text for question in load_question_set(folder).questions]
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(texts))[: arguments.count]
    questions = [texts[place] for place in chosen.tolist()]
    index = open_index(workspace / "index", corpus=workspace / "corpus")
    result = {
        "benchmark": "hybrid_latency",
        "questions": len(questions),
        "passages": len(index.corpus),
        "index": {name: index.artifact.details[name] for name in ("dense", "sparse", "encoder")},
        "fusion": index.artifact.details["fusion"],
        **measure(index, questions),
        **provenance(),
    }
    index.close()
    print(json.dumps(result, indent=2))
    write_json(arguments.output, result)


if __name__ == "__main__":
    main()
