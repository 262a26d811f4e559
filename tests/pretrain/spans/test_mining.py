"""All of mining on a small corpus: the record of the split, the queries, and equal bytes."""

from pathlib import Path

import numpy as np
import pytest

from pretrain.spans.mining import Mining, MiningResult
from pretrain.spans.settings import MiningSettings
from pretrain.spans.span_filters import SpanFilter
from spider.corpus.corpus import Corpus
from spider.corpus.split import NOT_USABLE, SECTIONS, TRAIN, SplitRule, split_documents
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
    assert len(payload) == 15
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


def book(passages: int) -> tuple[str, list[str]]:
    """A book in which four names recur, each in every fourth passage."""
    return "Book", [
        f"words {n} by Name Fox{'abcd'[n % 4] * 3} of page {n}" for n in range(passages)
    ]


def test_a_book_is_held_out_by_sections(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus([("Note", ["a", "b"]), book(100)])
    result = mined(corpus, tmp_path / "spans")
    store = SpanStore(tmp_path / "spans")
    assert store.split.parts.tolist() == [NOT_USABLE, SECTIONS]
    assert result.counts["documents_usable"] == 1
    assert result.counts["clusters"] == len(store) > 0
    assert result.counts["occurrences"] == len(store.positions)
    assert result.found["sections_by_split"] == {"train": 23, "validation": 3, "test": 7}
    parts = store.split.sections.parts_of(np.asarray(store.positions))
    for cluster, part in enumerate(store.cluster_parts().tolist()):
        where = slice(int(store.offsets[cluster]), int(store.offsets[cluster + 1]))
        assert set(parts[where].tolist()) == {part}
    trained = store.train_clusters()
    assert result.counts["training_pairs"] == len(trained) > 0
    assert {store.cluster_parts()[cluster] for cluster in trained.tolist()} == {TRAIN}


def test_queries_of_a_book_lie_in_its_held_out_sections(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus([book(100)])
    mined(corpus, tmp_path / "spans")
    store = SpanStore(tmp_path / "spans")
    for name in ("validation", "test"):
        held = {
            corpus.passage_id(position)
            for _, first, after, _ in store.split.sections_of(name)
            for position in range(first, after)
        }
        questions = store.heldout(name).questions
        clusters = {question.cluster for question in questions}
        assert 0.8 < len(clusters) / len(store.split.sections_of(name)) <= 1.0
        for question in questions:
            own, *others = question.excluded
            assert own in held
            assert set(question.relevant) <= held - {own}
            # the same name on pages of other parts is neither right nor wrong
            span = question.tags["recurring_span"]
            elsewhere = {
                corpus.passage_id(position)
                for position in range(100)
                if span in corpus.text(position) and corpus.passage_id(position) not in held
            }
            assert set(others) == elsewhere
            assert elsewhere
