import numpy as np
import pytest

from pretrain.pairings.inverse_cloze import InverseCloze
from spider.errors import ConfigError


@pytest.mark.parametrize("keep", [0.0, 1.0])
def test_the_sentence_leaves_the_passage_or_stays(keep: float, training_corpus: tuple) -> None:
    corpus, spans, _, tokens = training_corpus
    pairing = InverseCloze(keep_probability=keep, negatives=1).prepare(corpus, spans, tokens)
    rng = np.random.default_rng(0)
    for index in range(len(pairing)):
        example = pairing.example(index, rng)
        assert example.positive_text is not None
        rest = len(example.positive_text) + (0 if keep else len(example.query))
        assert rest == tokens.length(example.positive)
        assert example.negative != example.positive
        document = corpus.document_number(example.positive)
        assert example.negative in corpus.document_passages(document)


def test_a_query_is_a_sentence(training_corpus: tuple) -> None:
    corpus, spans, tokenizer, tokens = training_corpus
    pairing = InverseCloze(minimum=4).prepare(corpus, spans, tokens)
    sentence = tokenizer.encode(["The end of it all."]).of(0).tolist()
    rng = np.random.default_rng(0)
    drawn = [pairing.example(index, rng).query.tolist() for index in range(len(pairing))]
    assert sentence in drawn
    assert any(query != sentence for query in drawn)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(ConfigError, match="keep_probability"):
        InverseCloze(keep_probability=2.0)
