"""How text is generated, and what comes of it."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from jamba_reader.constraints.contract import Quote
from jamba_reader.tokenization.text_stream import check_stops
from spider.errors import ConfigError, SettingError

FinishReason = Literal["end", "stop", "length", "constraint"]
"""An end-of-text token; a stop string; the number of tokens; the constraint allows nothing."""


@dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """How text is generated.

    Attributes:
        max_new_tokens: at most this many, the end-of-text token included.
        min_new_tokens: no end-of-text token before this many.
        temperature: scores are divided by it before a token is drawn; 0 takes the best token.
        top_k: draw among this many best tokens; 0 draws among all.
        top_p: draw among the best tokens that have this probability together; 1 draws among all.
        repetition_penalty: scores of tokens in prompt or continuation are lowered by it; 1 is none.
        samples: continuations of each prompt; of a beam search, so many of its best.
        beams: width of the beam search; 1 is none.
        length_penalty: a beam's score is its log-probability over its length to this power.
        early_stopping: end a beam search once there are ``beams`` finished ones (true), once a
            running one is unlikely to overtake them (false), or cannot ("never").
        stop: strings that end the text.
        include_stop: keep the stop string.
        end_ids: end-of-text tokens; null takes the model's.
        seed: of the draws. A row draws by seed, its own prompt and its number among the samples.
        chunk_tokens: tokens of the prompts read at a time.

    Raises:
        ConfigError: a setting is out of range, or two do not go together.
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
        # beyond these a score, or a length to that power, is no finite number any more
        self._require("repetition_penalty", 1e-3 <= self.repetition_penalty <= 1e3, "0.001 to 1000")
        self._require("length_penalty", -10 <= self.length_penalty <= 10, "-10 to 10")
        check_stops(self.stop)
        if self.beams > 1 and self.temperature > 0:
            raise ConfigError("beams and temperature: a beam search draws nothing; set one of them")
        if self.samples > 1 and self.temperature == 0 and self.samples > self.beams:
            raise ConfigError(
                f"samples={self.samples} would all be alike: set a temperature, or as many beams"
            )

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise SettingError(name, getattr(self, name), expected)


class Generation(NamedTuple):
    """One continuation of one prompt.

    Attributes:
        prompt: its position among the prompts.
        sample: its number among the continuations of that prompt.
        tokens: all that were generated, the end-of-text token included.
        text: what they spell, up to a stop string; empty without a vocabulary.
        log_probabilities: of each token after the ones before it, by the model itself: before any
            penalty, temperature, cut-off or constraint.
        finish_reason: why it is over.
        quotes: the documents' spans within it, with a constraint.
        score: of a beam: its (penalised) log-probability over its length to the length penalty.
    """

    prompt: int
    sample: int
    tokens: tuple[int, ...]
    text: str
    log_probabilities: tuple[float, ...]
    finish_reason: FinishReason
    quotes: tuple[Quote, ...] = ()
    score: float | None = None


class Piece(NamedTuple):
    """What one step adds to one continuation.

    Attributes:
        prompt: position of the prompt.
        sample: number of the continuation.
        token: the token; None where only held-back text is added.
        text: text that is certain now; may be empty.
        finished: the whole continuation, once it is over.
    """

    prompt: int
    sample: int
    token: int | None
    text: str
    finished: Generation | None = None
