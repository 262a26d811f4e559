"""The candidates for the label-free measure: transforms that make held-out queries."""

from dataclasses import replace

import numpy as np

from pretrain.spans.heldout import AnyTransform, HeldoutQueries
from spider.corpus.corpus import Corpus
from spider.question import QuestionSet
from spider.questions.transforms.cloze import Cloze
from spider.questions.transforms.content_words import ContentWords
from spider.questions.transforms.first_sentence import FirstSentence
from spider.questions.transforms.heading import Heading
from spider.questions.transforms.keywords import Keywords
from spider.questions.transforms.mixture import Mixture
from spider.questions.transforms.random_window import RandomWindow
from spider.spans.span_store import SpanStore

CANDIDATES: dict[str, AnyTransform] = {
    "random_window": RandomWindow(),
    "random_window, span removed": RandomWindow(keep_probability=0.0),
    "content_words": ContentWords(),
    "keywords": Keywords(),
    "cloze": Cloze(),
    "cloze, titled": Cloze(title="missing"),
    "heading": Heading(),
    "first_sentence": FirstSentence(),
    "mixture of cloze and heading": Mixture(transforms=[Cloze(), Heading()]),
}


def make_queries(
    transform: AnyTransform, corpus: Corpus, store: SpanStore, *, queries: int, seed: int = 0
) -> QuestionSet:
    """Make the test queries of a candidate, at most ``queries`` of them."""
    maker = HeldoutQueries(
        transform=transform, clusters_per_document=40, documents=10_000, seed=seed
    )
    made = maker.make("test", corpus, store)
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.permutation(len(made.questions))[:queries])
    return replace(made, questions=tuple(made.questions[int(place)] for place in kept))
