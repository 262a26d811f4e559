"""Is the weight that the measure chooses near the best one on real questions?

python -m benchmarks.label_free_measure.weights --work FOLDER --minilm FOLDER --wordllama FOLDER
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from benchmarks.label_free_measure.__main__ import (
    SETS,
    read_questions,
)
from benchmarks.label_free_measure.candidates import CANDIDATES, make_queries
from benchmarks.label_free_measure.open_systems import Places, open_systems
from benchmarks.label_free_measure.systems import BLOCK, DEPTH, Systems
from eval.matching.first_hits import HitFinder
from index.fusion.weight_choice import choose_weight
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.corpus.corpus import Corpus
from spider.question import QuestionSet
from spider.ranking import Hits
from spider.spans.span_store import SpanStore

CHECKED = ("minilm", "student", "static_short")
LIST = 1_000
GRID = (1.0, 3.0, 5.6, 10.0, 17.0, 30.0, 56.0, 100.0)
MEASURES = ("random_window", "vocabulary_mismatch, 0.3, half titled")


def lists(systems: Systems, name: str, questions: QuestionSet) -> dict[str, Hits]:
    """Return the best passages of BM25 and of a dense system."""
    texts = [one.text for one in questions.questions]
    excluded = HitFinder(questions, systems.corpus).excluded()
    depth = min(LIST, len(systems.corpus))
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {"bm25": [], "dense": []}
    for first in range(0, len(texts), BLOCK):
        block = texts[first : first + BLOCK]
        scores = {"bm25": systems.bm25_scores(block), "dense": systems.dense_scores(name, block)}
        for kind, of_kind in scores.items():
            for row, left_out in enumerate(excluded[first : first + BLOCK]):
                of_kind[row, left_out] = -torch.inf
            best = of_kind.topk(depth)
            found[kind].append((best.indices.numpy(), best.values.numpy()))
    return {
        kind: Hits(
            positions=np.concatenate([one for one, _ in parts]),
            scores=np.concatenate([one for _, one in parts]),
        )
        for kind, parts in found.items()
    }


def curve(systems: Systems, name: str, questions: QuestionSet) -> dict[float, float]:
    """Return the top-20 accuracy of the hybrid at each weight."""
    finder = HitFinder(questions, systems.corpus)
    texts = [one.text for one in questions.questions]
    hits: dict[float, list[np.ndarray]] = {weight: [] for weight in GRID}
    for first in range(0, len(texts), BLOCK):
        block = texts[first : first + BLOCK]
        bm25, dense = systems.bm25_scores(block), systems.dense_scores(name, block)
        for weight, parts in hits.items():
            parts.append(torch.add(bm25, dense, alpha=weight).topk(DEPTH).indices.numpy())
    return {
        weight: float(finder.relevance(np.concatenate(parts)).any(axis=1).mean())
        for weight, parts in hits.items()
    }


def main() -> None:
    """Choose weights with each measure, and compare with the best on questions."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--work", "--minilm", "--wordllama"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--corpora", nargs="*", default=list(SETS))
    parser.add_argument("--questions", type=int, default=1_000)
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks/results/label_free_weights.json")
    )
    arguments = parser.parse_args()
    rows: dict[str, object] = {}
    for name in arguments.corpora:
        folder = arguments.work / name
        corpus = Corpus.open(folder / "corpus")
        systems = open_systems(folder, corpus, Places(arguments.minilm, arguments.wordllama))
        for system in [one for one in CHECKED if one in systems.names]:
            chosen = {}
            for measure in MEASURES:
                made = make_queries(
                    CANDIDATES[measure], corpus, SpanStore.open(folder / "spans"), queries=400
                )
                relevant = [[corpus.position(p) for p in one.relevant] for one in made.questions]
                rankings = lists(systems, system, made)
                chosen[measure] = choose_weight(
                    rankings, {"dense": None, "bm25": 1.0}, relevant
                ).weight
            for question_set, parts in SETS[name].items():
                asked = read_questions(folder, parts, most=arguments.questions)
                top_20 = {f"{w:g}": round(v, 4) for w, v in curve(systems, system, asked).items()}
                rows[f"{question_set}: {system}"] = {"chosen": chosen, "top_20": top_20}
                print(question_set, system, chosen, top_20, flush=True)
    write_json(arguments.output, {"rows": rows, "provenance": provenance()})


if __name__ == "__main__":
    main()
