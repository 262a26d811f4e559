"""What a start costs: the seconds a passage, measured on this machine."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spider.corpus.corpus import Corpus
from spider.encoders.bert import BertSettings
from spider.interfaces import PassageEncoder

PROBED_PASSAGES = 48
"""About 0.5 s of all-MiniLM-L6-v2 on two cores, and 10 s of an encoder with 24 layers."""


def measure(start: str, corpus: Corpus) -> float:
    """Return the seconds a passage of the untouched start, on passages spread over a corpus.

    Raises:
        SpiderError: the start cannot be used; a ConfigError says that it is too large.
    """
    from spider.encoders.encoding import EncodingSettings
    from spider.encoders.loading import resolve_device
    from spider.encoders.transformer.inference import BertEncoder

    settings = BertSettings(start=start)
    settings.check()
    with tempfile.TemporaryDirectory(prefix="spider-probe-") as folder:
        tokenizer = settings.tokenizer([], Path(folder))
    module = settings.build(tokenizer, seed=0)
    encoder = BertEncoder(module.to(resolve_device("auto")).eval(), EncodingSettings())
    count = min(len(corpus), PROBED_PASSAGES)
    chosen = np.linspace(0, len(corpus) - 1, count).astype(int).tolist()
    titles, texts = corpus.titles(chosen), corpus.texts(chosen)
    # compiling and the first batch are no cost of each passage
    _seconds(encoder, titles[:4], texts[:4])
    return _seconds(encoder, titles, texts) / count


def _seconds(encoder: PassageEncoder, titles: Sequence[str], texts: Sequence[str]) -> float:
    started = time.perf_counter()
    encoder.encode_passages(titles, texts)
    return time.perf_counter() - started
