"""Beam search with the candidates, the stopping rule and the scores of transformers.

A step considers the best ``beams`` · max(2, 1 + end tokens) continuations of each prompt's running
beams. Finished ones among the first ``beams`` compete for the finished beams by log-probability
divided by length to the power of the length penalty. The best unfinished ones continue. Prompts are
searched together and leave the batch one by one, so no prompt depends on another.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from jamba_reader.cache.cache import Cache
from jamba_reader.constraints.contract import forbidden
from jamba_reader.generation.results import Piece
from jamba_reader.generation.row import GenerationRow
from jamba_reader.generation.sampling import log_probabilities, penalise_repetition, tokens_seen
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.model.model import JambaLanguageModel


class _Beam(NamedTuple):
    """A continuation and its log-probability, after the repetition penalty."""

    row: GenerationRow
    score: float


class _Step(NamedTuple):
    """The rows of the batch that continue, each with its next token."""

    parents: list[int]
    tokens: list[int]


class _Search:
    """The beams of one prompt."""

    def __init__(self, fresh: GenerationRow, settings: GenerationSettings, ends: int):
        self.running = [_Beam(fresh, 0.0)]
        self.finished: list[_Beam] = []
        self._settings = settings
        self._candidates = max(2, 1 + ends) * settings.beams

    def advance(self, scores: Tensor, log_probabilities: Tensor) -> _Step:
        """Extend the beams by one token.

        Args:
            scores: scores of the next tokens of each running beam; minus infinity if forbidden.
            log_probabilities: log-probabilities by the model, without penalties.
        """
        self._finish_dead_ends(scores)
        before = torch.tensor(
            [beam.score for beam in self.running], dtype=scores.dtype, device=scores.device
        )
        flat = (scores + before[:, None]).flatten()
        best, places = torch.topk(flat, min(self._candidates, len(flat)))
        beams = self._settings.beams
        next_, step = list[_Beam](), _Step([], [])
        for rank, (score, place) in enumerate(zip(best.tolist(), places.tolist(), strict=True)):
            if score == -torch.inf:
                break
            parent, token = divmod(place, scores.shape[1])
            row = self.running[parent].row.fork()
            row.push(token, float(log_probabilities[parent, token]))
            if row.reason is None and len(next_) < beams:
                next_.append(_Beam(row, score))
                step.parents.append(parent)
                step.tokens.append(token)
            elif row.reason is not None and rank < beams:
                self._finish(row, score)
        self.running = next_
        return step

    @property
    def over(self) -> bool:
        """Whether no running beam can become one of the best."""
        if not self.running:
            return True
        if len(self.finished) < self._settings.beams:
            return False
        if self._settings.early_stopping is True:
            return True
        # compare with the score of the best running beam at the length that the setting implies
        best = self.running[0]
        penalty, length = self._settings.length_penalty, len(best.row.tokens)
        if self._settings.early_stopping == "never" and penalty > 0:
            length = self._settings.max_new_tokens
        return bool(best.score / length**penalty <= self.finished[-1].score)

    def _finish(self, row: GenerationRow, score: float) -> None:
        normalised = score / max(len(row.tokens), 1) ** self._settings.length_penalty
        self.finished.append(_Beam(row, normalised))
        self.finished.sort(key=lambda beam: -beam.score)
        del self.finished[self._settings.beams :]

    def _finish_dead_ends(self, scores: Tensor) -> None:
        """Finish the beams after which no token is allowed."""
        dead = torch.isneginf(scores).all(dim=1).tolist()
        for beam, over in zip(self.running, dead, strict=True):
            if over:
                beam.row.end_here()
                self._finish(beam.row, beam.score)


@torch.no_grad()
def find_beams(
    model: JambaLanguageModel,
    prompts: Sequence[Sequence[int]],
    fresh: Sequence[GenerationRow],
    cache: Cache,
    logits: Tensor,
    settings: GenerationSettings,
    end_ids: Sequence[int],
) -> list[list[_Beam]]:
    """Return the finished beams of each prompt, best first.

    Args:
        model: the language model.
        prompts: token ids of each prompt.
        fresh: a row without tokens for each prompt.
        cache: the cache after the prompts; not usable afterwards.
        logits: the logits after the prompts.
        settings: how text is generated.
        end_ids: ids of the end-of-text tokens.
    """
    searches = [_Search(row, settings, len(end_ids)) for row in fresh]
    live = list(searches)
    seen = None
    if settings.repetition_penalty != 1.0:
        seen = tokens_seen(prompts, logits)
    while True:
        rows = [beam.row for search in live for beam in search.running]
        scores = found = log_probabilities(logits)
        if seen is not None:
            scores = penalise_repetition(scores, seen, settings.repetition_penalty)
        mask = forbidden([row.allowed() for row in rows], logits.shape[1], end_ids, logits.device)
        scores = scores.masked_fill(mask, -torch.inf)
        parents, tokens, base = list[int](), list[int](), 0
        for search in live:
            part = slice(base, base + len(search.running))
            step = search.advance(scores[part], found[part])
            if not search.over:
                parents += [base + parent for parent in step.parents]
                tokens += step.tokens
            base = part.stop
        live = [search for search in live if not search.over]
        if not live:
            return [search.finished for search in searches]
        cache.select(parents)
        chosen = torch.tensor(tokens, dtype=torch.int64, device=logits.device)
        if seen is not None:
            seen = seen[parents].scatter(1, chosen[:, None], value=True)
        logits = model.step(chosen, cache)


def replay(fresh: GenerationRow, beam: _Beam) -> Iterator[Piece]:
    """Yield the pieces of a finished beam as if it had been generated token by token."""
    pieces = [
        fresh.push(token, log_probability)
        for token, log_probability in zip(beam.row.tokens, beam.row.log_probabilities, strict=True)
    ]
    if beam.row.reason == "constraint":
        pieces.append(fresh.end_here())
    yield from pieces[:-1]
    yield pieces[-1]._replace(finished=fresh.generation(beam.score))
