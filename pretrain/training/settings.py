"""Settings of contrastive training, which decide an encoder of given corpus and spans."""

import math
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from pretrain.training.adaptation import AdaptationSettings
from spider.encoders.corpus_fitted import CorpusFitted
from spider.errors import SettingError
from spider.training.settings import TrainingSettings

READ_WITHOUT_PAIRS = frozenset({"seed", "device", "save_every", "keep"})
"""Settings of a training run that a fit without pairs reads, or that change no content."""
PARTS = frozenset({"architecture", "pairings", "training", "adaptation"})


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
        """Refuse values out of range, and those that the architecture does not read."""
        if isinstance(self.architecture, CorpusFitted):
            _refuse_changed(self.training, "training.", self.architecture, read=READ_WITHOUT_PAIRS)
            _refuse_changed(self.adaptation, "adaptation.", self.architecture, read=frozenset())
            _refuse_changed(self, "", self.architecture, read=PARTS)
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


def _refuse_changed(
    settings: Any, path: str, architecture: CorpusFitted, *, read: frozenset[str]
) -> None:
    """Refuse settings of training on pairs, which a fit without pairs would ignore silently.

    Raises:
        SettingError: one of them does not have its default.
    """
    known = ContrastiveSettings if isinstance(settings, ContrastiveSettings) else type(settings)
    for one in fields(known):
        default = one.default if one.default_factory is MISSING else one.default_factory()
        value = getattr(settings, one.name)
        if one.name in read or value == default:
            continue
        usual = "null" if default is None else default
        own = f"; architecture.{one.name} is its own" if hasattr(architecture, one.name) else ""
        raise SettingError(
            f"{path}{one.name}",
            value,
            f"{usual}, the default: architecture={architecture.variant} is fitted without pairs "
            f"and does not read it{own}",
        )
