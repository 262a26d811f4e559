"""Writes an encoder as a folder that transformers and sentence-transformers load.

The files follow sentence-transformers before 5.4, which newer versions read as well.
"""

from pathlib import Path
from typing import Any

from tokenizers import models

from spider.artifacts.atomic_files import write_json, write_text
from spider.encoders.sentence_transformers_layout import write_layout
from spider.encoders.start.progress_bars import without_bars
from spider.encoders.transformer.head import VectorHead, save_dense
from spider.encoders.transformer.modules import OLD_POOLINGS, POOLINGS
from spider.encoders.transformer.recipe import Dense, VectorRecipe
from spider.text.tokenizer import Tokenizer

NEW_NAMES = {ours: theirs for theirs, ours in POOLINGS.items()}


def save_encoder(model: Any, head: VectorHead, tokenizer: Tokenizer, folder: Path) -> None:
    """Write a folder that AutoModel and SentenceTransformer can load.

    sentence-transformers has one maximum length, which is that of passages.

    Args:
        model: a transformers model.
        head: pooling and the steps after it.
        tokenizer: the tokenizer of the same vocabulary.
        folder: an existing folder.
    """
    recipe = head.recipe
    with without_bars():
        model.save_pretrained(folder)
    _save_tokenizer(tokenizer, folder, recipe.max_passage_length)
    write_json(
        folder / "sentence_bert_config.json",
        {"max_seq_length": recipe.max_passage_length, "do_lower_case": False},
    )
    modules = [("Transformer", ""), ("Pooling", "1_Pooling")]
    for step in recipe.steps:
        name = type(step).__name__
        modules.append((name, f"{len(modules)}_{name}"))
    write_layout(
        folder,
        modules,
        similarity=recipe.similarity,
        prompts={"query": recipe.question_prompt, "document": recipe.passage_prompt},
    )
    for _, name in modules[1:]:
        (folder / name).mkdir(exist_ok=True)
    _save_pooling(recipe, int(model.config.hidden_size), folder / "1_Pooling")
    layers = iter(head.dense)
    for step, (_, name) in zip(recipe.steps, modules[2:], strict=True):
        if isinstance(step, Dense):
            _save_dense_settings(step, folder / name)
            save_dense(next(layers), folder / name)
        else:
            write_json(folder / name / "config.json", {})


def _save_tokenizer(tokenizer: Tokenizer, folder: Path, max_length: int) -> None:
    tokenizer.save(folder)
    inner = tokenizer.inner
    if isinstance(inner.model, models.WordPiece):
        vocabulary = inner.get_vocab(with_added_tokens=True)
        write_text(
            folder / "vocab.txt", "\n".join(sorted(vocabulary, key=vocabulary.__getitem__)) + "\n"
        )
    special = tokenizer.special
    names = {"pad": special.pad, "unk": special.unknown, "mask": special.mask}
    if special.prefix:
        names["cls"] = special.cls
    if special.suffix:
        names["sep"] = special.sep
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "do_lower_case": tokenizer.lower_case,
            "model_max_length": max_length,
            "model_input_names": ["input_ids", "attention_mask"],
            **{f"{role}_token": inner.id_to_token(number) for role, number in names.items()},
        },
    )


def _save_pooling(recipe: VectorRecipe, hidden: int, folder: Path) -> None:
    # the names from before 5.4 have no order; they are joined in the order of this table
    in_order = [name for name in OLD_POOLINGS.values() if name in recipe.pooling]
    modes: dict[str, Any] = {key: name in recipe.pooling for key, name in OLD_POOLINGS.items()}
    if in_order != list(recipe.pooling):
        modes = {"pooling_mode": [NEW_NAMES[name] for name in recipe.pooling]}
    write_json(
        folder / "config.json",
        {"word_embedding_dimension": hidden, **modes, "include_prompt": recipe.pools_prompt},
    )


def _save_dense_settings(step: Dense, folder: Path) -> None:
    place = "linear" if step.activation == "Identity" else "activation"
    settings: dict[str, Any] = {
        "in_features": step.inputs,
        "out_features": step.outputs,
        "bias": step.bias,
        "activation_function": f"torch.nn.modules.{place}.{step.activation}",
    }
    if step.residual:
        settings["use_residual"] = True
    write_json(folder / "config.json", settings)
