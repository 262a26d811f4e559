"""The split of documents: exact shares, stability, and a record that others open."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.artifacts.artifact import Artifact
from spider.artifacts.atomic_files import save_array
from spider.artifacts.stage import Stage
from spider.corpus.split import (
    NOT_USABLE,
    RECORD,
    TEST,
    TRAIN,
    VALIDATION,
    DocumentSplit,
    SplitRule,
    open_split,
    order_by_hash,
    seeded_hash,
    split_documents,
)
from spider.errors import ArtifactError, ConfigError

RULE = SplitRule(seed=3)


def by_id(ids: list[str], rule: SplitRule = RULE) -> dict[str, int]:
    return dict(zip(ids, rule.parts(ids).tolist(), strict=True))


def test_the_hash_is_fixed_for_ever() -> None:
    # computed with: printf '0\0a.txt' | b2sum -l 64
    assert seeded_hash(0, "a.txt") == int("88d8a12d1ca5b054", 16)


def test_exact_shares_of_the_usable_documents() -> None:
    ids = [f"d{number}" for number in range(120)]
    found = RULE.parts(ids, np.arange(120) < 100)
    assert (found[:100] == TEST).sum() == 20
    assert (found[:100] == VALIDATION).sum() == 10
    assert (found[:100] == TRAIN).sum() == 70
    assert (found[100:] == NOT_USABLE).all()


def test_test_documents_have_the_smallest_hashes_and_validation_documents_the_largest() -> None:
    ids = [f"d{number}" for number in range(10)]
    order = sorted(ids, key=lambda name: seeded_hash(3, name))
    found = by_id(ids)
    assert [found[name] for name in order] == [TEST] * 2 + [TRAIN] * 7 + [VALIDATION]


@pytest.mark.parametrize(("total", "held"), [(0, 0), (1, 0), (2, 0), (3, 2), (10, 3)])
def test_small_corpora(total: int, held: int) -> None:
    assert (RULE.parts([str(number) for number in range(total)]) != TRAIN).sum() == held


def test_a_share_of_zero_holds_nothing_out() -> None:
    rule = SplitRule(validation_share=0.0, test_share=0.0)
    assert (rule.parts([str(number) for number in range(9)]) == TRAIN).all()


@given(st.integers(3, 60), st.data())
def test_an_edit_moves_few_documents(total: int, data: st.DataObject) -> None:
    ids = [f"d{number}" for number in range(total)]
    gone = data.draw(st.integers(0, total - 1))
    before, after = by_id(ids), by_id(ids[:gone] + ids[gone + 1 :])
    moved = [name for name in after if before[name] != after[name]]
    assert len(moved) <= 2
    assert not any({before[name], after[name]} == {TEST, VALIDATION} for name in moved)


def test_the_order_of_the_documents_does_not_matter() -> None:
    ids = [f"d{number}" for number in range(30)]
    assert by_id(ids) == by_id(ids[::-1])
    assert by_id(ids) != by_id(ids, SplitRule(seed=4))


@pytest.mark.parametrize(
    "shares", [(-0.1, 0.2), (0.1, -0.1), (0.5, 0.5), (0.1, float("nan")), (float("nan"), 0.1)]
)
def test_shares_are_checked(shares: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match=r"_share: got .*, expected (0 or more|less than 1)"):
        SplitRule(validation_share=shares[0], test_share=shares[1])


def test_a_sample_by_hash_keeps_its_documents_when_others_come() -> None:
    ids = [f"d{number}" for number in range(50)]
    few = order_by_hash(ids, range(40), 0)[:10]
    more = order_by_hash(ids, range(50), 0)[:10]
    assert len(set(few) & set(more)) >= 6
    assert [n for n in order_by_hash(ids, range(50), 0) if n < 40] == order_by_hash(
        ids, range(40), 0
    )


def test_documents_that_are_not_usable_are_for_training() -> None:
    split = DocumentSplit(np.array([TRAIN, VALIDATION, NOT_USABLE, TEST], dtype=np.uint8))
    assert split.training.tolist() == [0, 2]
    assert split.validation.tolist() == [1]
    assert split.test.tolist() == [3]


def spans_of(corpus, folder: Path, split: DocumentSplit) -> Artifact:
    stage = Stage(
        verb="mine", kind="spans", output=folder, config={}, inputs={"corpus": corpus.artifact}
    )
    with stage.writing() as partial:
        split.save(partial)
        return stage.finish(counts={})


def test_the_record_is_what_was_decided(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus([(f"t{number}", ["some text"]) for number in range(20)])
    usable = np.arange(20) % 4 > 0
    split = split_documents(corpus, RULE, usable)
    assert set(split.parts[~usable].tolist()) == {NOT_USABLE}
    opened = open_split(spans_of(corpus, tmp_path / "spans", split), corpus)
    assert np.array_equal(opened.parts, split.parts)


def test_the_record_of_another_corpus_is_refused(make_corpus, tmp_path: Path) -> None:
    corpus = make_corpus([("t", ["some text"])])
    spans = spans_of(corpus, tmp_path / "spans", split_documents(corpus, RULE))
    other = make_corpus([("t", ["other text"])], name="other")
    with pytest.raises(ArtifactError, match="spans splits a corpus with content hash"):
        open_split(spans, other)
    short = spans_of(corpus, tmp_path / "short", DocumentSplit(np.zeros(2, dtype=np.uint8)))
    with pytest.raises(ArtifactError, match="got 2 documents, expected 1"):
        open_split(short, corpus)


@pytest.mark.parametrize(
    "parts", [np.array([0, 7], np.uint8), np.zeros(2, np.int64), np.zeros((1, 2), np.uint8)]
)
def test_a_damaged_record_is_refused(tmp_path: Path, parts: np.ndarray) -> None:
    save_array(tmp_path / RECORD, parts)
    with pytest.raises(ArtifactError, match="expected"):
        DocumentSplit.load(tmp_path)


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"split\.npy: no such file"):
        DocumentSplit.load(tmp_path)
