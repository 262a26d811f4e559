import json

import numpy as np
import pytest

from eval.reports.report import ReportSettings, build_report
from eval.reports.significance import Sampling, sign_flip_test
from spider.errors import ConfigError
from spider.question import Question, QuestionSet

MEASURES = ["top_1", "top_20"]
SETTINGS = ReportSettings(resamples=400)


def question_set(n: int = 40, averaging: str = "micro") -> QuestionSet:
    questions = tuple(
        Question(
            id=str(i),
            text="q",
            cluster=f"d{i // 2}",
            group=f"r{i % 4}",
            tags={"span": "kept" if i % 4 else "removed", "recurring_span": f"span {i}"},
        )
        for i in range(n)
    )
    many = tuple(questions) + tuple(
        Question(id=f"x{i}", text="q", tags={"recurring_span": f"x {i}"}) for i in range(20)
    )
    return QuestionSet(name="set", questions=many, averaging=averaging)


def values_of(seed: int, chance: float, n: int = 60) -> np.ndarray:
    draws = np.random.default_rng(seed).random(n)
    return np.stack([draws < chance / 2, draws < chance], axis=1).astype(np.float64)


@pytest.fixture(scope="module")
def systems() -> dict[str, np.ndarray]:
    return {
        "dense": values_of(1, 0.3),
        "bm25": values_of(2, 0.6),
        "hybrid": np.maximum(values_of(2, 0.6), values_of(3, 0.5)),
    }


def test_numbers_are_the_means_and_lie_in_their_intervals(systems) -> None:
    report = build_report(question_set(), MEASURES, systems, SETTINGS, facts={"notes": ["c"]})
    for name, own in systems.items():
        for column, measure in enumerate(MEASURES):
            cell = report["systems"][name][measure]
            assert cell["value"] == pytest.approx(own[:, column].mean())
            assert cell["low"] <= cell["value"] <= cell["high"]
    assert report["question_set"]["questions"] == 60
    assert report["question_set"]["clusters"] == 40
    assert report["notes"] == ["c"]
    assert json.loads(json.dumps(report)) == report


def test_every_system_is_compared_with_bm25(systems) -> None:
    report = build_report(question_set(), MEASURES, systems, SETTINGS)
    assert report["reference"] == "bm25"
    pairs = [(c["system"], c["reference"], c["measure"]) for c in report["comparisons"]]
    assert pairs == [
        (system, "bm25", measure) for measure in MEASURES for system in ("dense", "hybrid")
    ]
    sampling = Sampling.of(question_set().questions, "micro")
    for c in report["comparisons"]:
        column = MEASURES.index(c["measure"])
        difference = systems[c["system"]][:, column] - systems["bm25"][:, column]
        assert c["difference"] == pytest.approx(difference.mean())
        assert c["low"] <= c["difference"] <= c["high"]
        assert c["p"] == sign_flip_test(difference, sampling, resamples=400, seed=0)
        assert c["questions_better"] == (difference > 0).sum()
        assert c["questions_worse"] == (difference < 0).sum()


def test_holm_is_within_the_family_of_the_primary_measure(systems) -> None:
    report = build_report(question_set(), MEASURES, systems, SETTINGS)
    for family in ("primary", "secondary"):
        members = sorted(
            (c for c in report["comparisons"] if c["family"] == family), key=lambda c: c["p"]
        )
        assert len(members) == 2
        assert members[0]["p_holm"] == pytest.approx(min(1, 2 * members[0]["p"]))
        assert members[1]["p_holm"] == pytest.approx(max(members[1]["p"], members[0]["p_holm"]))
    assert {c["measure"] for c in report["comparisons"] if c["family"] == "primary"} == {"top_20"}


def test_equal_systems_are_not_distinguishable(systems) -> None:
    twins = {"a": systems["bm25"], "b": systems["bm25"].copy()}
    report = build_report(question_set(), MEASURES, twins, SETTINGS)
    assert report["reference"] == "a"
    assert all(c["p"] == 1.0 and not c["distinguishable"] for c in report["comparisons"])


def test_all_pairs(systems) -> None:
    settings = ReportSettings(resamples=200, comparisons="all")
    report = build_report(question_set(), MEASURES, systems, settings)
    pairs = [(c["system"], c["reference"]) for c in report["comparisons"]]
    assert set(pairs) == {("dense", "bm25"), ("hybrid", "bm25"), ("hybrid", "dense")}
    assert len(pairs) == 6


def test_breakdowns_are_by_tags_of_few_values_and_by_group(systems) -> None:
    report = build_report(question_set(), MEASURES, systems, SETTINGS)
    sizes = {(b["by"], b["value"]): b["questions"] for b in report["breakdowns"]}
    expected = {("span", "kept"): 30, ("span", "removed"): 10}
    assert sizes == expected | {("group", f"r{i}"): 10 for i in range(4)}
    removed = next(b for b in report["breakdowns"] if b["value"] == "removed")
    assert removed["systems"]["bm25"]["top_20"]["value"] == pytest.approx(
        systems["bm25"][0:40:4, 1].mean()
    )


def test_macro_average(systems) -> None:
    chosen = {name: own[:40] for name, own in systems.items()}
    whole = question_set(averaging="macro")
    own_set = QuestionSet(name="m", questions=whole.questions[:40], averaging="macro")
    report = build_report(own_set, MEASURES, chosen, SETTINGS)
    by_group = [chosen["bm25"][g:40:4, 1].mean() for g in range(4)]
    assert report["systems"]["bm25"]["top_20"]["value"] == pytest.approx(np.mean(by_group))
    assert report["question_set"]["groups"] == 4


def test_one_system_has_nothing_to_be_compared_with(systems) -> None:
    report = build_report(question_set(), MEASURES, {"bm25": systems["bm25"]}, SETTINGS)
    assert report["reference"] is None
    assert report["comparisons"] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"primary": "top_7"}, "primary: got 'top_7', expected one of"),
        ({"reference": "bm52"}, "reference: got 'bm52', expected one of"),
        ({"confidence": 95.0}, "confidence: got 95"),
        ({"resamples": 1}, "resamples: got 1"),
    ],
)
def test_bad_settings(settings, message: str, systems) -> None:
    with pytest.raises(ConfigError, match=message):
        build_report(question_set(), MEASURES, systems, ReportSettings(**settings))
