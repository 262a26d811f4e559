"""From runs to the files of a report, by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.reports.report import ReportSettings
from eval.reports.retrieval.evaluation import RetrievalEvaluation
from eval.reports.retrieval.runs import load_runs
from spider.corpus.corpus import Corpus
from spider.errors import DataError
from spider.question import Question, QuestionSet
from spider.text.answer_pattern import AnswerPattern

ASKED = QuestionSet(
    name="animals",
    questions=(
        Question(id="a", text="?", answers=("fox",)),
        Question(id="b", text="?", answers=("",)),
        Question(id="c", text="?"),
    ),
)
SETTINGS = ReportSettings(primary="top_1", resamples=100)


@pytest.fixture
def evaluation(make_run: Any, corpus: Corpus) -> RetrievalEvaluation:
    bm25, dense = [[1, 0], [3], [0]], [[0, 1], [], [0]]
    run = make_run("run", ASKED, {"bm25": bm25, "dense": dense}, note="few pairs")
    return RetrievalEvaluation(load_runs([run], corpus, []), corpus, (1, 10))


def test_values_by_hand(evaluation: RetrievalEvaluation) -> None:
    assert evaluation.measures == ["top_1", "top_10", "mrr"]
    # question a: a fox at rank 2, and at rank 1; b: every passage matches; c: none can
    assert evaluation.systems["bm25"].values.tolist() == [[0, 1, 0.5], [1, 1, 1], [0, 0, 0]]
    assert evaluation.systems["dense"].values.tolist() == [[1, 1, 1], [0, 0, 0], [0, 0, 0]]
    report = evaluation.report(SETTINGS, {"seed": 0})
    assert report["systems"]["bm25"]["mrr"]["value"] == 0.5
    assert report["runs"]["bm25"] == {"depth": 4, "mean_length": 4 / 3}
    assert report["config"] == {"seed": 0}


def test_notes_say_what_limits_the_numbers(evaluation: RetrievalEvaluation) -> None:
    notes = evaluation.report(SETTINGS, {})["notes"]
    for piece in (
        "few pairs",
        "only 3 independent clusters",
        "1 question without an answer",
        "1 question with an answer without a letter",
    ):
        assert any(piece in note for note in notes), piece


def test_a_run_of_the_whole_corpus_is_no_limit(make_run: Any, corpus: Corpus) -> None:
    lists = {"bm25": [[1, 0], [3], [0]]}
    whole, part = (make_run(f"run-{depth}", ASKED, lists, depth=depth) for depth in (4, 3))
    for run, limited in ((whole, False), (part, True)):
        made = RetrievalEvaluation(load_runs([run], corpus, []), corpus, (1, 10))
        notes = made.report(SETTINGS, {})["notes"]
        assert any("the run holds at most" in note for note in notes) == limited


@pytest.mark.parametrize("match", ["string", "passage"])
def test_a_k_beyond_every_list_takes_no_memory(
    make_run: Any, corpus: Corpus, tmp_path: Path, match: str
) -> None:
    pytest.importorskip("matplotlib")
    asked = QuestionSet(
        name="animals",
        questions=(Question(id="a", text="?", answers=("fox",), relevant=("d0#1",)),),
        match=match,  # type: ignore[arg-type]
    )
    run = make_run("run", asked, {"bm25": [[1, 0]]})
    made = RetrievalEvaluation(load_runs([run], corpus, []), corpus, (1, 10**9))
    (tmp_path / "report").mkdir()
    made.write(tmp_path / "report", made.report(SETTINGS, {}), SETTINGS, plot=True)
    assert (tmp_path / "report" / "top_k.svg").is_file()


def test_a_slow_pattern_counts_in_no_system(
    make_run: Any, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # only the second system finds a passage on which the pattern takes too long
    slow = {corpus.text(3)}
    monkeypatch.setattr(AnswerPattern, "occurs", lambda self, text: _occurs(self, text, slow))
    questions = (Question(id="a", text="?", answers=("a",)),)
    asked = QuestionSet(name="patterns", questions=questions, match="regex")
    run = make_run("run", asked, {"bm25": [[0]], "dense": [[0, 3]]})
    evaluation = RetrievalEvaluation(load_runs([run], corpus, []), corpus, (1, 10))
    assert evaluation.counts()["answers_too_slow"] == 1
    assert [system.values[0, 0] for system in evaluation.systems.values()] == [0, 0]
    notes = evaluation.report(SETTINGS, {})["notes"]
    assert any("1 answer with a pattern that takes over a second" in note for note in notes)


def _occurs(pattern: AnswerPattern, text: str, slow: set[str]) -> bool:
    pattern.too_slow |= text in slow
    return not pattern.too_slow


def test_files(evaluation: RetrievalEvaluation, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    report = evaluation.report(SETTINGS, {})
    evaluation.write(folder, report, SETTINGS, plot=False)
    evaluation.export(folder, trec=True, dpr=True)
    written = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert written == {
        *("report.json", "report.md", "report.tex", "first_hits.csv", "first_hits.npy"),
        *("trec/bm25.run", "trec/dense.run", "dpr/bm25.json", "dpr/dense.json"),
    }
    assert json.loads((folder / "report.json").read_text()) == report
    assert np.load(folder / "first_hits.npy").tolist() == [[2, 1, 0], [1, 0, 0]]
    table = (folder / "first_hits.csv").read_text()
    assert table == "question_id,bm25,dense\na,2,1\nb,1,\nc,,\n"


def test_a_spreadsheet_runs_no_id_and_no_label(make_run: Any, corpus: Corpus) -> None:
    names = ["=cmd|' /C calc'!A0", "plain", "-1"]
    asked = QuestionSet(
        name="asked", questions=tuple(Question(id=n, text="q", answers=("fox",)) for n in names)
    )
    run = make_run("run", asked, {"bm25": [[0], [1], [2]]}, label="@sum")
    evaluation = RetrievalEvaluation(load_runs([run], corpus, []), corpus, (1, 10))
    rows = evaluation._first_hits_csv().splitlines()
    assert rows == ["question_id,'@sum", "'=cmd|' /C calc'!A0,1", "plain,", "'-1,"]


def test_a_label_makes_a_plain_file_name(make_run: Any, corpus: Corpus, tmp_path: Path) -> None:
    asked = QuestionSet(name="asked", questions=(Question(id="a", text="q", answers=("fox",)),))
    run = make_run("run", asked, {"bm25": [[0]]}, label="../a\x1b\n")
    RetrievalEvaluation(load_runs([run], corpus, []), corpus, (1,)).export(
        tmp_path, trec=True, dpr=False
    )
    assert [file.name for file in (tmp_path / "trec").iterdir()] == [r".._a\x1b\n.run"]


def test_no_question_is_an_error(make_run: Any, corpus: Corpus) -> None:
    nobody = QuestionSet(name="nobody", questions=())
    runs = load_runs([make_run("run", nobody, {"bm25": []})], corpus, [])
    with pytest.raises(DataError, match="no questions"):
        RetrievalEvaluation(runs, corpus, (1,))
