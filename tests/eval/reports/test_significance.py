"""Intervals and tests against scipy, hand-computed cases, and a small simulation of coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from eval.reports.significance import (
    Sampling,
    bootstrap_means,
    holm,
    mean,
    percentile_interval,
    sign_flip_test,
)
from spider.question import Question


def sampling_of(clusters: list[int], groups: list[int] | None = None) -> Sampling:
    return Sampling(np.array(clusters), np.array(groups or [0] * len(clusters)))


def alone(n: int) -> Sampling:
    return sampling_of(list(range(n)))


def test_sampling_numbers_clusters_and_groups() -> None:
    questions = [
        Question(id="1", text="", cluster="d", group="r"),
        Question(id="d", text="", group="s"),
        Question(id="3", text="", cluster="d", group="s"),
    ]
    macro = Sampling.of(questions, "macro")
    assert macro.clusters.tolist() == [0, 1, 0]
    assert macro.groups.tolist() == [0, 1, 1]
    assert macro.weights().tolist() == [0.5, 0.25, 0.25]
    assert (macro.n_clusters, macro.n_groups) == (2, 2)
    assert Sampling.of(questions, "micro").weights().tolist() == pytest.approx([1 / 3] * 3)


def test_micro_and_macro_means() -> None:
    values = np.array([[1.0], [0.0], [0.0], [1.0]])
    assert mean(values, alone(4)).tolist() == [0.5]
    macro = sampling_of([0, 1, 2, 3], [0, 0, 0, 1])
    assert mean(values, macro).tolist() == pytest.approx([(1 / 3 + 1) / 2])


def test_bootstrap_interval_agrees_with_scipy() -> None:
    values = np.random.default_rng(3).random(60) ** 2
    samples = bootstrap_means(values[:, None], alone(60), resamples=8_000, seed=1)
    low, high = percentile_interval(samples, 0.95)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=8_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert low[0] == pytest.approx(reference.low, abs=0.006)
    assert high[0] == pytest.approx(reference.high, abs=0.006)


def test_bootstrap_is_by_cluster_and_by_group() -> None:
    """Against a loop that builds each resampled data set."""
    rng = np.random.default_rng(0)
    clusters, groups = [0, 0, 1, 2, 2, 2, 3], [0, 1, 0, 1, 1, 0, 1]
    values = rng.random((7, 2))
    sampling = sampling_of(clusters, groups)
    got = bootstrap_means(values, sampling, resamples=50, seed=7)
    # clusters 0 and 2 have questions of both groups, 1 is of group 0 and 3 of group 1
    generator = np.random.default_rng(7)
    strata = [np.array([3]), np.array([1]), np.array([0, 2])]
    drawn = [s[generator.integers(0, len(s), size=(50, len(s)))] for s in strata]
    for row, chosen in enumerate(np.concatenate(drawn, axis=1)):
        rows = [q for c in chosen for q in range(7) if clusters[q] == c]
        means = [values[[q for q in rows if groups[q] == g]].mean(axis=0) for g in (0, 1)]
        assert got[row] == pytest.approx(np.mean(means, axis=0))


def test_a_groups_size_is_the_same_in_every_resample() -> None:
    """A group's only question is in all of them: its mean varies in none."""
    values = np.array([[0.0], [0.0], [0.0], [1.0]])
    sampling = sampling_of([0, 1, 2, 3], [0, 0, 0, 1])
    assert (bootstrap_means(values, sampling, resamples=200, seed=0) == 0.5).all()


def test_macro_intervals_are_of_the_width_that_the_groups_variances_give() -> None:
    rng = np.random.default_rng(4)
    groups = np.repeat([0, 1, 2], [10, 60, 300])
    values = (rng.random(370) < np.array([0.1, 0.5, 0.9])[groups]).astype(np.float64)
    sampling = Sampling(np.arange(370), groups)
    spread = bootstrap_means(values[:, None], sampling, resamples=4_000, seed=0).std()
    expected = np.sqrt(sum(values[groups == g].var() / np.sum(groups == g) for g in range(3))) / 3
    assert spread == pytest.approx(expected, rel=0.04)


def test_bootstrap_is_deterministic_and_shared_by_columns() -> None:
    values = np.random.default_rng(0).random((30, 1))
    both = np.concatenate([values, values], axis=1)
    once = bootstrap_means(both, alone(30), resamples=100, seed=5)
    assert np.array_equal(once, bootstrap_means(both, alone(30), resamples=100, seed=5))
    assert np.array_equal(once[:, 0], once[:, 1])


def test_clustered_intervals_cover_where_naive_ones_do_not() -> None:
    """40 documents with 8 questions each that are hit or missed nearly together."""
    rng = np.random.default_rng(11)
    clusters = np.repeat(np.arange(40), 8)
    covered = {"clustered": 0, "naive": 0}
    trials = 200
    for trial in range(trials):
        chance = rng.beta(0.5, 0.5, size=40)[clusters]
        values = (rng.random(320) < chance).astype(np.float64)[:, None]
        for name, sampling in (
            ("clustered", Sampling(clusters, np.zeros(320, dtype=np.int64))),
            ("naive", alone(320)),
        ):
            samples = bootstrap_means(values, sampling, resamples=300, seed=trial)
            low, high = percentile_interval(samples, 0.95)
            covered[name] += int(low[0] <= 0.5 <= high[0])
    assert 0.90 <= covered["clustered"] / trials <= 0.99
    assert covered["naive"] / trials < 0.80


@pytest.mark.parametrize("n", [2, 4, 9])
def test_sign_flip_is_exact_like_scipy(n: int) -> None:
    differences = np.random.default_rng(n).integers(-3, 4, size=n).astype(np.float64)
    expected = stats.permutation_test(
        (differences, np.zeros(n)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    ).pvalue
    got = sign_flip_test(differences, alone(n), resamples=1_000, seed=0)
    assert got == pytest.approx(expected)


def test_sign_flip_hand_computed() -> None:
    # five wins, no loss: both all-plus and all-minus are as extreme, of 32
    assert sign_flip_test(np.ones(5), alone(5), resamples=100, seed=0) == 2 / 32
    # in one cluster they are one observation
    assert sign_flip_test(np.ones(5), sampling_of([0] * 5), resamples=100, seed=0) == 1.0
    # questions that do not differ carry nothing
    padded = np.concatenate([np.ones(5), np.zeros(200)])
    assert sign_flip_test(padded, alone(205), resamples=100, seed=0) == 2 / 32
    assert sign_flip_test(np.zeros(4), alone(4), resamples=100, seed=0) == 1.0


def test_drawn_patterns_approach_mcnemars_exact_test() -> None:
    # 30 wins and 14 losses: flipping fair signs is a binomial test
    differences = np.concatenate([np.ones(30), -np.ones(14), np.zeros(100)])
    expected = stats.binomtest(30, 44, 0.5).pvalue
    got = sign_flip_test(differences, alone(144), resamples=20_000, seed=4)
    assert got == pytest.approx(expected, abs=0.004)


def test_p_is_never_zero_when_drawn() -> None:
    got = sign_flip_test(np.ones(400), alone(400), resamples=999, seed=0)
    assert got == 1 / 1000


def test_macro_weights_enter_the_test() -> None:
    # the lone question of group 1 weighs as much as the three of group 0 together
    differences = np.array([1.0, 1.0, 1.0, -1.0])
    macro = sampling_of([0, 1, 2, 3], [0, 0, 0, 1])
    assert sign_flip_test(differences, macro, resamples=100, seed=0) == 1.0
    assert sign_flip_test(differences, alone(4), resamples=100, seed=0) == 10 / 16


def test_p_values_are_uniform_or_larger_under_the_hypothesis() -> None:
    rng = np.random.default_rng(9)
    clusters = np.repeat(np.arange(30), 4)
    sampling = Sampling(clusters, np.zeros(120, dtype=np.int64))
    rejected = 0
    for trial in range(200):
        common = rng.choice([-1.0, 0.0, 1.0], size=30)[clusters]
        rejected += sign_flip_test(common, sampling, resamples=400, seed=trial) < 0.05
    assert rejected / 200 < 0.10


def test_holm_hand_computed() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_monotone_and_between_raw_and_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for raw, own in zip(p_values, adjusted, strict=True):
        assert raw <= own <= min(1.0, len(p_values) * max(p_values))
    by_raw = [a for _, a in sorted(zip(p_values, adjusted, strict=True))]
    assert by_raw == sorted(by_raw)
