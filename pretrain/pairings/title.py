"""A document's title and one of its passages."""

import numpy as np
from jaxtyping import Int64

from pretrain.pairings.documents import training_documents
from pretrain.pairings.pairing import PairExample
from spider.corpus.corpus import Corpus
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore


class Title:
    """The query is the title; the positive is a passage of the document.

    Source: Meng et al. 2023, *AugTriever*, section 3 (Doc-Title).

    Args:
        titled: show the positive with its title; the pair is trivial then.
    """

    def __init__(self, *, titled: bool = False):
        self.titled = titled

    def prepare(self, corpus: Corpus, spans: SpanStore, tokens: TokenStore) -> "PreparedTitle":
        """Bind the settings to the training documents that have a title."""
        return PreparedTitle(self, spans, tokens)


class PreparedTitle:
    """The training documents with a title and a passage."""

    def __init__(self, settings: Title, spans: SpanStore, tokens: TokenStore):
        self._settings = settings
        self._spans = spans
        self._tokens = tokens
        self._documents = np.array(
            [
                document
                for document in training_documents(spans).tolist()
                if len(tokens.title(document)) and len(spans.training_candidates(document))
            ],
            dtype=np.int64,
        )

    def __len__(self) -> int:
        return len(self._documents)

    def order(self, rng: np.random.Generator) -> Int64[np.ndarray, " pairs"]:
        """Return a random order of the documents."""
        return rng.permutation(len(self._documents))

    def example(self, index: int, rng: np.random.Generator) -> PairExample:
        """Draw a passage of the document."""
        document = int(self._documents[index])
        shown = self._spans.training_candidates(document)
        candidates = self._spans.candidates(document)
        return PairExample(
            self._tokens.title(document),
            int(shown[int(rng.integers(len(shown)))]),
            known=np.arange(candidates.start, candidates.stop, dtype=np.int64),
            titled=self._settings.titled,
        )
