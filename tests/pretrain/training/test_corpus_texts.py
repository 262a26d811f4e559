import pytest

from pretrain.training.corpus_texts import CorpusTexts


def test_the_vocabulary_sees_titles_once_a_document(training_corpus: tuple) -> None:
    corpus = training_corpus[0]
    texts = CorpusTexts(corpus, at_most=1000)
    assert len(texts) == len(corpus)
    assert texts[0] == f"{corpus.title(0)}\n{corpus.text(0)}"
    assert texts[1] == corpus.text(1)
    assert texts[2:4] == [corpus.text(2), corpus.text(3)]


def test_the_vocabulary_sees_evenly_spread_passages(training_corpus: tuple) -> None:
    corpus = training_corpus[0]
    texts = CorpusTexts(corpus, at_most=10)
    assert len(texts) == len(list(texts)) == 10
    # 48 passages, so every fifth one
    assert texts[1] == corpus.text(5)
    with pytest.raises(IndexError):
        texts[10]
