"""Builds the module of a ``bert`` encoder: fresh, from a start, or from an exported folder."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from spider.artifacts.records.encoder import EncoderRecord
from spider.encoders.start.weights_size import check_memory
from spider.encoders.transformer.checkpoint import (
    longest_text,
    new_transformer,
    pretrained_transformer,
)
from spider.encoders.transformer.head import VectorHead, load_dense
from spider.encoders.transformer.model import Tower, TrainableBert
from spider.encoders.transformer.recipe import TEMPLATES, VectorRecipe
from spider.encoders.transformer.settling import StartSettings, fresh_recipe
from spider.encoders.transformer.start_files import Start, read_start
from spider.encoders.transformer.towers import QUESTION, Towers
from spider.errors import CheckpointError, ConfigError, SettingError
from spider.text.tokenizer import Tokenizer, load_tokenizer

UNIT_MULTIPLIER = 20.0
"""The training logits are this times a cosine; inner products of raw vectors need no factor."""


@runtime_checkable
class ModuleSettings(StartSettings, Protocol):
    """The settings that decide a module."""

    hidden: int
    layers: int
    heads: int
    dropout: float | None
    weight_decay: float
    padded_tokens: int
    score_multiplier: float | None


def fresh_encoder(tokenizer: Tokenizer, settings: ModuleSettings, *, seed: int) -> TrainableBert:
    """Make a BERT with random weights; without further settings, its vectors are the paper's."""
    model = new_transformer(
        vocabulary_size=tokenizer.vocabulary_size,
        hidden=settings.hidden,
        layers=settings.layers,
        heads=settings.heads,
        dropout=settings.dropout or 0.0,
        pad_id=tokenizer.pad_id,
        seed=seed,
    )
    recipe = _within_limit(fresh_recipe(settings), longest_text(model), settings)
    return _module(Tower(model, VectorHead(recipe)), None, tokenizer, settings)


def pretrained_encoder(
    towers: Towers, tokenizer: Tokenizer, settings: ModuleSettings
) -> TrainableBert:
    """Load the weights of a start.

    Raises:
        CheckpointError: weights are missing, or the vectors of two towers differ in length.
        ConfigError: the transformer is too small for the tokenizer or for a maximum length.
    """
    check_memory([start.transformer for start in towers if start is not None])
    passages = _tower(towers.passages, tokenizer, settings)
    questions = None
    if towers.questions is not None:
        questions = _tower(towers.questions, tokenizer, settings)
        if questions.dimension != passages.dimension:
            raise CheckpointError(
                f"{towers.passages.folder}: its vectors have {passages.dimension} numbers, those "
                f"of its question tower {questions.dimension}; give a pair that was trained "
                "together"
            )
    return _module(passages, questions, tokenizer, settings)


def exported_encoder(folder: Path, record: EncoderRecord) -> TrainableBert:
    """Load what ``TrainableBert.export`` wrote.

    Raises:
        CheckpointError: weights are missing, or the manifest and the files disagree.
    """
    lengths = record.max_length
    if lengths is None:
        raise CheckpointError(f"{folder}: the manifest names no maximum length; train it again")
    separators = {template: separator for separator, template in TEMPLATES.items()}
    if record.passage_template not in separators:
        raise CheckpointError(
            f"{folder}: the passage template is {record.passage_template!r}, expected one of "
            f"{sorted(separators)}; train it again, or use the version that made it"
        )
    tokenizer = load_tokenizer(folder, any_kind=True)

    def tower(place: Path) -> Tower:
        start = read_start(place)
        recipe = replace(
            start.recipe,
            max_question_length=lengths.question,
            max_passage_length=lengths.passage,
            title_separator=separators[record.passage_template],
        )
        return _load(start, recipe, dropout=0.0)

    return TrainableBert(
        tower(folder),
        tokenizer,
        questions=tower(folder / QUESTION) if record.towers else None,
        weight_decay=0.0,
        padded_tokens=1,
        score_multiplier=record.score_multiplier,
    )


def _tower(start: Start, tokenizer: Tokenizer, settings: ModuleSettings) -> Tower:
    dropout = 0.0 if settings.dropout is None and start.states else settings.dropout
    tower = _load(start, start.recipe, dropout=dropout)
    known = tower.model.config.vocab_size
    if known < tokenizer.vocabulary_size:
        raise ConfigError(
            f"the transformer knows {known} tokens, the tokenizer has "
            f"{tokenizer.vocabulary_size}; give architecture.start_tokenizer of the same model"
        )
    tower.head.recipe = _within_limit(start.recipe, longest_text(tower.model), settings)
    return tower


def _load(start: Start, recipe: VectorRecipe, *, dropout: float | None) -> Tower:
    model = pretrained_transformer(start.transformer, dropout=dropout)
    head = VectorHead(recipe)
    first = next(iter(recipe.dense), None)
    pooled = int(model.config.hidden_size) * len(recipe.pooling)
    if first is not None and first.inputs != pooled:
        raise CheckpointError(
            f"{start.dense[0]}: takes {first.inputs} numbers, and the pooling gives {pooled}"
        )
    load_dense(head, start.dense)
    return Tower(model, head)


def _within_limit(
    recipe: VectorRecipe, limit: int | None, settings: ModuleSettings
) -> VectorRecipe:
    """Cut the lengths that nobody gave to what the transformer reads; refuse those given."""
    if limit is None:
        return recipe
    for name in ("max_query_length", "max_passage_length"):
        length = getattr(settings, name)
        if length is not None and length > limit:
            raise SettingError(name, length, f"at most {limit}, the limit of this transformer")
    return replace(
        recipe,
        max_question_length=min(recipe.max_question_length, limit),
        max_passage_length=min(recipe.max_passage_length, limit),
    )


def _module(
    passages: Tower, questions: Tower | None, tokenizer: Tokenizer, settings: ModuleSettings
) -> TrainableBert:
    unit = passages.head.recipe.unit
    multiplier = settings.score_multiplier
    return TrainableBert(
        passages,
        tokenizer,
        questions=questions,
        weight_decay=settings.weight_decay,
        padded_tokens=settings.padded_tokens,
        score_multiplier=(UNIT_MULTIPLIER if unit else 1.0) if multiplier is None else multiplier,
    )
