"""The ``static`` encoder: a learned, weighted bag of word pieces, for CPUs.

A text's vector is the normalised sum of its tokens' vectors, each times its token's learned weight:
``v = normalise(sum_i w_i V_i)``. One table serves questions and passages. For inference the weights
are folded into the table, which then loads in sentence-transformers as StaticEmbedding + Normalize
(their mean and our sum differ by a factor that the normalisation removes).

Unlike the paper, which trains BERT on raw inner products, vectors have unit length, and the
training logits are ``score_multiplier`` times the cosine.

The module and the inference are in :mod:`spider.encoders.table`, so that settings can be made
without torch.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from spider.artifacts.records.encoder import EncoderRecord
from spider.encoders.encoding import EncodingSettings
from spider.errors import SettingError
from spider.settings import Execution
from spider.text.tokenizer import Tokenizer
from spider.text.vocabulary import settle_tokenizer

if TYPE_CHECKING:
    import spider.encoders.table.inference
    import spider.encoders.table.model


class StaticSettings:
    """Settings of the ``static`` encoder.

    Args:
        dimension: length of a vector.
        vocabulary_size: the largest number of word pieces; a small corpus gets fewer.
        lower_case: lower the case and strip accents.
        start_tokenizer: "" trains a vocabulary on the corpus; else a folder, a ``tokenizer.json``,
            a ``vocab.txt`` or a name on the hub.
        score_multiplier: the training logits are this times the cosine.
        initial_scale: standard deviation of the initial vectors' numbers.
    """

    variant = "static"
    learning_rate = 5e-3
    # the kernel sums rows in float32
    mixed_precision = False

    def __init__(
        self,
        *,
        dimension: int = 768,
        vocabulary_size: int = 30_000,
        lower_case: bool = True,
        start_tokenizer: Execution[str] = "",
        score_multiplier: float = 20.0,
        initial_scale: float = 0.05,
    ):
        for name, value in (("dimension", dimension), ("initial_scale", initial_scale)):
            if value <= 0:
                raise SettingError(name, value, "a number above 0")
        self.dimension = dimension
        self.vocabulary_size = vocabulary_size
        self.lower_case = lower_case
        self.start_tokenizer = start_tokenizer
        self.score_multiplier = score_multiplier
        self.initial_scale = initial_scale

    @property
    def starts(self) -> tuple[str, ...]:
        """The source of the vocabulary."""
        return (self.start_tokenizer,)

    def adapts(self) -> bool:
        """Return that training begins with random vectors."""
        return False

    def tokenizer(self, corpus_texts: Iterable[str], folder: Path) -> Tokenizer:
        """Train a vocabulary, or load the configured one; a tokenizer in ``folder`` is kept."""
        return settle_tokenizer(
            corpus_texts,
            folder,
            start=self.start_tokenizer,
            vocabulary_size=self.vocabulary_size,
            lower_case=self.lower_case,
        )

    def build(
        self,
        tokenizer: Tokenizer,
        *,
        seed: int,
        idf: Float[np.ndarray, " vocabulary"] | None = None,
    ) -> "spider.encoders.table.model.TrainableStatic":
        """Make the module: random vectors, weights from ``idf`` where given, else all one."""
        from spider.encoders.table.model import initial_static

        return initial_static(
            tokenizer,
            dimension=self.dimension,
            scale=self.initial_scale,
            score_multiplier=self.score_multiplier,
            seed=seed,
            idf=idf,
        )


def load(
    folder: Path,
    record: EncoderRecord,
    device: str = "cpu",
    encoding: EncodingSettings | None = None,
) -> "spider.encoders.table.inference.StaticEncoder":
    """Load an exported checkpoint; it always encodes on the CPU, in float32."""
    from spider.encoders.table.checkpoint import load_table
    from spider.encoders.table.inference import StaticEncoder

    table, tokenizer = load_table(folder, record.dimension)
    return StaticEncoder(table.numpy(), tokenizer)
