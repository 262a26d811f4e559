import numpy as np

from pretrain.pairings.heading import Heading, Section, sections


def test_the_query_is_title_and_heading_and_the_positive_is_of_its_section(
    training_corpus: tuple,
) -> None:
    corpus, spans, tokenizer, tokens = training_corpus
    pairing = Heading().prepare(corpus, spans, tokens)
    assert len(pairing) == corpus.n_documents - 1  # one is held out
    rng = np.random.default_rng(0)
    places = set()
    for index in pairing.order(rng).tolist():
        for _ in range(4):
            example = pairing.example(index, rng)
            document = corpus.document_number(example.positive)
            first = corpus.document_passages(document)[0]
            places.add(example.positive - first)
            title = tokenizer.encode([f"{corpus.title(first)} Part {document}"]).of(0)
            assert np.array_equal(example.query, title)
            assert not example.titled
            assert example.known.tolist() == list(corpus.document_passages(document))
            if example.positive == first + 2:
                rest = corpus.text(first + 2).partition("\n")[2]
                assert np.array_equal(example.positive_text, tokenizer.encode([rest]).of(0))
            else:
                assert example.positive_text is None
    assert places == {2, 3}  # the third passage has the heading, the fourth continues its section


def test_sections_computed_by_hand(make_corpus) -> None:
    body = "some words that follow a heading in its section"
    texts = [body, f"First\n{body}", body, f"{body}\nSecond\n{body}\nThird\n{body}", body]
    corpus = make_corpus([("Book", texts)])
    two = len(body) + 1
    three = two + len("Second\n") + len(body) + 1
    assert sections(corpus, 0, np.arange(5)) == [
        Section(0, 1, 3, 0, 5, len(texts[1])),
        Section(0, 3, 4, two, two + 6, three),
        Section(0, 3, 5, three, three + 5, len(texts[3])),
    ]
    # a passage that is held out ends a section
    assert [s.stop for s in sections(corpus, 0, np.array([1, 3]))] == [2, 4, 4]
