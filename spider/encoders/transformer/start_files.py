"""Reads from a checkpoint's files how its vectors are made: its recipe, and where its weights are.

Folders of sentence-transformers say it in ``modules.json``; versions 5.4 and later name modules and
poolings in another way than the older ones. A plain checkpoint says nothing, or only its
architecture. What cannot be represented is refused by name.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from spider.encoders.transformer.modules import read_modules
from spider.encoders.transformer.recipe import Pooling, VectorRecipe
from spider.encoders.transformer.refusal import refuse, refuse_configuration
from spider.errors import CheckpointError
from spider.reading import read_json_object

CONFIG = "config.json"
SETTINGS = "config_sentence_transformers.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
TRANSFORMER_CONFIGS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
POOLED_ARCHITECTURES: Mapping[str, Pooling] = {"Contriever": "mean"}
"""Plain checkpoints whose architecture alone says how they pool."""
LONGEST = 1_000_000
"""Tokenizers without a limit state 1e30 tokens."""
QUESTIONS = ("query",)
PASSAGES = ("document", "passage", "corpus")


class Start(NamedTuple):
    """A checkpoint on disk, and how its vectors are made.

    Attributes:
        folder: the checkpoint.
        transformer: the folder of the transformer's weights and vocabulary.
        dense: the folders of the dense layers' weights, in order.
        recipe: how its vectors are made; the lengths are the paper's.
        states: whether the files say how the vectors are made.
        question_length: the largest length of a question, if the files state one.
        passage_length: the largest length of a passage, if the files state one.
        lower_case: whether texts are lower-cased before the tokenizer's own rules.
    """

    folder: Path
    transformer: Path
    dense: tuple[Path, ...]
    recipe: VectorRecipe
    states: bool
    question_length: int | None
    passage_length: int | None
    lower_case: bool


def read_start(folder: Path) -> Start:
    """Read a checkpoint's files.

    Raises:
        CheckpointError: a file is damaged, or the checkpoint cannot be represented.
    """
    modules = read_modules(folder)
    transformer = folder if modules is None else modules.transformer
    config = _object(transformer / CONFIG)
    settings = _object(folder / SETTINGS)
    refuse_configuration(folder, transformer, config, settings)
    recipe = VectorRecipe() if modules is None else modules.recipe
    states = modules is not None
    for name in config.get("architectures") or ():
        pooling = POOLED_ARCHITECTURES.get(name)
        if pooling and modules is None:
            recipe, states = replace(recipe, pooling=(pooling,)), True
    recipe = replace(recipe, **_settings(folder, settings))
    details = next(filter(None, map(_object, (transformer / n for n in TRANSFORMER_CONFIGS))), {})
    _check_details(folder, details)
    longest = details.get("max_seq_length") or _tokenizer_length(transformer)
    return Start(
        folder=folder,
        transformer=transformer,
        dense=() if modules is None else modules.dense,
        recipe=recipe,
        states=states or "prompts" in settings,
        question_length=details.get("query_length") or longest,
        passage_length=details.get("document_length") or longest,
        lower_case=bool(details.get("do_lower_case")),
    )


def _settings(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a recipe that ``config_sentence_transformers.json`` states."""
    similarity = settings.get("similarity_fn_name")
    if similarity not in (None, "dot", "cosine"):
        refuse(folder, f"{similarity} similarity")
    prompts = settings.get("prompts") or {}
    if not isinstance(prompts, dict):
        raise CheckpointError(f"{folder / SETTINGS}: prompts: expected an object of texts")
    default = prompts.get(settings.get("default_prompt_name") or "")
    return {
        "similarity": similarity or "dot",
        "question_prompt": _prompt(folder, prompts, QUESTIONS, default),
        "passage_prompt": _prompt(folder, prompts, PASSAGES, default),
    }


def _prompt(
    folder: Path, prompts: dict[str, Any], names: tuple[str, ...], default: str | None
) -> str:
    """Return the first prompt of these names that is not empty; the default one where none is.

    sentence-transformers writes an empty ``document`` beside the ``passage`` of older folders.
    """
    stated = [prompts[name] for name in names if prompts.get(name) is not None]
    for prompt in [*stated, default]:
        if not isinstance(prompt, str | None):
            raise CheckpointError(f"{folder / SETTINGS}: prompts: expected texts, got {prompt!r}")
    return next(filter(None, stated), None) or ("" if stated else default or "")


def _check_details(folder: Path, details: dict[str, Any]) -> None:
    task = details.get("transformer_task", "feature-extraction")
    if task != "feature-extraction":
        refuse(folder, f"the transformer task {task}")
    for key in ("query_expansion", "processing_kwargs"):
        if details.get(key):
            refuse(folder, f"the setting {key}")
    output = details.get("module_output_name") or "token_embeddings"
    if output != "token_embeddings":
        refuse(folder, f"the output {output} of its transformer")
    for key in ("max_seq_length", "query_length", "document_length"):
        length = details.get(key)
        if length is not None and (type(length) is not int or length < 3):
            raise CheckpointError(f"{folder}: {key}: got {length!r}, expected a number from 3")


def _tokenizer_length(transformer: Path) -> int | None:
    length = _object(transformer / TOKENIZER_CONFIG).get("model_max_length")
    if isinstance(length, int | float) and 3 <= length <= LONGEST:
        return int(length)
    return None


def _object(path: Path) -> dict[str, Any]:
    return read_json_object(path, error=CheckpointError) if path.is_file() else {}
