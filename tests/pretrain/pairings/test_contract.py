"""What every pairing keeps, whatever it pairs. A new one is one entry in ``PAIRINGS``."""

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pretrain.pairings.heading import Heading
from pretrain.pairings.independent_crop import IndependentCrop
from pretrain.pairings.inverse_cloze import InverseCloze
from pretrain.pairings.pairing import NO_NEGATIVE, PairExample, Pairing, PreparedPairing
from pretrain.pairings.recurring_span import RecurringSpan
from pretrain.pairings.title import Title
from pretrain.spans.mining import Mining
from pretrain.spans.settings import MiningSettings
from pretrain.spans.span_filters import SpanFilter
from spider.corpus.split import TRAIN
from spider.launch.verbs import FOLDER
from spider.questions.transforms.mask import Mask
from spider.questions.transforms.prefix import Prefix
from spider.questions.transforms.random_window import RandomWindow
from spider.spans.span_store import SpanStore
from spider.text.token_store import build_token_store

PAIRINGS = {
    "recurring_span": RecurringSpan(transform=RandomWindow()),
    "recurring_span, span kept": RecurringSpan(transform=RandomWindow(keep_probability=1.0)),
    "recurring_span, masked": RecurringSpan(transform=Mask()),
    "recurring_span, prefix": RecurringSpan(transform=Prefix(), negatives=0),
    "recurring_span, capped": RecurringSpan(transform=RandomWindow(), per_document_cap=1),
    "heading": Heading(),
    "heading, without title": Heading(titled=False),
    "independent_crop": IndependentCrop(),
    "independent_crop, titled": IndependentCrop(titled=True, deletion=0.5),
    "inverse_cloze": InverseCloze(),
    "inverse_cloze, a negative": InverseCloze(negatives=1, keep_probability=1.0),
    "title": Title(),
    "title, titled": Title(titled=True),
}


@pytest.fixture(params=sorted(PAIRINGS))
def pairing(request: pytest.FixtureRequest) -> Pairing:
    return PAIRINGS[request.param]


@pytest.fixture
def prepared(pairing: Pairing, training_corpus: tuple) -> PreparedPairing:
    corpus, spans, _, tokens = training_corpus
    return pairing.prepare(corpus, spans, tokens)


def same(one: PairExample, other: PairExample) -> bool:
    return all(
        np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
        for a, b in zip(one, other, strict=True)
    )


def examples(prepared: PreparedPairing, seed: int) -> list[PairExample]:
    rng = np.random.default_rng(seed)
    return [prepared.example(int(index), rng) for index in prepared.order(rng)]


def test_every_yaml_of_the_family_is_tested() -> None:
    named = {re.split(",", name)[0] for name in PAIRINGS}
    files = {path.stem for path in Path(FOLDER / "pairing").glob("*.yaml")}
    assert named == files
    for name in files:
        target = yaml.safe_load((FOLDER / "pairing" / f"{name}.yaml").read_text())["_target_"]
        assert type(PAIRINGS[name]).__name__ == target.rpartition(".")[2]


def test_it_follows_the_protocols(pairing: Pairing, prepared: PreparedPairing) -> None:
    assert isinstance(pairing, Pairing)
    assert isinstance(prepared, PreparedPairing)
    assert len(prepared) > 0


def test_every_pass_has_each_pair_of_its_length_once(prepared: PreparedPairing) -> None:
    for seed in range(3):
        order = prepared.order(np.random.default_rng(seed))
        assert order.dtype == np.int64
        assert len(order) == len(prepared)
        assert len(np.unique(order)) == len(order)
        assert order.min() >= 0


def test_the_generator_is_the_only_chance(pairing: Pairing, training_corpus: tuple) -> None:
    corpus, spans, _, tokens = training_corpus
    one = examples(pairing.prepare(corpus, spans, tokens), seed=5)
    other = examples(copy.deepcopy(pairing).prepare(corpus, spans, tokens), seed=5)
    assert all(map(same, one, other))
    third = examples(pairing.prepare(corpus, spans, tokens), seed=6)
    assert not all(map(same, one, third))


def test_no_held_out_document_is_trained_on(prepared: Any, training_corpus: tuple) -> None:
    corpus, spans, _, _ = training_corpus
    for example in examples(prepared, seed=0):
        for position in (example.positive, example.negative):
            if position != NO_NEGATIVE:
                part = spans.split.parts[corpus.document_number(position)]
                assert part == TRAIN or part == 255


def test_a_negative_is_of_the_same_document_and_not_known(
    prepared: Any, training_corpus: tuple
) -> None:
    corpus = training_corpus[0]
    found = examples(prepared, seed=1)
    for example in found:
        assert example.positive in example.known
        assert np.array_equal(example.known, np.unique(example.known))
        if example.negative != NO_NEGATIVE:
            assert example.negative not in example.known
            documents = {corpus.document_number(p) for p in (example.positive, example.negative)}
            assert len(documents) == 1


def test_queries_have_tokens_of_the_corpus(prepared: Any, training_corpus: tuple) -> None:
    tokenizer = training_corpus[2]
    for example in examples(prepared, seed=2):
        assert len(example.query) > 0
        assert np.asarray(example.query).min() >= 0
        assert np.asarray(example.query).max() < tokenizer.vocabulary_size
        if example.positive_text is not None:
            assert len(example.positive_text) > 0
            assert np.asarray(example.positive_text).max() < tokenizer.vocabulary_size


def test_no_pair_has_a_held_out_passage_of_a_large_document(
    pairing: Pairing, make_corpus: Any, training_corpus: tuple, tmp_path: Path
) -> None:
    texts = [
        f"Part {n}\nwords {n} by Name Fox{'abcd'[n % 4] * 3} of the page number {n}"
        for n in range(60)
    ]
    corpus = make_corpus([("Book of pages", texts)])
    (tmp_path / "spans").mkdir()
    settings = MiningSettings(span_filter=SpanFilter(), query_transform=RandomWindow())
    Mining(settings).run(corpus, tmp_path / "spans")
    spans = SpanStore(tmp_path / "spans")
    tokens = build_token_store(corpus, training_corpus[2], tmp_path / "tokens")
    withheld = set(spans.split.withheld(0).tolist())
    assert withheld
    prepared = pairing.prepare(corpus, spans, tokens)
    assert len(prepared)
    drawn = [example for seed in range(5) for example in examples(prepared, seed)]
    assert not withheld & {example.positive for example in drawn}
    assert not withheld & {example.negative for example in drawn}
