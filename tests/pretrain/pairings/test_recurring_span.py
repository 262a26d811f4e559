import numpy as np
import pytest

from pretrain.pairings.pairing import other_passage
from pretrain.pairings.recurring_span import RecurringSpan
from spider.corpus.split import TRAIN
from spider.errors import ConfigError
from spider.questions.transforms.mask import Mask
from spider.questions.transforms.random_window import RandomWindow


def _contains(ids: np.ndarray, part: np.ndarray) -> bool:
    windows = np.lib.stride_tricks.sliding_window_view(ids, len(part))
    return bool((windows == part).all(axis=1).any())


def test_examples_obey_the_paper(training_corpus: tuple) -> None:
    corpus, spans, _, tokens = training_corpus
    keep = RandomWindow(keep_probability=1.0)
    pairing = RecurringSpan(transform=keep).prepare(corpus, spans, tokens)
    clusters = spans.train_clusters()
    assert len(pairing) == len(clusters) > 0
    rng = np.random.default_rng(0)
    for index in range(len(pairing)):
        example = pairing.example(index, rng)
        occurrences = spans.occurrences(int(clusters[index]))
        holders = set(occurrences.positions.tolist())
        document = corpus.document_number(example.positive)
        assert spans.split.parts[document] == TRAIN
        assert example.positive in holders
        assert set(example.known.tolist()) == holders
        assert example.negative not in holders
        assert example.negative in corpus.document_passages(document)
        sources = [p for p in holders if _contains(tokens.passage(p), example.query)]
        assert sources
        assert sources != [example.positive]
        first = occurrences.positions[0], occurrences.starts[0], occurrences.ends[0]
        span = tokens.passage(int(first[0]))[slice(*tokens.token_range(*map(int, first)))]
        assert _contains(example.query, span)


def test_every_ordered_pair_of_passages_is_equally_likely(
    training_corpus: tuple,
) -> None:
    corpus, spans, _, tokens = training_corpus
    pairing = RecurringSpan(transform=RandomWindow()).prepare(corpus, spans, tokens)
    sizes = [len(pairing.example(i, np.random.default_rng(0)).known) for i in range(len(pairing))]
    index = int(np.argmax(sizes))
    assert sizes[index] == 3
    rng = np.random.default_rng(2)
    drawn = [pairing.example(index, rng).positive for _ in range(600)]
    _, counts = np.unique(drawn, return_counts=True)
    assert len(counts) == 3
    assert counts.min() > 150  # 200 expected; 150 is 4.3 standard deviations away


def test_a_pass_is_a_permutation_and_the_cap_bounds_documents(
    training_corpus: tuple,
) -> None:
    corpus, spans, _, tokens = training_corpus
    whole = RecurringSpan(transform=RandomWindow()).prepare(corpus, spans, tokens)
    order = whole.order(np.random.default_rng(0))
    assert sorted(order.tolist()) == list(range(len(whole)))
    capped = RecurringSpan(transform=RandomWindow(), per_document_cap=1).prepare(
        corpus, spans, tokens
    )
    documents = spans.documents[spans.train_clusters()]
    orders = [capped.order(np.random.default_rng(seed)) for seed in range(4)]
    for order in orders:
        assert len(order) == len(capped) == len(np.unique(documents))
        assert len(np.unique(documents[order])) == len(order)
    assert len({tuple(sorted(order.tolist())) for order in orders}) > 1


def test_a_negative_is_uniform_over_what_is_free() -> None:
    rng = np.random.default_rng(0)
    without = np.array([11, 13], dtype=np.int64)
    drawn = {other_passage(range(10, 15), without, rng) for _ in range(100)}
    assert drawn == {10, 12, 14}
    assert other_passage(range(11, 12), without, rng) == -1


def test_masks_stand_between_ranges(training_corpus: tuple) -> None:
    corpus, spans, _, tokens = training_corpus
    pairing = RecurringSpan(transform=Mask()).prepare(corpus, spans, tokens)
    query = pairing.example(0, np.random.default_rng(0)).query
    assert tokens.mask_id in query.tolist()


def test_without_negatives(training_corpus: tuple) -> None:
    corpus, spans, _, tokens = training_corpus
    pairing = RecurringSpan(transform=RandomWindow(), negatives=0).prepare(corpus, spans, tokens)
    assert pairing.example(0, np.random.default_rng(0)).negative == -1


@pytest.mark.parametrize("wrong", [{"negatives": 2}, {"per_document_cap": 0}])
def test_wrong_settings_are_named(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        RecurringSpan(transform=RandomWindow(), **wrong)
