"""Generates text for batches of prompts: greedy decoding, sampling or beam search.

Each prompt is read once, and its samples continue from copies of that state. Finished rows leave
the batch.
"""

import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from jamba_reader.cache.cache import Cache
from jamba_reader.constraints.contract import Constraint, forbidden
from jamba_reader.generation.beam_search import find_beams, replay
from jamba_reader.generation.results import Generation, Piece
from jamba_reader.generation.row import GenerationRow
from jamba_reader.generation.sampling import (
    draw,
    log_probabilities,
    penalise_repetition,
    tokens_seen,
    warp,
)
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.model.memory_budget import check_memory
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.model.prompt_chunks import check_prompts
from jamba_reader.tokenization.token_bytes import TokenBytes
from spider.errors import ConfigError

logger = logging.getLogger(__name__)

OnPiece = Callable[[Piece], None]


def generate(
    model: JambaLanguageModel,
    prompts: Sequence[Sequence[int]],
    settings: GenerationSettings,
    *,
    vocabulary: TokenBytes | None = None,
    constraint: Constraint | None = None,
    on_piece: OnPiece | None = None,
    progress: bool = False,
) -> list[Generation]:
    """Continue prompts; return the continuations, ordered by prompt.

    Args:
        model: the language model.
        prompts: token ids of each prompt.
        settings: how text is generated.
        vocabulary: bytes of the tokens; without it the text is empty and stop strings are refused.
        constraint: restricts what may be generated, for every row.
        on_piece: called with each token and its text as they are generated.
        progress: show a progress line while prompts are read.

    Raises:
        DataError: a prompt is empty, or an id is not in the vocabulary.
        ConfigError: prompts and continuations need more memory than there is, or settings
            contradict each other.
        CheckpointError: the model's scores are not numbers.
    """
    found = []
    for piece in stream(
        model,
        prompts,
        settings,
        vocabulary=vocabulary,
        constraint=constraint,
        progress=progress,
    ):
        if on_piece is not None:
            on_piece(piece)
        if piece.finished is not None:
            found.append(piece.finished)
    return sorted(found, key=lambda one: (one.prompt, one.sample))


def stream(
    model: JambaLanguageModel,
    prompts: Sequence[Sequence[int]],
    settings: GenerationSettings,
    *,
    vocabulary: TokenBytes | None = None,
    constraint: Constraint | None = None,
    progress: bool = False,
) -> Iterator[Piece]:
    """Continue prompts and yield each token with its text; see :func:`generate`.

    The joined text of a continuation's pieces is the text of its :class:`Generation`. A beam search
    knows its tokens only at its end and yields them then.
    """
    if not prompts:
        return
    check_prompts(prompts, model.config.vocab_size)
    if settings.stop and vocabulary is None:
        raise ConfigError("stop strings need a vocabulary: give vocabulary=TokenBytes(tokenizer)")
    end_ids = _end_ids(model, settings)
    _check_size(model, prompts, settings)
    rows = [
        [
            GenerationRow(
                prompt,
                number,
                sample,
                settings=settings,
                end_ids=end_ids,
                vocabulary=vocabulary,
                constraint=constraint,
            )
            for sample in range(settings.samples)
        ]
        for number, prompt in enumerate(prompts)
    ]
    with _evaluating(model):
        # space for the whole continuation; samples and beams are selected from it and keep it
        cache = model.new_cache(len(prompts), max(map(len, prompts)) + settings.max_new_tokens)
        logits = model.prefill(
            prompts, cache, chunk_tokens=settings.chunk_tokens, progress=progress
        )
        if settings.beams > 1:
            fresh = [samples[0].fork() for samples in rows]
            found = find_beams(model, prompts, fresh, cache, logits, settings, end_ids)
            for samples, beams in zip(rows, found, strict=True):
                for row, beam in zip(samples, beams, strict=False):
                    yield from replay(row, beam)
            return
        if settings.samples > 1:
            forks = [row.number for samples in rows for row in samples]
            cache.select(forks)
            logits = logits[forks]
        live = [row for samples in rows for row in samples]
        yield from _continued(model, prompts, live, cache, logits, settings, end_ids)


def _continued(
    model: JambaLanguageModel,
    prompts: Sequence[Sequence[int]],
    live: list[GenerationRow],
    cache: Cache,
    logits: Tensor,
    settings: GenerationSettings,
    end_ids: Sequence[int],
) -> Iterator[Piece]:
    """Yield the tokens of every row until all rows are finished."""
    seen = None
    if settings.repetition_penalty != 1.0:
        seen = tokens_seen([prompts[row.number] for row in live], logits)
    while True:
        tokens, pieces = _next_tokens(logits, live, seen, settings, end_ids)
        yield from pieces
        kept = [place for place, row in enumerate(live) if row.reason is None]
        if not kept:
            return
        if len(kept) < len(live):
            cache.select(kept)
            live = [live[place] for place in kept]
            tokens = tokens[kept]
            seen = seen[kept] if seen is not None else None
        if seen is not None:
            seen.scatter_(1, tokens[:, None], value=True)
        logits = model.step(tokens, cache)


def _next_tokens(
    logits: Tensor,
    live: Sequence[GenerationRow],
    seen: Tensor | None,
    settings: GenerationSettings,
    end_ids: Sequence[int],
) -> tuple[Tensor, list[Piece]]:
    """Choose the next token of each row; return the tokens and their pieces."""
    scores, plain = logits, log_probabilities(logits)
    if seen is not None:
        scores = penalise_repetition(scores, seen, settings.repetition_penalty)
    mask = forbidden([row.allowed() for row in live], logits.shape[1], end_ids, logits.device)
    dead = mask.all(dim=1).tolist()
    scores = scores.masked_fill(mask, -torch.inf)
    if settings.temperature > 0:
        # a row without an allowed token has no distribution; the token drawn for it is not used
        scores[dead] = 0.0
        scores = warp(
            scores,
            temperature=settings.temperature,
            top_k=settings.top_k,
            top_p=settings.top_p,
        )
        tokens = draw(scores, [row.uniform() for row in live])
    else:
        tokens = scores.argmax(dim=1)
    found = plain.gather(1, tokens[:, None])[:, 0].tolist()
    pieces = [
        row.end_here() if over else row.push(token, log_probability)
        for row, token, log_probability, over in zip(
            live, tokens.tolist(), found, dead, strict=True
        )
    ]
    return tokens, pieces


def _end_ids(model: JambaLanguageModel, settings: GenerationSettings) -> tuple[int, ...]:
    given = settings.end_ids if settings.end_ids is not None else model.config.eos_token_ids
    size = model.config.vocab_size
    if any(not 0 <= end < size for end in given):
        raise ConfigError(f"end-of-text tokens {list(given)}: expected ids from 0 to {size - 1}")
    return tuple(given)


def _check_size(
    model: JambaLanguageModel, prompts: Sequence[Sequence[int]], settings: GenerationSettings
) -> None:
    longest = max(map(len, prompts)) + settings.max_new_tokens
    check_memory(
        model.config,
        len(prompts),
        longest,
        model.dtype,
        model.device,
        settings.chunk_tokens,
        model.quantization,
        branches=max(settings.samples, settings.beams),
        weights_loaded=True,
    )
    if longest > model.config.max_position_embeddings:
        _warn_of_length(model.config.max_position_embeddings)


@functools.cache
def _warn_of_length(trained: int) -> None:
    logger.warning(
        "a prompt and its continuation are longer than the %s tokens that the model was made for "
        "(max_position_embeddings); the quality of the text is unknown",
        f"{trained:,}",
    )


@contextmanager
def _evaluating(model: JambaLanguageModel) -> Iterator[None]:
    """Put the model into evaluation mode, without dropout, and restore its mode."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
