"""Settings of contrastive training, which decide an encoder of given corpus and spans."""

import math
from dataclasses import dataclass, field
from typing import Any

from pretrain.training.adaptation import AdaptationSettings
from spider.errors import SettingError
from spider.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class ContrastiveSettings:
    """Settings of an encoder's training.

    Attributes:
        architecture: the encoder that is trained.
        pairings: the sources of pairs, by name.
        weights: share of a batch of each pairing, by name; a missing one weighs 1.
        enlarge_few: add crop and title pairs where recurring spans yield under 500 pairs.
        all_documents: refuse spans that hold documents out of training. True reproduces the paper,
            which holds out none; spans of ``split.validation_share=0 split.test_share=0`` do so.
        mask_known: leave passages that are known to answer a query out of its loss. False
            reproduces the paper.
        vocabulary_passages: a vocabulary is trained on at most this many passages, spread evenly.
        batch_size: queries in a step, over all processes; fewer if there are fewer pairs. null
            takes 1,024, or 64 where an encoder of texts is adapted.
        training: the training run.
        adaptation: what is particular to a start that is an encoder of texts already.
    """

    architecture: Any  # its type is EncoderSettings, whose module would load torch for --help
    pairings: dict[str, Any]  # the values are of type Pairing
    weights: dict[str, float] = field(default_factory=dict)
    enlarge_few: bool = True
    all_documents: bool = False
    mask_known: bool = True
    vocabulary_passages: int = 300_000
    batch_size: int | None = None
    training: TrainingSettings = field(default_factory=TrainingSettings)
    adaptation: AdaptationSettings = field(default_factory=AdaptationSettings)

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in ("batch_size", "vocabulary_passages"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingError(name, value, "at least 1")
        for name, weight in self.weights.items():
            if not 0 <= weight < math.inf:
                raise SettingError(f"weights.{name}", weight, "0 or more")
        if self.training.precision == "bf16" and not self.architecture.mixed_precision:
            raise SettingError(
                "training.precision",
                self.training.precision,
                f"no: architecture={self.architecture.variant} computes in float32 alone",
            )

    @property
    def learning_rate(self) -> float:
        """The peak learning rate: the configured one, else the architecture's."""
        chosen = self.training.learning_rate
        return float(self.architecture.learning_rate if chosen is None else chosen)
