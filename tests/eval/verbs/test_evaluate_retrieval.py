"""The verb on tiny runs: its files, its errors, and its agreement with ir-measures."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.verbs.evaluate_retrieval import EvaluateRetrievalSettings, main
from spider.artifacts.artifact import open_artifact
from spider.artifacts.records.run import RunRecord
from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError, ConfigError, DataError, MetricMissedError
from spider.question import Question, QuestionSet
from spider.ranking import pad_hits, save_hits

N_DOCUMENTS, N_PASSAGES = 6, 5


@pytest.fixture
def corpus(make_corpus) -> Corpus:
    return make_corpus(
        [
            (f"title {d}", [f"passage {p} of document {d}, word{d}x{p}" for p in range(N_PASSAGES)])
            for d in range(N_DOCUMENTS)
        ]
    )


def heldout(n: int = 30) -> QuestionSet:
    rng = np.random.default_rng(0)
    questions = []
    for i in range(n):
        d = i % N_DOCUMENTS
        own, *others = rng.permutation(N_PASSAGES).tolist()
        questions.append(
            Question(
                id=f"q{i}",
                text=f"query {i}",
                relevant=tuple(f"d{d}#{p}" for p in others[:2]),
                excluded=(f"d{d}#{own}",),
                cluster=f"d{d}",
                tags={"span": ("kept", "removed")[i % 2], "recurring_span": str(i)},
            )
        )
    return QuestionSet(name="heldout", questions=tuple(questions), match="passage")


def write_run(
    path: Path,
    corpus: Corpus,
    questions: QuestionSet,
    systems: Mapping[str, int],
    *,
    label: str = "",
    depth: int = 12,
) -> Path:
    """Write a run whose systems are random lists of the given seeds, of different lengths."""
    stage = Stage(
        verb="search",
        kind="run",
        output=path,
        config={"systems": dict(systems), "label": label},
        inputs={"corpus": corpus.artifact},
    )
    with stage.writing() as folder:
        (folder / "questions").mkdir()
        questions.save(folder / "questions")
        for system, seed in systems.items():
            rng = np.random.default_rng(seed)
            rows = []
            for _ in questions.questions:
                length = int(rng.integers(0, depth + 1))
                scores = np.sort(rng.random(length))[::-1].astype(np.float32)
                rows.append((rng.permutation(len(corpus))[:length], scores))
            (folder / system).mkdir()
            save_hits(folder / system, pad_hits(rows, depth))
        details = RunRecord(
            systems=tuple(systems), label=label, depth=depth, questions="", fusion=None, note=""
        )
        stage.finish(counts={"questions": len(questions.questions)}, details=details)
    return path


def evaluate(runs: list[Path], corpus: Corpus, output: Path, **settings: Any) -> dict[str, Any]:
    given = {"top_k": (1, 5, 10), "primary": "top_5", "resamples": 200, **settings}
    resolved = {k: v for k, v in given.items() if k not in ("overwrite", "require", "json")}
    resolved["top_k"] = list(given["top_k"])
    main(
        EvaluateRetrievalSettings(
            runs=tuple(runs), corpus=corpus.path, output=output, resolved=resolved, **given
        )
    )
    return json.loads((output / "report.json").read_text(encoding="utf-8"))


def test_files_and_table(corpus: Corpus, tmp_path: Path, capsys) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1, "dense": 2, "hybrid": 3})
    report = evaluate([run], corpus, tmp_path / "report", trec=True, dpr=True)
    files = {f.relative_to(tmp_path / "report").as_posix() for f in _files(tmp_path / "report")}
    assert files == {
        *("manifest.json", "report.json", "report.md", "report.tex"),
        *("first_hits.csv", "first_hits.npy", "trec/qrels.txt"),
        *(f"trec/{system}.run" for system in report["systems"]),
        *(f"dpr/{system}.json" for system in report["systems"]),
    }
    shown = capsys.readouterr().out
    assert "heldout: top-k accuracy in %, 30 questions in 6 clusters" in shown
    assert "hybrid vs bm25, top-5:" in shown
    assert {(b["by"], b["value"]) for b in report["breakdowns"]} == {
        ("span", "kept"),
        ("span", "removed"),
    }
    artifact = open_artifact(tmp_path / "report", kind="report")
    assert artifact.details["systems"] == ["bm25", "dense", "hybrid"]
    assert artifact.counts["excluded_passages_dropped"] > 0


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_first_hits_hold_what_the_report_says(corpus: Corpus, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1, "dense": 2})
    report = evaluate([run], corpus, tmp_path / "report")
    ranks = np.load(tmp_path / "report" / "first_hits.npy")
    assert ranks.shape == (2, 30)
    for system, own in zip(["bm25", "dense"], ranks, strict=True):
        value = np.mean((own > 0) & (own <= 5))
        assert report["systems"][system]["top_5"]["value"] == pytest.approx(value)
    lines = (tmp_path / "report" / "first_hits.csv").read_text().splitlines()
    assert lines[0] == "question_id,bm25,dense"
    for number, line in enumerate(lines[1:]):
        expected = [f"q{number}", *("" if r == 0 else str(r) for r in ranks[:, number])]
        assert line.split(",") == expected


def test_agreement_with_ir_measures(corpus: Corpus, tmp_path: Path) -> None:
    ir_measures = pytest.importorskip("ir_measures")
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1, "dense": 2})
    report = evaluate([run], corpus, tmp_path / "report", trec=True)
    folder = tmp_path / "report" / "trec"
    names = {
        "top_1": "Success@1",
        "top_5": "Success@5",
        "mrr": "RR@10",
        "recall_10": "R@10",
        "ndcg_10": "nDCG@10",
    }
    wanted = {name: ir_measures.parse_measure(theirs) for name, theirs in names.items()}
    for system, own in report["systems"].items():
        got = ir_measures.calc_aggregate(
            list(wanted.values()),
            ir_measures.read_trec_qrels(str(folder / "qrels.txt")),
            ir_measures.read_trec_run(str(folder / f"{system}.run")),
        )
        for name, measure in wanted.items():
            assert own[name]["value"] == pytest.approx(got[measure]), name


def test_answers_and_dprs_file_agree(corpus: Corpus, tmp_path: Path) -> None:
    questions = QuestionSet(
        name="open",
        questions=tuple(
            Question(id=str(i), text="?", answers=(f"word{i % 6}X{i % 5}", f"document {i % 3}"))
            for i in range(20)
        ),
    )
    run = write_run(tmp_path / "run", corpus, questions, {"bm25": 1})
    report = evaluate([run], corpus, tmp_path / "report", dpr=True)
    records = json.loads((tmp_path / "report" / "dpr" / "bm25.json").read_text())
    hits = [any(c["has_answer"] for c in record["ctxs"][:5]) for record in records]
    assert report["systems"]["bm25"]["top_5"]["value"] == pytest.approx(np.mean(hits))
    assert 0 < np.mean(hits) < 1
    assert "recall_10" not in report["systems"]["bm25"]


def test_same_bytes_again_and_up_to_date(corpus: Corpus, tmp_path: Path, capsys) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1, "dense": 2})
    evaluate([run], corpus, tmp_path / "one")
    shown = capsys.readouterr().out.replace("one", "")
    evaluate([run], corpus, tmp_path / "two")
    for name in ("report.json", "report.md", "report.tex", "first_hits.npy"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    capsys.readouterr()
    before = (tmp_path / "one" / "manifest.json").read_bytes()
    # a requirement makes no report stale, and is checked against a finished one
    with pytest.raises(MetricMissedError, match=r"bm25\.top_5 is .*, required 1\.0000"):
        evaluate([run], corpus, tmp_path / "one", require={"bm25.top_5": 1.0})
    assert (tmp_path / "one" / "manifest.json").read_bytes() == before
    assert capsys.readouterr().out.replace("one", "") == shown


def test_another_commit_writes_the_same_report(corpus: Corpus, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1, "dense": 2})
    for commit in ("one", "two"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("spider.artifacts.provenance.commit", lambda commit=commit: commit)
            evaluate([run], corpus, tmp_path / commit)
    one, two = (open_artifact(tmp_path / name) for name in ("one", "two"))
    assert two.manifest["volatile"]["commit"] == "two"
    assert one.content_hash == two.content_hash


def test_an_untrained_encoders_run_has_its_own_name(corpus: Corpus, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1, "dense": 2})
    untrained = write_run(tmp_path / "u", corpus, heldout(), {"dense": 9}, label="untrained")
    both = write_run(tmp_path / "v", corpus, heldout(), {"dense": 8, "hybrid": 7}, label="old")
    report = evaluate([run, untrained, both], corpus, tmp_path / "report")
    assert list(report["systems"]) == ["bm25", "dense", "untrained", "old-dense", "old-hybrid"]
    chosen = evaluate([run, untrained], corpus, tmp_path / "chosen", systems=("untrained", "bm25"))
    assert list(chosen["systems"]) == ["untrained", "bm25"]
    assert chosen["systems"]["bm25"] == report["systems"]["bm25"]


def test_a_short_run_is_told(corpus: Corpus, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1}, depth=4)
    report = evaluate([run], corpus, tmp_path / "report")
    assert report["runs"]["bm25"]["depth"] == 4
    assert any("lower bounds" in note for note in report["notes"])
    assert any("only 6 independent clusters" in note for note in report["notes"])
    assert "independent clusters" in (tmp_path / "report" / "report.md").read_text()


def test_runs_of_other_questions_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", corpus, heldout(30), {"bm25": 1})
    other = write_run(tmp_path / "other", corpus, heldout(29), {"dense": 1})
    with pytest.raises(ArtifactError, match="different question sets"):
        evaluate([one, other], corpus, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_one_name_for_two_systems_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", corpus, heldout(), {"bm25": 1})
    same = write_run(tmp_path / "same", corpus, heldout(), {"bm25": 1, "dense": 4})
    other = write_run(tmp_path / "other", corpus, heldout(), {"bm25": 2})
    assert list(evaluate([one, same], corpus, tmp_path / "a")["systems"]) == ["bm25", "dense"]
    with pytest.raises(ArtifactError, match="give one of the searches a label"):
        evaluate([one, other], corpus, tmp_path / "b")


def test_a_run_of_another_corpus_is_refused(corpus: Corpus, make_corpus, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1})
    another = make_corpus([("t", ["a", "b"])], name="another")
    with pytest.raises(ArtifactError, match="was made from a corpus with content hash"):
        evaluate([run], another, tmp_path / "report")


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"top_k": (0, 5)}, "top_k"),
        ({"primary": "top_20"}, "primary"),
        ({"reference": "dense"}, "reference"),
        ({"systems": ("bm52",)}, "systems"),
        ({"require": {"bm25.top_7": 0.1}}, "require"),
    ],
)
def test_bad_settings_cost_nothing(settings, error: str, corpus: Corpus, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1})
    with pytest.raises(ConfigError, match=error):
        evaluate([run], corpus, tmp_path / "report", **settings)
    assert not (tmp_path / "report").exists()


def test_no_question_is_an_error(corpus: Corpus, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(0), {"bm25": 1})
    with pytest.raises(DataError, match="no questions"):
        evaluate([run], corpus, tmp_path / "report")


def test_plot(corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1, "dense": 2})
    for name in ("one", "two"):
        evaluate([run], corpus, tmp_path / name, plot=True)
    drawn = (tmp_path / "one" / "top_k.svg").read_bytes()
    assert b"</svg>" in drawn
    assert drawn == (tmp_path / "two" / "top_k.svg").read_bytes()


def test_the_corpus_is_found_through_the_run(corpus: Corpus, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1})
    nowhere = tmp_path / "nowhere"
    main(
        EvaluateRetrievalSettings(
            runs=(run,), workspace=nowhere, output=tmp_path / "report", resamples=200
        )
    )
    report = open_artifact(tmp_path / "report")
    assert report.parent_hash("corpus") == corpus.artifact.content_hash


def test_json_is_one_object_a_line_for_each_system(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", corpus, heldout(), {"bm25": 1, "dense": 2})
    report = evaluate([run], corpus, tmp_path / "report", json=True)
    bm25, dense = map(json.loads, capsys.readouterr().out.splitlines())
    assert (bm25["system"], dense["system"]) == ("bm25", "dense")
    assert bm25["measures"] == report["systems"]["bm25"]
    assert {one["measure"] for one in dense["comparisons"]} == set(report["measures"])
    assert bm25["comparisons"] == []
