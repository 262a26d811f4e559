import numpy as np
import pytest

from pretrain.pairings.independent_crop import IndependentCrop
from spider.errors import ConfigError


def test_both_crops_come_from_one_training_passage(
    training_corpus: tuple,
) -> None:
    corpus, spans, _, tokens = training_corpus
    pairing = IndependentCrop(minimum=4, deletion=0.3).prepare(corpus, spans, tokens)
    heldout = spans.split.validation.tolist()
    assert len(pairing) == len(corpus) - sum(len(corpus.document_passages(n)) for n in heldout)
    rng = np.random.default_rng(0)
    for index in range(len(pairing)):
        example = pairing.example(index, rng)
        source = set(tokens.passage(example.positive).tolist())
        assert example.positive_text is not None
        for crop in (example.query, example.positive_text):
            assert 0 < len(crop) <= max(4, tokens.length(example.positive) / 2 + 1)
            assert set(crop.tolist()) <= source
        assert example.negative == -1
        assert example.known.tolist() == [example.positive]


def test_without_deletion_a_crop_is_a_contiguous_stretch(
    training_corpus: tuple,
) -> None:
    corpus, spans, _, tokens = training_corpus
    pairing = IndependentCrop(deletion=0.0).prepare(corpus, spans, tokens)
    example = pairing.example(0, np.random.default_rng(0))
    source, crop = tokens.passage(example.positive).tolist(), example.query.tolist()
    assert any(source[i : i + len(crop)] == crop for i in range(len(source)))


@pytest.mark.parametrize("wrong", [{"shortest": 0.0}, {"longest": 1.5}, {"deletion": 1.0}])
def test_wrong_settings_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        IndependentCrop(**wrong)  # type: ignore[arg-type]
