"""All of mining on a small corpus: the record of the split, the queries, and equal bytes."""

from pathlib import Path

import numpy as np
import pytest

from pretrain.spans.mining import Mining, MiningResult
from pretrain.spans.settings import MiningSettings
from pretrain.spans.span_filters import SpanFilter
from spider.corpus.corpus import Corpus
from spider.corpus.split import NOT_USABLE, SplitRule, split_documents
from spider.questions.transforms.random_window import RandomWindow
from spider.spans.span_store import SpanStore

USABLE = 10


def documents() -> list[tuple[str, list[str]]]:
    """Ten documents with a recurring span of their own, and two without one."""
    with_span = [
        (f"T{n}", [f"alpha fox{'y' * n} beta", f"gamma fox{'y' * n} beta", "delta", "epsilon"])
        for n in range(USABLE)
    ]
    return [*with_span, ("U", ["one", "two", "three"]), ("V", ["four five"])]


def mined(corpus: Corpus, folder: Path, **settings: object) -> MiningResult:
    folder.mkdir()
    mining = Mining(
        MiningSettings(span_filter=SpanFilter(), query_transform=RandomWindow(), **settings)  # type: ignore[arg-type]
    )
    return mining.run(corpus, folder)


def test_the_split_is_the_rule_on_the_usable_documents(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus(documents())
    rule = SplitRule(seed=5)
    result = mined(corpus, tmp_path / "spans", split=rule)
    store = SpanStore(tmp_path / "spans")
    usable = np.arange(12) < USABLE
    assert np.array_equal(store.split.parts, split_documents(corpus, rule, usable).parts)
    assert (store.split.parts[USABLE:] == NOT_USABLE).all()
    assert result.counts["documents_usable"] == USABLE
    assert result.counts["training_pairs"] == 7
    assert result.counts["validation_queries"] == 1
    assert result.counts["test_queries"] == 2


def test_queries_come_from_their_part_alone(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus(documents())
    mined(corpus, tmp_path / "spans")
    store = SpanStore(tmp_path / "spans")
    for name in ("validation", "test"):
        held = {corpus.document_id(number) for number in store.split.held_out(name).tolist()}
        assert {question.cluster for question in store.heldout(name).questions} == held


def test_at_most_so_many_documents_get_queries(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus(documents())
    result = mined(corpus, tmp_path / "spans", heldout_documents=1)
    assert result.counts["test_queries"] == 1
    # the others are kept from training all the same
    assert len(SpanStore(tmp_path / "spans").split.test) == 2


def test_mining_twice_gives_the_same_bytes(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus(documents())
    for name in ("one", "two"):
        mined(corpus, tmp_path / name)
    files = [file for file in (tmp_path / "one").rglob("*") if file.is_file()]
    names = [file.relative_to(tmp_path / "one") for file in files]
    # shards are left over, and their counts hold times
    payload = [name for name in names if name.parts[0] != "shards"]
    assert len(payload) == 14
    for name in payload:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize(("padded", "setting", "dropped"), [
    (True, "auto", True), (False, "auto", False), (True, False, False), (False, True, True),
])  # fmt: skip
def test_the_record_says_whether_last_passages_were_dropped(
    make_corpus, tmp_path: Path, *, padded: bool, setting: object, dropped: bool
) -> None:
    corpus = make_corpus(documents(), last_passage_padded=padded)
    result = mined(corpus, tmp_path / "spans", drop_last=setting)
    assert result.record.last_passage_dropped is dropped
