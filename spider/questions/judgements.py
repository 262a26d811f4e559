"""The passages of a corpus that a question's judgements name.

An id names the passage that has it. If no passage has it, it names every passage of the document
that has it. So a passage id matches that passage alone, and gold given by document matches any
passage of the document. An id that the corpus has for neither names nothing: a data set may judge
documents that its corpus lacks (ArguAna does).
"""

from collections.abc import Sequence

from spider.corpus.corpus import Corpus
from spider.errors import DataError
from spider.question import Question, QuestionSet


def named_positions(corpus: Corpus, name: str) -> Sequence[int]:
    """Return the positions that an id names, ascending; empty if the corpus has no such id."""
    passage = corpus.find_passage(name)
    if passage is not None:
        return (passage,)
    document = corpus.find_document(name)
    return () if document is None else corpus.document_passages(document)


def excluded_positions(questions: Sequence[Question], corpus: Corpus) -> list[list[int]]:
    """Return the positions of the excluded passages of each question.

    An id that the corpus lacks excludes nothing: no list can hold it.
    """
    return [
        sorted({place for name in question.excluded for place in named_positions(corpus, name)})
        for question in questions
    ]


def check_judgements(question_set: QuestionSet, corpus: Corpus) -> None:
    """Refuse judgements of which the corpus has none, because they are of another corpus.

    Raises:
        DataError: the questions name passages, and the corpus has none of them.
    """
    first = None
    for question in question_set.questions:
        for name in question.relevant:
            if named_positions(corpus, name):
                return
            first = first or (question.id, name)
    if first is not None:
        raise DataError(
            f"question set {question_set.name}: question {first[0]!r} names {first[1]!r}, and the "
            "corpus has neither a passage nor a document of any id that the questions name; "
            "prepare the corpus that they were made for",
            path=corpus.path,
        )
