"""First sentence → rest: the query opens a document, its other passages are relevant."""

from collections.abc import Sequence

from spider.questions.transforms.passage_query import DocumentQuery
from spider.text.cloze.sentences import sentence_around

MOST_WORDS = 30


class FirstSentence:
    """The first sentence of a document, at most 30 words of it; the other passages are relevant."""

    def document_queries(self, title: str, passages: Sequence[str]) -> list[DocumentQuery]:
        """Make the one query of a document, if it has a second passage."""
        if len(passages) < 2 or not passages[0].strip():
            return []
        text = passages[0]
        begin = len(text) - len(text.lstrip())
        first, last = sentence_around(text, (begin, begin + 1))
        words = text[first:last].split()[:MOST_WORDS]
        rest = tuple(range(1, len(passages)))
        return [DocumentQuery(" ".join(words), (0,), rest, "first_sentence")]
