import numpy as np

from pretrain.pairings.title import Title


def test_query_is_the_title_and_positive_a_passage_without_it(
    training_corpus: tuple,
) -> None:
    corpus, spans, tokenizer, tokens = training_corpus
    pairing = Title().prepare(corpus, spans, tokens)
    assert len(pairing) == corpus.n_documents - 1  # one is held out
    rng = np.random.default_rng(0)
    for index in pairing.order(rng).tolist():
        example = pairing.example(index, rng)
        title = tokenizer.encode([corpus.title(example.positive)]).of(0)
        assert np.array_equal(example.query, title)
        assert not example.titled
        document = corpus.document_number(example.positive)
        assert example.known.tolist() == list(corpus.document_passages(document))
