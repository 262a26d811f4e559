"""The candidates for the label-free measure: transforms that make held-out queries."""

from dataclasses import replace

import numpy as np

from pretrain.spans.heldout import HeldoutQueries
from spider.corpus.corpus import Corpus
from spider.question import QuestionSet
from spider.questions.transforms.cloze import Cloze
from spider.questions.transforms.content_words import ContentWords
from spider.questions.transforms.first_sentence import FirstSentence
from spider.questions.transforms.heading import Heading
from spider.questions.transforms.keywords import Keywords
from spider.questions.transforms.mixture import Mixture
from spider.questions.transforms.passage_query import HeldoutTransform
from spider.questions.transforms.random_window import RandomWindow
from spider.questions.transforms.vocabulary_mismatch import VocabularyMismatch
from spider.spans.span_store import SpanStore

CANDIDATES: dict[str, HeldoutTransform] = {
    "random_window": RandomWindow(),
    "random_window, span removed": RandomWindow(keep_probability=0.0),
    "content_words": ContentWords(),
    "keywords": Keywords(),
    "cloze": Cloze(),
    "cloze, titled": Cloze(title="missing"),
    "vocabulary_mismatch, 0.2": VocabularyMismatch(shared=0.2, titled=0.0),
    "vocabulary_mismatch, 0.3": VocabularyMismatch(shared=0.3, titled=0.0),
    "vocabulary_mismatch, 0.4": VocabularyMismatch(shared=0.4, titled=0.0),
    "vocabulary_mismatch, 0.5": VocabularyMismatch(shared=0.5, titled=0.0),
    "vocabulary_mismatch, 0.2, titled": VocabularyMismatch(shared=0.2, titled=1.0),
    "vocabulary_mismatch, 0.3, titled": VocabularyMismatch(shared=0.3, titled=1.0),
    "vocabulary_mismatch, 0.3, half titled": VocabularyMismatch(shared=0.3),
    "vocabulary_mismatch, 0.5, titled": VocabularyMismatch(shared=0.5, titled=1.0),
    "vocabulary_mismatch, 0.5, half titled": VocabularyMismatch(shared=0.5),
    "heading": Heading(),
    "first_sentence": FirstSentence(),
    "mixture of cloze and mismatch, titled": Mixture(
        transforms=[Cloze(title="missing"), VocabularyMismatch(titled=1.0)]
    ),
}


def make_queries(
    transform: HeldoutTransform, corpus: Corpus, store: SpanStore, *, queries: int, seed: int = 0
) -> QuestionSet:
    """Make the test queries of a candidate, at most ``queries`` of them."""
    maker = HeldoutQueries(
        transform=transform, clusters_per_document=40, documents=10_000, seed=seed
    )
    made = maker.make("test", corpus, store)
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.permutation(len(made.questions))[:queries])
    return replace(made, questions=tuple(made.questions[int(place)] for place in kept))
