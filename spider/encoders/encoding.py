"""Settings of encoding texts with a trained transformer."""

from dataclasses import dataclass
from typing import Literal

from spider.errors import SettingError
from spider.settings import Execution


@dataclass(frozen=True, kw_only=True)
class EncodingSettings:
    """How a transformer encodes; the static encoder needs no settings.

    Attributes:
        precision: type of the matrix products; weights and vectors are float32. auto is float16 on
            CUDA, as in DPR. On a CPU it is bfloat16 where the processor has AMX, the engine knows
            the transformer, and the vectors of some texts keep a cosine of 0.995 to those in
            float32; else float32.
        padded_tokens: tokens of a batch, padding included; null takes 2,048 on a CPU and 32,768 on
            CUDA.
    """

    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    padded_tokens: Execution[int | None] = None

    def __post_init__(self) -> None:
        """Refuse a batch without tokens."""
        if self.padded_tokens is not None and self.padded_tokens < 1:
            raise SettingError("padded_tokens", self.padded_tokens, "at least 1, or null")
