"""Two random crops of one passage: the pairing of Contriever."""

import numpy as np
from jaxtyping import Int64

from pretrain.pairings.documents import passages_of_length
from pretrain.pairings.pairing import PairExample
from spider.corpus.corpus import Corpus
from spider.errors import SettingError
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore


class IndependentCrop:
    """Query and positive are crops of one passage, drawn independently; they may overlap.

    Source: Izacard et al. 2022, *Unsupervised Dense Information Retrieval with Contrastive
    Learning*, section 3.1 (crops of 5 to 50 % with token deletion 0.1). Our passages are shorter
    than their 256-token documents, so a crop has at least ``minimum`` tokens.

    Args:
        shortest: smallest share of the passage in a crop.
        longest: largest share.
        minimum: smallest number of tokens in a crop; a passage with fewer than twice as many yields
            no pair.
        deletion: probability that a token of a crop is dropped.
        titled: show the positive with its title.
    """

    def __init__(
        self,
        *,
        shortest: float = 0.05,
        longest: float = 0.5,
        minimum: int = 5,
        deletion: float = 0.1,
        titled: bool = False,
    ):
        if not 0.0 < shortest <= longest <= 1.0:
            raise SettingError("shortest", shortest, f"above 0, and at most longest={longest} <= 1")
        if minimum < 1:
            raise SettingError("minimum", minimum, "at least 1")
        if not 0.0 <= deletion < 1.0:
            raise SettingError("deletion", deletion, "0 to less than 1")
        self.shortest = shortest
        self.longest = longest
        self.minimum = minimum
        self.deletion = deletion
        self.titled = titled

    def prepare(
        self, corpus: Corpus, spans: SpanStore, tokens: TokenStore
    ) -> "PreparedIndependentCrop":
        """Bind the settings to the training documents' passages."""
        return PreparedIndependentCrop(self, spans, tokens)


class PreparedIndependentCrop:
    """The passages that are long enough."""

    def __init__(self, settings: IndependentCrop, spans: SpanStore, tokens: TokenStore):
        self._settings = settings
        self._tokens = tokens
        self._positions = passages_of_length(spans, tokens, 2 * settings.minimum)

    def __len__(self) -> int:
        return len(self._positions)

    def order(self, rng: np.random.Generator) -> Int64[np.ndarray, " pairs"]:
        """Return a random order of the passages."""
        return rng.permutation(len(self._positions))

    def example(self, index: int, rng: np.random.Generator) -> PairExample:
        """Draw two crops."""
        position = int(self._positions[index])
        ids = self._tokens.passage(position)
        return PairExample(
            self._crop(ids, rng),
            position,
            known=np.array([position], dtype=np.int64),
            positive_text=self._crop(ids, rng),
            titled=self._settings.titled,
        )

    def _crop(self, ids: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        settings = self._settings
        share = rng.uniform(settings.shortest, settings.longest)
        size = min(max(settings.minimum, round(share * len(ids))), len(ids))
        start = int(rng.integers(len(ids) - size + 1))
        crop = ids[start : start + size]
        kept = crop[rng.random(size) >= settings.deletion]
        return kept if len(kept) else crop
