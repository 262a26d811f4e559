"""Which label-free measure orders retrievers as real questions do?

    python -m benchmarks.label_free_measure --work FOLDER --minilm FOLDER --wordllama FOLDER

``FOLDER`` holds a workspace for each corpus (``spider prepare``, ``spider mine
span_filter=released``, ``spider prepare-questions``, ``spider train`` with few and with many steps
for the ``static`` systems); vectors and hits are kept there, so a second run takes seconds.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.label_free_measure import vectors
from benchmarks.label_free_measure.agreement import leave_one_out, significant_pairs, tau
from benchmarks.label_free_measure.candidates import CANDIDATES, make_queries
from benchmarks.label_free_measure.student import fit_student
from benchmarks.label_free_measure.systems import Encode, Systems
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.corpus.corpus import Corpus
from spider.question import QuestionSet, load_question_set
from spider.spans.span_store import SpanStore

STATIC = {"static_untrained": "static0", "static_short": "static20", "static_long": "static60"}
SETS = {
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
MOST_QUESTIONS = 2_500
QUERIES = 1_000
STUDENT_SAMPLE = 5_000


def open_systems(folder: Path, corpus: Corpus, minilm: Path, wordllama: Path) -> Systems:
    """Make or read the vectors of every dense system of a corpus."""
    dense: dict[str, tuple[np.ndarray, Encode]] = {}
    for name, artifact in STATIC.items():
        if (folder / artifact / "manifest.json").exists():
            path = folder / f"{name}.npy"
            dense[name] = vectors.static_vectors(folder / artifact, corpus, path)
    plain = {"wordllama": vectors.wordllama(wordllama), "pieces": vectors.word_pieces(minilm)}
    for name, bag in plain.items():
        dense[name] = (vectors.encode_corpus(bag, corpus, folder / f"{name}.npy"), bag)
    transformers = {"minilm": {}, "one_layer": {"layers": 1}}
    transformers |= {
        name: {"weights": folder / f"{name}.pt"}
        for name in ("adapted", "interpolated")
        if (folder / f"{name}.pt").exists()
    }
    for name, options in transformers.items():
        if (folder / f"{name}.npy").exists():
            model = vectors.Transformer(minilm, **options)
            dense[name] = (np.load(folder / f"{name}.npy"), model)
    teacher = vectors.Transformer(minilm)
    path = folder / "student.npy"
    if not path.exists():
        texts, targets = _sample(folder, corpus, teacher)
        vectors.encode_corpus(fit_student(teacher, texts, targets), corpus, path)
    dense["student"] = (np.load(path), teacher)
    return Systems(corpus, dense)


def _sample(
    folder: Path, corpus: Corpus, teacher: vectors.Transformer
) -> tuple[list[str], np.ndarray]:
    """Return a sample of passages, with the teacher's vectors."""
    size = min(STUDENT_SAMPLE, len(corpus) // 4)
    places = np.random.default_rng(0).permutation(len(corpus))[:size].tolist()
    titled = zip(corpus.titles(places), corpus.texts(places), strict=True)
    texts = [f"{title} {text}" for title, text in titled]
    path = folder / "sample.npy"
    if not path.exists():
        np.save(path, teacher(texts).astype(np.float16))
    return texts, np.load(path)[:size]


def read_questions(folder: Path, names: tuple[str, ...]) -> QuestionSet:
    """Read question sets as one, at most ``MOST_QUESTIONS`` of them."""
    sets = [load_question_set(folder / name) for name in names]
    questions = [question for one in sets for question in one.questions]
    kept = np.sort(np.random.default_rng(0).permutation(len(questions))[:MOST_QUESTIONS])
    return replace(sets[0], questions=tuple(questions[int(place)] for place in kept))


class Table:
    """The hits of the systems of one corpus, kept in its folder by question set."""

    def __init__(self, folder: Path, open_them: object):
        self.folder = folder / "hits"
        self._open = open_them
        self._systems: Systems | None = None

    def hits(self, name: str, read: object) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Return the systems' names, their hits, and the clusters of the questions."""
        path = self.folder / f"{name}.npz"
        if not path.exists():
            self.folder.mkdir(exist_ok=True)
            self._systems = self._systems or self._open()  # type: ignore[operator]
            questions = read()  # type: ignore[operator]
            sources = [one.cluster or one.id for one in questions.questions]
            clusters = np.unique(sources, return_inverse=True)[1]
            hits = self._systems.hits(questions)
            np.savez(path, names=self._systems.names, hits=hits, clusters=clusters)
            print(f"{self.folder.parent.name} {name}: {hits.shape}", flush=True)
        stored = np.load(path)
        return stored["names"].tolist(), stored["hits"], stored["clusters"]


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
    values: dict[str, object] = {}
    for name in arguments.corpora:
        folder = arguments.work / name
        corpus = Corpus.open(folder / "corpus")
        spans = SpanStore.open(folder / "spans")
        table = Table(
            folder, lambda: open_systems(folder, corpus, arguments.minilm, arguments.wordllama)
        )
        measured = {
            candidate: table.hits(
                candidate, lambda: make_queries(transform, corpus, spans, queries=QUERIES)
            )[1].mean(axis=1)
            for candidate, transform in CANDIDATES.items()
        }
        for question_set, parts in SETS[name].items():
            names, hits, clusters = table.hits(question_set, lambda: read_questions(folder, parts))
            pairs = significant_pairs(hits, clusters)
            for candidate in CANDIDATES:
                taus[candidate][question_set] = tau(measured[candidate], pairs)
            values[question_set] = {
                "questions": hits.shape[1],
                "significant_pairs": len(pairs),
                "pairs": len(names) * (len(names) - 1) // 2,
                "top_20": dict(zip(names, hits.mean(axis=1).round(4).tolist(), strict=True)),
                "measures": {
                    one: dict(zip(names, found.round(4).tolist(), strict=True))
                    for one, found in measured.items()
                },
            }
    results = {
        "tau": taus,
        "left_out": {
            name: {"chosen": chosen, "tau": found}
            for name, (chosen, found) in leave_one_out(taus).items()
        },
        "sets": values,
        "arguments": arguments.corpora,
        "provenance": provenance(),
    }
    write_json(arguments.output, results)
    for candidate, row in taus.items():
        print(f"{candidate:40}", *(f"{value:6.2f}" for value in row.values()))
    print(results["left_out"])


if __name__ == "__main__":
    main()
