import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.matching.first_hits import Ranked
from eval.reports.retrieval.trec import (
    strictly_descending,
    trec_id,
    write_dpr_results,
    write_qrels,
    write_trec_run,
)
from spider.question import Question

DOCUMENTS = [("T", ["zero", "one é", "two"])]
QUESTIONS = [
    Question(id="q 1", text="which?", answers=("one",), relevant=("d0#1",)),
    Question(id="q2", text="none"),
]
RANKED = Ranked(
    np.array([[2, 1, 0], [0, -1, -1]]),
    np.array([[1.5, 1.5, 1.5], [-0.25, -np.inf, -np.inf]], dtype=np.float32),
    0,
)


def test_trec_run_is_strictly_sorted_and_keeps_the_order(make_corpus, tmp_path: Path) -> None:
    write_trec_run(tmp_path / "run", QUESTIONS, RANKED, make_corpus(DOCUMENTS), "my tag")
    assert (tmp_path / "run").read_text() == (
        "q%201 Q0 d0#2 1 1.5 my%20tag\n"
        "q%201 Q0 d0#1 2 1.4999999 my%20tag\n"
        "q%201 Q0 d0#0 3 1.4999998 my%20tag\n"
        "q2 Q0 d0#0 1 -0.25 my%20tag\n"
    )


def test_qrels(tmp_path: Path) -> None:
    write_qrels(tmp_path / "qrels", QUESTIONS)
    assert (tmp_path / "qrels").read_text() == "q%201 0 d0#1 1\n"
    graded = Question(id="q", text="?", relevant=("a", "b"), grades={"b": 3, "no": 0, "bad": -1})
    write_qrels(tmp_path / "qrels", [graded])
    lines = (tmp_path / "qrels").read_text().splitlines()
    assert lines == ["q 0 a 1", "q 0 b 3", "q 0 no 0", "q 0 bad -1"]


def test_dpr_results(make_corpus, tmp_path: Path) -> None:
    relevance = np.array([[False, True, False], [False, False, False]])
    corpus = make_corpus(DOCUMENTS)
    write_dpr_results(tmp_path / "dpr.json", QUESTIONS, RANKED, relevance, corpus)
    first, second = json.loads((tmp_path / "dpr.json").read_text(encoding="utf-8"))
    assert list(first) == ["question", "answers", "ctxs"]
    assert (first["question"], first["answers"]) == ("which?", ["one"])
    assert first["ctxs"][1] == {
        "id": "d0#1",
        "title": "T",
        "text": "one é",
        "score": "1.5",
        "has_answer": True,
    }
    assert len(second["ctxs"]) == 1


def test_ids_without_white_space() -> None:
    assert trec_id("notes/a b%.md#1\u00a0") == "notes/a%20b%25.md#1%C2%A0"
    assert trec_id("wiki:12") == "wiki:12"


@settings(deadline=None)
@given(st.lists(st.floats(-1000, 1000, width=32), max_size=20))
def test_scores_descend_strictly_and_move_as_little_as_they_can(scores: list[float]) -> None:
    ordered = np.array(sorted(scores, reverse=True), dtype=np.float32)
    below = np.float32(np.inf)
    for own, score in zip(strictly_descending(ordered), ordered, strict=True):
        assert own == min(score, np.nextafter(below, np.float32(-np.inf)))
        assert np.float32(str(own)) == own
        below = own


def test_trec_eval_keeps_the_order_of_equal_scores(make_corpus, tmp_path: Path) -> None:
    evaluator = pytest.importorskip("pytrec_eval").RelevanceEvaluator
    corpus = make_corpus([("T", [f"passage {n}" for n in range(40)])])
    order = np.random.default_rng(0).permutation(40)
    ranked = Ranked(order[None], np.full((1, 40), 123.25, dtype=np.float32), 0)
    question = Question(id="q", text="?")
    write_trec_run(tmp_path / "run", [question], ranked, corpus, "tag")
    rows = [line.split() for line in (tmp_path / "run").read_text().splitlines()]
    run = {"q": {row[2]: float(row[4]) for row in rows}}
    for rank, position in enumerate(order.tolist(), start=1):
        judged = evaluator({"q": {corpus.passage_id(position): 1}}, {"recip_rank"})
        assert judged.evaluate(run)["q"]["recip_rank"] == pytest.approx(1 / rank)
