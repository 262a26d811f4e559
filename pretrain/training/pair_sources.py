"""The pairs of a training run: configured pairings, and those that suit the number of pairs."""

import logging

from pretrain.pairings.choice import RECURRING_SPAN, choose_pairings
from pretrain.pairings.independent_crop import IndependentCrop
from pretrain.pairings.pairing import Pairing, PreparedPairing
from pretrain.pairings.title import Title
from pretrain.training.adaptation import BATCH_SIZE
from pretrain.training.pair_stream import PairStream
from pretrain.training.settings import ContrastiveSettings
from spider.corpus.corpus import Corpus
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore

logger = logging.getLogger(__name__)

USUAL_BATCH_SIZE = 1_024
FURTHER: dict[str, type[IndependentCrop] | type[Title]] = {
    "independent_crop": IndependentCrop,
    "title": Title,
}
"""Pairings that are added where recurring spans alone are configured."""


def pair_stream(
    settings: ContrastiveSettings,
    corpus: Corpus,
    spans: SpanStore,
    tokens: TokenStore,
    *,
    adapts: bool,
    multiple: int = 1,
) -> tuple[PairStream, str]:
    """Return the stream of batches, and why pairings were added to it ("" if none were).

    Args:
        settings: the training's.
        corpus: passages.
        spans: its recurring spans.
        tokens: ids of its passages.
        adapts: whether the training starts from an encoder of texts.
        multiple: the batch size is a multiple of this.
    """
    pairings: dict[str, Pairing] = settings.pairings
    prepared: dict[str, PreparedPairing] = {
        name: pairing.prepare(corpus, spans, tokens) for name, pairing in pairings.items()
    }
    weights, reason = dict(settings.weights), ""
    if settings.enlarge_few and set(prepared) == {RECURRING_SPAN}:
        choice = choose_pairings(len(prepared[RECURRING_SPAN]), adapts=adapts)
        if set(choice.weights) != set(prepared):
            reason = choice.reason
            if reason:
                logger.info("%s", reason)
            weights = dict(choice.weights)
            for name in sorted(set(weights) - set(prepared)):
                prepared[name] = FURTHER[name]().prepare(corpus, spans, tokens)
    usual = BATCH_SIZE if adapts else USUAL_BATCH_SIZE
    stream = PairStream(
        prepared,
        weights=weights,
        batch_size=settings.batch_size or usual,
        seed=settings.training.seed,
        multiple=multiple,
    )
    return stream, reason
