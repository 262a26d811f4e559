"""One continuation during generation: tokens, text, state of the constraint, end."""

import copy
from collections.abc import Sequence

import numpy as np

from jamba_reader.constraints.contract import Allowed, Constraint, Quote
from jamba_reader.generation.results import FinishReason, Generation, Piece
from jamba_reader.generation.sampling import row_random
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.tokenization.text_stream import TextStream
from jamba_reader.tokenization.token_bytes import TokenBytes


class GenerationRow:
    """One continuation of one prompt.

    Args:
        prompt: token ids of the prompt.
        number: index of the prompt.
        sample: index of this continuation among those of the prompt.
        settings: how text is generated.
        end_ids: ids of the end-of-text tokens.
        vocabulary: bytes of the tokens; None produces no text.
        constraint: restricts what may be generated.
    """

    def __init__(
        self,
        prompt: Sequence[int],
        number: int,
        sample: int,
        *,
        settings: GenerationSettings,
        end_ids: Sequence[int],
        vocabulary: TokenBytes | None,
        constraint: Constraint | None,
    ):
        self.number = number
        self.sample = sample
        self.tokens: list[int] = []
        self.log_probabilities: list[float] = []
        self.reason: FinishReason | None = None
        self._settings = settings
        self._end_ids = frozenset(end_ids)
        self._vocabulary = vocabulary
        self._constraint = constraint
        self._state = constraint.start() if constraint is not None else ()
        self._stream = TextStream(settings.stop, include_stop=settings.include_stop)
        self._text: list[str] = []
        self._random = row_random(settings.seed, prompt, sample)

    def fork(self) -> "GenerationRow":
        """Return an independent copy."""
        other = copy.copy(self)
        other.tokens = list(self.tokens)
        other.log_probabilities = list(self.log_probabilities)
        other._text = list(self._text)
        other._stream = self._stream.fork()
        return other

    def uniform(self) -> float:
        """Return the row's next random number in [0, 1)."""
        return float(self._random.random())

    def allowed(self) -> Allowed:
        """Return what is allowed next, by the constraint and by ``min_new_tokens``."""
        early = len(self.tokens) < self._settings.min_new_tokens
        if self._constraint is None:
            return Allowed(np.zeros(0, np.int64), forbids=True, may_end=not early)
        allowed = self._constraint.allowed(self._state)
        return allowed._replace(may_end=allowed.may_end and not early)

    def push(self, token: int, log_probability: float) -> Piece:
        """Append a token."""
        self.tokens.append(token)
        self.log_probabilities.append(log_probability)
        text = ""
        if token in self._end_ids:
            self.reason = "end"
        else:
            if self._constraint is not None:
                self._state = self._constraint.advance(self._state, token)
            if self._vocabulary is not None:
                text = self._stream.push(self._vocabulary.of(token))
            if self._stream.stopped:
                self.reason = "stop"
            elif len(self.tokens) == self._settings.max_new_tokens:
                self.reason = "length"
        return self._piece(token, text)

    def end_here(self) -> Piece:
        """Finish the row because the constraint allows no token."""
        self.reason = "constraint"
        return self._piece(None, "")

    def generation(self, score: float | None = None) -> Generation:
        """Return the whole continuation."""
        quotes: tuple[Quote, ...] = ()
        if self._constraint is not None:
            quoted = [token for token in self.tokens if token not in self._end_ids]
            quotes = tuple(self._constraint.quotes(quoted))
        return Generation(
            self.number,
            self.sample,
            tuple(self.tokens),
            "".join(self._text),
            tuple(self.log_probabilities),
            self.reason or "length",
            quotes,
            score,
        )

    def _piece(self, token: int | None, text: str) -> Piece:
        if self.reason is not None:
            text += self._stream.finish()
        self._text.append(text)
        finished = self.generation() if self.reason is not None else None
        return Piece(self.number, self.sample, token, text, finished)
