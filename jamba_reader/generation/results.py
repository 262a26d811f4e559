"""Results of text generation."""

from typing import Literal, NamedTuple

from jamba_reader.constraints.contract import Quote

FinishReason = Literal["end", "stop", "length", "constraint"]
"""An end-of-text token, a stop string, the number of tokens, or no token that is allowed."""


class Generation(NamedTuple):
    """One continuation of one prompt.

    Attributes:
        prompt: index of the prompt.
        sample: index of the continuation among those of the prompt.
        tokens: all generated tokens, with the end-of-text token.
        text: the text of the tokens, up to a stop string; empty without a vocabulary.
        log_probabilities: log-probability of each token by the model itself, before any penalty,
            temperature, cut-off or constraint.
        finish_reason: why the text ended.
        quotes: the spans of documents in the text, if there is a constraint.
        score: score of a beam: its (penalised) log-probability divided by its length to the power
            of the length penalty.
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
    """The part of a continuation that one step adds.

    Attributes:
        prompt: index of the prompt.
        sample: index of the continuation.
        token: the token; None if the constraint ended the text.
        text: text that is final now; may be empty.
        finished: the whole continuation, in its last piece.
    """

    prompt: int
    sample: int
    token: int | None
    text: str
    finished: Generation | None = None
