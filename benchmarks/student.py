"""Quality of students against the number of passages that their teacher encodes.

    python -m benchmarks.student --teacher models/all-MiniLM-L6-v2 \
        --set demo=work/corpus,work/questions --sizes 500 1000 2000 5000

Each ``--set`` names a corpus artifact and the question artifacts that are asked of it. For each
size a table is fitted, all passages are encoded with it, and the questions are ranked by the table
alone and together with BM25. ``--whole`` ranks with the teacher's vectors of all passages too,
which takes as long as it says. Top-k accuracy has a 95 % interval over questions; a row's
``minus_bm25`` is the paired difference at the third k, with its interval.

The vectors of the teacher are kept in ``--work``, so that a second call does not encode again.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eval.matching.first_hits import HitFinder
from index.engines.exclusion import most_excluded
from index.fusion.weighted_sum import weighted_sum
from index.sparse.bm25s_index import Bm25s
from index.sparse.bm25s_index import load as load_bm25s
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance
from spider.corpus.corpus import Corpus
from spider.encoders.bert import BertSettings
from spider.encoders.distillation.distillation import STATE, Distillation, DistillationSettings
from spider.encoders.distillation.fit import FitSettings
from spider.encoders.distillation.teacher import Teacher, settle_teacher
from spider.encoders.distillation.teacher_vectors import TeacherVectors
from spider.encoders.encoding import EncodingSettings
from spider.encoders.table.inference import StaticEncoder
from spider.question import QuestionSet, load_question_set
from spider.ranking import Hits, pad_hits

DEPTH = 1000
TOP = (1, 5, 20, 100)
BLOCK = 256


class Asked(NamedTuple):
    """A question set with what does not depend on the student."""

    finder: HitFinder
    vectors: np.ndarray
    bm25: Hits


def rank(questions: np.ndarray, passages: np.ndarray) -> Hits:
    """Rank all passages by inner product."""
    depth = min(DEPTH, len(passages))
    rows = []
    for start in range(0, len(questions), BLOCK):
        for scores in questions[start : start + BLOCK] @ passages.T:
            some = np.argpartition(-scores, depth - 1)[:depth]
            order = np.lexsort((some, -scores[some]))
            rows.append((some[order], scores[some][order]))
    return pad_hits(rows, depth)


def interval(values: np.ndarray) -> list[float]:
    """Return mean and 95 % interval in percent, from the normal approximation."""
    mean, error = 100 * values.mean(), 196 * values.std() / np.sqrt(len(values))
    return [round(float(x), 2) for x in (mean, mean - error, mean + error)]


def hits_at(finder: HitFinder, hits: Hits) -> np.ndarray:
    """Return whether each question has a hit among the first k, for each k."""
    found = finder.relevance(hits.positions[:, : TOP[-1]])
    return np.stack([found[:, :k].any(axis=1) for k in TOP], axis=1)


def score(asked: Mapping[str, Asked], passages: np.ndarray, weight: float) -> dict[str, Any]:
    """Rank by the vectors alone and with BM25."""
    result: dict[str, Any] = {}
    for name, questions in asked.items():
        dense = rank(questions.vectors, passages)
        lists = {"dense": dense, "bm25": questions.bm25}
        fused = weighted_sum(lists, {"dense": weight, "bm25": 1.0}, depth=TOP[-1]).hits
        words = hits_at(questions.finder, questions.bm25).astype(float)
        result[name] = {}
        for system, hits in (("dense", dense), ("hybrid", fused)):
            found = hits_at(questions.finder, hits).astype(float)
            result[name][system] = {
                **{f"top_{k}": interval(found[:, n]) for n, k in enumerate(TOP)},
                "minus_bm25": interval(found[:, 2] - words[:, 2]),
            }
    return result


def ask(path: Path, corpus: Corpus, teacher: Teacher, bm25: Any, limit: int) -> Asked:
    """Prepare at most ``limit`` questions of a set."""
    asked: QuestionSet = load_question_set(path)
    if len(asked.questions) > limit:
        kept = np.random.default_rng(0).choice(len(asked.questions), limit, replace=False)
        asked = replace(asked, questions=tuple(asked.questions[i] for i in sorted(kept)))
    texts = [question.text for question in asked.questions]
    finder = HitFinder(asked, corpus)
    if most_excluded(finder.excluded()):
        raise SystemExit(f"{path}: questions with excluded passages are not supported here")
    return Asked(finder, teacher.encoder.encode_questions(texts), bm25.search(texts, DEPTH))


def measure(
    corpus: Corpus, paths: list[Path], teacher: Teacher, options: argparse.Namespace, work: Path
) -> dict[str, Any]:
    """Fit and score every size on one corpus."""
    with tempfile.TemporaryDirectory() as folder:
        details = Bm25s().build(corpus, Path(folder))
        bm25 = load_bm25s(Path(folder), details)
        asked = {path.name: ask(path, corpus, teacher, bm25, options.questions) for path in paths}
        bm25.close()
    rows: list[dict[str, Any]] = []
    everything = range(len(corpus))
    titles, texts = corpus.titles(everything), corpus.texts(everything)
    distillation = Distillation(corpus, teacher, work, seed=options.seed)
    fit = FitSettings(
        steps=options.steps, learning_rate=4e-3, weight_rate=1e-2, batch_size=options.batch_size
    )
    for size in [size for size in options.sizes if size <= len(distillation.choice.rest)]:
        # only the teacher's vectors stay: a fit of other settings would count as finished
        shutil.rmtree(work / STATE / "fit", ignore_errors=True)
        begun = time.perf_counter()
        fitted = distillation.run(DistillationSettings(sample=size, fit=fit))
        fit_seconds = time.perf_counter() - begun
        encoder = StaticEncoder(fitted.table.folded().numpy(), teacher.module.tokenizer)
        passages = encoder.encode_passages(titles, texts)
        rows.append(
            {
                "sample": size,
                "cosine": round(fitted.estimate.cosine, 4),
                "overlap_at_20": round(fitted.estimate.overlap, 4),
                "seconds_with_the_teacher": round(fit_seconds, 1),
                "sets": score(asked, passages, options.weight),
            }
        )
        print(rows[-1], flush=True)
    found: dict[str, Any] = {
        "passages": len(corpus),
        "corpus": corpus.artifact.content_hash,
        "bm25": {
            name: [interval(column) for column in hits_at(q.finder, q.bm25).astype(float).T]
            for name, q in asked.items()
        },
        "students": rows,
    }
    if options.whole:
        every = TeacherVectors(
            work / "every", corpus, np.arange(len(corpus)), teacher.encoder, label="encode all"
        ).first(len(corpus))
        found["teacher"] = score(asked, every, options.weight)
    return found


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--set", action="append", required=True, metavar="NAME=CORPUS,QUESTIONS…")
    sizes = [500, 1000, 2000, 5000, 10_000, 20_000]
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes)
    parser.add_argument("--questions", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--weight", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", default="bfloat16")
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/student.json"))
    options = parser.parse_args()
    results: dict[str, Any] = {
        "command": f"python -m benchmarks.student {shlex.join(sys.argv[1:])}",
        "made": provenance(),
        "top": list(TOP),
        "sets": {},
    }
    for entry in options.set:
        name, _, places = entry.partition("=")
        corpus_path, *questions = map(Path, places.split(","))
        work = options.work / name
        work.mkdir(parents=True, exist_ok=True)
        teacher = settle_teacher(
            BertSettings(start=options.teacher),
            work,
            device="cpu",
            encoding=EncodingSettings(precision=options.precision),
        )
        results["sets"][name] = measure(Corpus.open(corpus_path), questions, teacher, options, work)
        write_json(options.output, results)


if __name__ == "__main__":
    main()
