"""Settings of text generation."""

import math
from dataclasses import dataclass
from typing import Literal

from jamba_reader.tokenization.text_stream import check_stops
from spider.errors import ConfigError, SettingError


@dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """How text is generated.

    Attributes:
        max_new_tokens: largest number of new tokens, with the end-of-text token.
        min_new_tokens: smallest number of tokens before an end-of-text token.
        temperature: scores are divided by it before sampling; 0 takes the best token.
        top_k: sample from this many best tokens; 0 samples from all.
        top_p: sample from the best tokens with this total probability; 1 samples from all.
        repetition_penalty: lowers the scores of tokens in prompt and continuation; 1 is none.
        samples: continuations of each prompt; with a beam search, the number of best beams.
        beams: width of the beam search; 1 is none.
        length_penalty: a beam's score is its log-probability divided by its length to this power.
        early_stopping: end a beam search when there are ``beams`` finished beams (true), when a
            running beam is unlikely to overtake them (false), or when none can ("never").
        stop: strings that end the text.
        include_stop: keep the stop string in the text.
        end_ids: end-of-text tokens; null takes those of the model.
        seed: seed of the sampling. A row's numbers depend on the seed, its prompt and its index
            among the samples of the prompt.
        chunk_tokens: tokens of the prompts in one call of the model.

    Raises:
        ConfigError: a setting is out of range, or two settings contradict each other.
    """

    max_new_tokens: int = 256
    min_new_tokens: int = 0
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    samples: int = 1
    beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | Literal["never"] = False
    stop: tuple[str, ...] = ()
    include_stop: bool = False
    end_ids: tuple[int, ...] | None = None
    seed: int = 0
    chunk_tokens: int = 2048

    def __post_init__(self) -> None:
        for name in ("max_new_tokens", "samples", "beams", "chunk_tokens"):
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("min_new_tokens", "temperature", "top_k", "seed"):
            self._require(name, 0 <= getattr(self, name) < math.inf, "at least 0")
        self._require(
            "min_new_tokens",
            self.min_new_tokens <= self.max_new_tokens,
            "no more than max_new_tokens",
        )
        self._require("top_p", 0.0 <= self.top_p <= 1.0, "0 to 1")
        # outside these ranges a score, or a length to that power, can overflow
        self._require("repetition_penalty", 1e-3 <= self.repetition_penalty <= 1e3, "0.001 to 1000")
        self._require("length_penalty", -10 <= self.length_penalty <= 10, "-10 to 10")
        check_stops(self.stop)
        if self.beams > 1 and self.temperature > 0:
            raise ConfigError(
                "beams and temperature: a beam search does not sample; set only one of them"
            )
        if self.samples > 1 and self.temperature == 0 and self.samples > self.beams:
            raise ConfigError(
                f"samples={self.samples} would all be equal: set a temperature, or as many beams"
            )

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise SettingError(name, getattr(self, name), expected)
