"""Settles a start's recipe: what its files say, completed and replaced by settings."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from spider.encoders.start.vocabulary import start_tokenizer
from spider.encoders.transformer.known_families import warn_of_missing_prompts
from spider.encoders.transformer.recipe import (
    PASSAGE_LENGTH,
    QUESTION_LENGTH,
    Normalize,
    Pooling,
    TitleSeparator,
    VectorRecipe,
)
from spider.encoders.transformer.start_files import CONFIG, Start
from spider.encoders.transformer.towers import Towers, read_towers, warn_of_missing_tower
from spider.errors import CheckpointError
from spider.reading import read_json_object
from spider.text.tokenizer import Tokenizer

LONGEST = 8_192
"""The largest length of a text where neither files nor transformer state one."""


@runtime_checkable
class StartSettings(Protocol):
    """The settings that find a start and complete its recipe."""

    start: str
    question_start: str
    pooling: Pooling | None
    normalize: bool | None
    question_prompt: str | None
    passage_prompt: str | None
    title_separator: TitleSeparator | None
    max_query_length: int | None
    max_passage_length: int | None


def settled_start(settings: StartSettings) -> Towers:
    """Read the towers of a start, with the settings' recipe.

    Raises:
        CheckpointError: a checkpoint cannot be represented.
        DataError: there is no such folder or name.
    """
    towers = read_towers(settings.start, settings.question_start)
    first, *others = [settle(tower, settings) for tower in towers if tower is not None]
    return Towers(first, others[0] if others else None)


def warn_of_doubts(towers: Towers, settings: StartSettings) -> None:
    """Say what may be missing: prompts of a known encoder, or the other tower of a pair."""
    start = towers.passages
    warn_of_missing_tower(towers, settings.start)
    warn_of_missing_prompts(
        (settings.start, *_stated_names(start.transformer)),
        (towers.questions or start).recipe,
        given=settings.question_prompt is not None or settings.passage_prompt is not None,
        states=start.states,
    )


def settle(start: Start, settings: StartSettings) -> Start:
    """Complete and replace what a checkpoint's files say.

    Raises:
        CheckpointError: its dense layers belong to another pooling than the given one.
    """
    if settings.pooling is not None and start.dense:
        raise CheckpointError(
            f"{start.folder}: its Dense module belongs to its own pooling "
            f"({'+'.join(start.recipe.pooling)}); leave architecture.pooling out"
        )
    states = start.states or settings.pooling is not None
    recipe = _with_settings(start.recipe, settings)
    recipe = replace(
        recipe,
        max_question_length=_length(
            settings.max_query_length, start.question_length, QUESTION_LENGTH, states=states
        ),
        max_passage_length=_length(
            settings.max_passage_length, start.passage_length, PASSAGE_LENGTH, states=states
        ),
        title_separator=settings.title_separator or ("space" if states else "token"),
    )
    return start._replace(recipe=recipe, states=states)


def fresh_recipe(settings: StartSettings) -> VectorRecipe:
    """Return the paper's recipe with the settings' changes."""
    return replace(
        _with_settings(VectorRecipe(), settings),
        max_question_length=settings.max_query_length or QUESTION_LENGTH,
        max_passage_length=settings.max_passage_length or PASSAGE_LENGTH,
        title_separator=settings.title_separator or "token",
    )


def _length(given: int | None, stated: int | None, usual: int, *, states: bool) -> int:
    """Return a maximum length; a plain language model gets the usual one, whatever it reads."""
    if given is not None:
        return given
    return (stated or LONGEST) if states else usual


def _with_settings(recipe: VectorRecipe, settings: StartSettings) -> VectorRecipe:
    changed: dict[str, Any] = {}
    if settings.pooling is not None:
        changed["pooling"] = (settings.pooling,)
    if settings.normalize is not None:
        changed |= _normalized(recipe, wanted=settings.normalize)
    for key in ("question_prompt", "passage_prompt"):
        prompt = getattr(settings, key)
        if prompt is not None:
            changed[key] = prompt
    return replace(recipe, **changed)


def _normalized(recipe: VectorRecipe, *, wanted: bool) -> dict[str, Any]:
    if wanted:
        return {} if recipe.unit else {"steps": (*recipe.steps, Normalize())}
    steps = recipe.steps
    while steps and isinstance(steps[-1], Normalize):
        steps = steps[:-1]
    return {"steps": steps, "similarity": "dot"}


def tokenizer_of(towers: Towers, *, lower_case: bool) -> Tokenizer:
    """Load the tokenizer of a start; two towers have to have the same one.

    Raises:
        CheckpointError: they differ.
        DataError: there is no usable tokenizer.
    """
    found = [
        start_tokenizer(tower.transformer, lower_case=lower_case, lower_first=tower.lower_case)
        for tower in towers
        if tower is not None
    ]
    if len(found) > 1 and found[0].inner.to_str() != found[1].inner.to_str():
        raise CheckpointError(
            f"{towers[0].folder}: the towers of questions and passages have different tokenizers; "
            "give a pair that was trained together"
        )
    return found[0]


def _stated_names(transformer: Path) -> tuple[str, ...]:
    path = transformer / CONFIG
    config = read_json_object(path, error=CheckpointError) if path.is_file() else {}
    name = config.get("_name_or_path")
    return (name,) if isinstance(name, str) else ()
