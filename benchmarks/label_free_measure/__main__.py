"""Which label-free measure orders retrievers as real questions do?

    python -m benchmarks.label_free_measure --work FOLDER --minilm FOLDER --wordllama FOLDER

``FOLDER`` holds a workspace for each corpus (``spider prepare``, ``spider mine
span_filter=released``, ``spider prepare-questions``, ``spider train`` with few and with many steps
for the ``static`` systems); vectors and hits are kept there, so a second run takes seconds.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from benchmarks.label_free_measure.agreement import leave_one_out, significant_pairs, tau
from benchmarks.label_free_measure.candidates import CANDIDATES, make_queries
from benchmarks.label_free_measure.open_systems import Places, open_systems
from benchmarks.label_free_measure.systems import Systems
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.corpus.corpus import Corpus
from spider.question import QuestionSet, load_question_set
from spider.spans.span_store import SpanStore

SETS: dict[str, dict[str, tuple[str, ...]]] = {
    "demo": {"demo questions": ("questions",)},
    "wikiq": {
        "NQ": ("questions-nq",),
        "TriviaQA": ("questions-triviaqa",),
        "WebQuestions": ("questions-webquestions", "questions-wqtrain"),
        "EntityQuestions": ("questions-entityquestions",),
        "CuratedTREC": ("questions-curatedtrec",),
    },
    "nfcorpus": {"NFCorpus": ("questions-train", "questions-dev", "questions-test")},
}
MOST_QUESTIONS = 2_000
QUERIES = 500


class Measured:
    """The hits of the systems of one corpus, kept in its folder by question set.

    Args:
        folder: the workspace of the corpus.
        places: where the pretrained weights are.
    """

    def __init__(self, folder: Path, places: Places):
        self.folder = folder
        self.places = places
        self.corpus = Corpus.open(folder / "corpus")
        self.spans = SpanStore.open(folder / "spans")

    @cached_property
    def systems(self) -> Systems:
        """The systems whose vectors are there."""
        return open_systems(self.folder, self.corpus, self.places)

    def candidate(self, name: str) -> np.ndarray:
        """Return the value of a candidate for each system."""
        transform = CANDIDATES[name]
        make = lambda: make_queries(transform, self.corpus, self.spans, queries=QUERIES)  # noqa: E731
        values: np.ndarray = self._hits(name, make)[1].mean(axis=1)
        return values

    def questions(
        self, name: str, parts: tuple[str, ...]
    ) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Return the systems' names, their hits on questions, and the clusters of these."""
        return self._hits(name, lambda: read_questions(self.folder, parts))

    def _hits(
        self, name: str, read: Callable[[], QuestionSet]
    ) -> tuple[list[str], np.ndarray, np.ndarray]:
        path = self.folder / "hits" / f"{name}.npz"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            questions = read()
            sources = [one.cluster or one.id for one in questions.questions]
            clusters = np.unique(sources, return_inverse=True)[1]
            hits = self.systems.hits(questions)
            np.savez(path, names=self.systems.names, hits=hits, clusters=clusters)
            print(f"{self.folder.name} {name}: {hits.shape}", flush=True)
        stored = np.load(path)
        return stored["names"].tolist(), stored["hits"], stored["clusters"]


def read_questions(folder: Path, names: tuple[str, ...], most: int = MOST_QUESTIONS) -> QuestionSet:
    """Read question sets as one, at most ``most`` of them."""
    sets = [load_question_set(folder / name) for name in names]
    questions = [question for one in sets for question in one.questions]
    kept = np.sort(np.random.default_rng(0).permutation(len(questions))[:most])
    return replace(sets[0], questions=tuple(questions[int(place)] for place in kept))


def main() -> None:
    """Measure every corpus that is there, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minilm", type=Path, required=True)
    parser.add_argument("--wordllama", type=Path, required=True)
    parser.add_argument("--corpora", nargs="*", default=list(SETS))
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks/results/label_free_measure.json")
    )
    arguments = parser.parse_args()
    taus: dict[str, dict[str, float]] = {name: {} for name in CANDIDATES}
    sets: dict[str, object] = {}
    for name in arguments.corpora:
        corpus = Measured(arguments.work / name, Places(arguments.minilm, arguments.wordllama))
        values = {candidate: corpus.candidate(candidate) for candidate in CANDIDATES}
        for question_set, parts in SETS[name].items():
            names, hits, clusters = corpus.questions(question_set, parts)
            pairs = significant_pairs(hits, clusters)
            for candidate in CANDIDATES:
                taus[candidate][question_set] = round(tau(values[candidate], pairs), 4)
            by_name = {one: dict(zip(names, found.round(4).tolist(), strict=True))
                       for one, found in values.items()}  # fmt: skip
            sets[question_set] = {
                "passages": len(corpus.corpus),
                "questions": hits.shape[1],
                "significant_pairs": len(pairs),
                "pairs": len(names) * (len(names) - 1) // 2,
                "top_20": dict(zip(names, hits.mean(axis=1).round(4).tolist(), strict=True)),
                "measures": by_name,
            }
    left_out = {
        name: {"chosen": chosen, "tau": found}
        for name, (chosen, found) in leave_one_out(taus).items()
    }
    results = {"tau": taus, "left_out": left_out, "sets": sets, "provenance": provenance()}
    write_json(arguments.output, results)
    for candidate, row in taus.items():
        print(f"{candidate:40}", *(f"{value:6.2f}" for value in row.values()))
    for name, found in left_out.items():
        print(f"{name}: {found['chosen']}, {found['tau']:.2f}")


if __name__ == "__main__":
    main()
