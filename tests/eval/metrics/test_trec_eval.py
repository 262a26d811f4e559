"""Our measures of graded judgements are trec_eval's, to 1e-6, on random lists."""

from typing import Any

import numpy as np
import pytest

from eval.matching.first_hits import HitFinder
from eval.metrics.measures import measure_names, score_system
from spider.question import Question, QuestionSet
from spider.ranking import pad_hits

CUTS = (1, 3, 10, 30)
PASSAGES, QUESTIONS = 60, 40
THEIRS = {"recall": "recall_{}", "ndcg": "ndcg_cut_{}"}


def judged_question(number: int, rng: np.random.Generator) -> Question:
    """Return a question with grades from -1 to 3, of passages that the corpus has or lacks."""
    names = [*(f"d0#{n}" for n in range(PASSAGES)), *(f"lost{n}" for n in range(5))]
    chosen = rng.choice(names, rng.integers(1, 25), replace=False).tolist()
    grades = dict(zip(chosen, rng.integers(-1, 4, len(chosen)).tolist(), strict=True))
    grades[chosen[0]] = 1
    relevant = tuple(name for name, grade in grades.items() if grade >= 1)
    return Question(id=f"q{number}", text="?", relevant=relevant, grades=grades)


def test_random_graded_lists(make_corpus: Any) -> None:
    trec_eval = pytest.importorskip("pytrec_eval")
    rng = np.random.default_rng(5)
    corpus = make_corpus([("t", [f"text {n}" for n in range(PASSAGES)])])
    questions = tuple(judged_question(n, rng) for n in range(QUESTIONS))
    rows = [rng.permutation(PASSAGES)[: rng.integers(0, PASSAGES)] for _ in questions]
    hits = pad_hits([(row, -np.arange(len(row), dtype=np.float32)) for row in rows], PASSAGES)
    finder = HitFinder(QuestionSet(name="s", questions=questions, match="passage"), corpus)
    ours = score_system(hits, finder, CUTS).values
    cuts = ",".join(map(str, CUTS))
    evaluator = trec_eval.RelevanceEvaluator(
        {q.id: dict(q.grades) for q in questions}, {f"{m}.{cuts}" for m in ("recall", "ndcg_cut")}
    )
    theirs = evaluator.evaluate(
        {
            q.id: {corpus.passage_id(p): -rank for rank, p in enumerate(row)}
            for q, row in zip(questions, rows, strict=True)
        }
    )
    for column, name in enumerate(measure_names(CUTS, graded_by_passage=True)):
        kind, _, cut = name.rpartition("_")
        if kind in ("recall", "ndcg"):
            key = THEIRS[kind].format(cut)
            expected = [theirs.get(q.id, {}).get(key, 0.0) for q in questions]
            np.testing.assert_allclose(ours[:, column], expected, atol=1e-6)
