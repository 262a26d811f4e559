"""Offsets count code points, whatever the text's bytes are: each passage is a slice of its text."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spider.corpus.corpus import Corpus
from spider.corpus.document import Document
from spider.corpus.splitting import WordSplitter

# one, two, three and four bytes in UTF-8; a combining mark; spaces of several kinds
LETTERS = "aé東🦎𝒳\u0301 \n\u00a0\u2003"
TEXTS = st.text(LETTERS, min_size=1, max_size=60).filter(lambda text: text.split())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), words=st.integers(1, 5))
def test_passages_of_a_corpus_are_slices_of_its_documents(
    texts: list[str], words: int, make_corpus: Callable[..., Corpus]
) -> None:
    splitter = WordSplitter(words=words, minimum_tail=0)
    documents = [
        splitter.split(Document(id=f"d{n}", title="🦎", text=text)) for n, text in enumerate(texts)
    ]
    corpus = make_corpus(documents)
    for number, document in enumerate(documents):
        assert corpus.document(number).text == document.text
        positions = corpus.document_passages(number)
        assert document.passages is not None
        assert len(positions) == len(document.passages)
        for position, bounds in zip(positions, document.passages, strict=True):
            passage = corpus.passage(position)
            assert (passage.start, passage.end) == (bounds.start, bounds.end)
            assert passage.text == document.text[bounds.start : bounds.end]
            assert len(passage.text) == passage.end - passage.start
    # no letter is lost, none is given twice
    found = [
        letter for text in corpus.texts(range(len(corpus))) for letter in "".join(text.split())
    ]
    assert found == [letter for text in texts for letter in "".join(text.split())]


def test_offsets_after_letters_of_four_bytes(make_corpus: Callable[..., Corpus]) -> None:
    corpus = make_corpus([("T", ["🦎🦎 𝒳", "東京"])])
    second = corpus.passage(1)
    # nine bytes more than code points stand before it
    assert (second.start, second.end, second.text) == (5, 7, "東京")
