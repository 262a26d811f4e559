"""Settings of language-model training, which decide a model together with the corpus."""

import math
from dataclasses import dataclass, field

from jamba_reader.config import JambaConfig
from spider.corpus.split import SplitRule
from spider.errors import SettingError
from spider.settings import Execution
from spider.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class LanguageModelSettings:
    """Settings of a language model's training.

    Attributes:
        reader_size: shape of a new model; its vocabulary's size is the tokenizer's.
        start: a reader or Jamba checkpoint that training begins with; empty makes a new model.
        start_tokenizer: a folder with tokenizer.json; empty takes the tokenizer of start, or trains
            a vocabulary for a new model.
        vocabulary_size: the largest number of tokens where a vocabulary is trained.
        vocabulary_documents: a vocabulary is trained on at most this many documents.
        split: which documents are kept for validation and for testing, if there are no spans with a
            split.
        batch_size: sequences in a step; each continues where its last step ended.
        chunk_tokens: tokens of a sequence in one pass through the model.
        chunks_per_step: passes in a step; gradients flow between them, and not between steps.
        attention_memory: last tokens whose keys and values a sequence carries into the next step.
        validation_tokens: about this many tokens of the validation documents are read each time.
        mamba_time_steps: initialise a new model with Mamba's time steps; false uses transformers'.
        gradient_checkpointing: compute each layer twice instead of keeping what it computed.
        weight_decay: weight decay of matrices; A_log, D, norms, biases and embeddings have none.
        beta2: decay rate of AdamW's second moment.
        training: the training run.
    """

    reader_size: JambaConfig
    start: Execution[str] = ""
    start_tokenizer: Execution[str] = ""
    vocabulary_size: int = 8192
    vocabulary_documents: int = 20_000
    split: SplitRule = field(default_factory=SplitRule)
    batch_size: int = 8
    chunk_tokens: int = 256
    chunks_per_step: int = 1
    attention_memory: int = 512
    validation_tokens: int = 50_000
    mamba_time_steps: bool = True
    gradient_checkpointing: bool = False
    weight_decay: float = 0.1
    beta2: float = 0.95
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in ("vocabulary_documents", "batch_size", "chunk_tokens", "chunks_per_step"):
            if getattr(self, name) < 1:
                raise SettingError(name, getattr(self, name), "at least 1")
        for name in ("attention_memory", "validation_tokens", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(name, getattr(self, name), "0 or more")
        if not 0.0 <= self.beta2 < 1.0:
            raise SettingError("beta2", self.beta2, "0 to less than 1")
        if self.training.precision == "bf16":
            # the kernels' gradients were compared with transformers' in float32 only
            raise SettingError("training.precision", self.training.precision, "no")

    @property
    def learning_rate(self) -> float:
        """The peak learning rate: the configured one, else one that suits a small new model."""
        chosen = self.training.learning_rate
        return 2e-3 if chosen is None else chosen
