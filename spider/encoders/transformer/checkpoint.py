"""Makes, loads and saves transformers; two other libraries can load the saved folders."""

import logging
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    BertConfig,
    BertModel,
    DPRContextEncoder,
    DPRQuestionEncoder,
    PreTrainedModel,
)

from spider.artifacts.atomic_files import write_json, write_text
from spider.encoders.sentence_transformers_layout import write_layout
from spider.encoders.transformer.pooling import check_pooling
from spider.encoders.weights import report_misfit
from spider.errors import CheckpointError, DataError, first_line
from spider.text.tokenizer import CLS, MASK, PAD, SEP, UNKNOWN, Tokenizer

POOLER = "pooler."
OTHER_POOLINGS = (
    "mean_tokens",
    "max_tokens",
    "mean_sqrt_len_tokens",
    "weightedmean_tokens",
    "lasttoken",
)
logger = logging.getLogger(__name__)


def new_transformer(
    *,
    vocabulary_size: int,
    hidden: int,
    layers: int,
    heads: int,
    dropout: float,
    pad_id: int,
    seed: int,
) -> PreTrainedModel:
    """Make a BERT with random weights; torch's global generator does not change."""
    config = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        pad_token_id=pad_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: PreTrainedModel = BertModel(config)
    return model


def pretrained_transformer(source: str | Path, *, dropout: float | None = None) -> PreTrainedModel:
    """Load a transformer from the hub or a folder; DPR checkpoints are converted to BERT.

    Args:
        source: a folder, or a name on the hub.
        dropout: replaces the checkpoint's, where its configuration names dropout as BERT's does.

    Raises:
        DataError: there is no such model.
        CheckpointError: weights are missing or have other shapes, or the vector is not the raw
            [CLS] state.
    """
    check_pooling(source)
    try:
        config = AutoConfig.from_pretrained(source)
        if config.model_type == "dpr":
            return _from_dpr(source, config, dropout)
        model, info = AutoModel.from_pretrained(
            source, config=_with_dropout(config, dropout), output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        first = first_line(error)
        raise DataError(f"no usable transformer ({first})", path=str(source)) from error
    _check_loading(info, source, allowed=POOLER)
    result: PreTrainedModel = model
    return result


def _with_dropout(config: Any, dropout: float | None) -> Any:
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        if dropout is not None and hasattr(config, name):
            setattr(config, name, dropout)
    return config


def _from_dpr(source: str | Path, config: Any, dropout: float | None) -> PreTrainedModel:
    """Take the BERT out of ``ctx_encoder.bert_model.*`` or ``question_encoder.bert_model.*``."""
    if config.projection_dim:
        raise CheckpointError(
            f"{source}: projection_dim is {config.projection_dim}, expected 0: the vector has to "
            "be the [CLS] state"
        )
    architecture = (config.architectures or ["DPRContextEncoder"])[0]
    question = architecture == "DPRQuestionEncoder"
    dpr_class = DPRQuestionEncoder if question else DPRContextEncoder
    outer, info = dpr_class.from_pretrained(source, output_loading_info=True)
    _check_loading(info, source, allowed=POOLER)
    inner = (outer.question_encoder if question else outer.ctx_encoder).bert_model
    fields = BertConfig().to_dict().keys() - {"model_type", "architectures", "transformers_version"}
    values = {name: value for name, value in config.to_dict().items() if name in fields}
    model = BertModel(_with_dropout(BertConfig(**values), dropout))
    missing, unexpected = model.load_state_dict(inner.state_dict(), strict=False)
    report_misfit([k for k in missing if not k.startswith(POOLER)], unexpected, [], source)
    logger.info("%s: took the BERT out of a %s", source, architecture)
    result: PreTrainedModel = model
    return result


def _check_loading(info: Any, source: str | Path, *, allowed: str) -> None:
    missing = sorted(name for name in info["missing_keys"] if allowed not in name)
    shapes = [
        f"{name} is {tuple(got)}, expected {tuple(expected)}"
        for name, got, expected in sorted(info["mismatched_keys"])
    ]
    unexpected = sorted(info["unexpected_keys"]) if missing else []
    report_misfit(missing, unexpected, shapes, source)


def save_transformer(model: Any, tokenizer: Tokenizer, folder: Path, max_length: int) -> None:
    """Write a folder that AutoModel and SentenceTransformer can load.

    Args:
        model: a transformers model.
        tokenizer: the tokenizer of the same vocabulary.
        folder: an existing folder.
        max_length: the largest length of a passage; sentence-transformers has one maximum only.
    """
    model.save_pretrained(folder)
    tokenizer.save(folder)
    vocabulary = tokenizer.inner.get_vocab(with_added_tokens=True)
    write_text(
        folder / "vocab.txt", "\n".join(sorted(vocabulary, key=vocabulary.__getitem__)) + "\n"
    )
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "do_lower_case": tokenizer.lower_case,
            "model_max_length": max_length,
            "model_input_names": ["input_ids", "attention_mask"],
            "pad_token": PAD,
            "unk_token": UNKNOWN,
            "cls_token": CLS,
            "sep_token": SEP,
            "mask_token": MASK,
        },
    )
    write_json(
        folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False}
    )
    write_layout(folder, [("Transformer", ""), ("Pooling", "1_Pooling")])
    (folder / "1_Pooling").mkdir(exist_ok=True)
    write_json(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": int(model.config.hidden_size),
            "pooling_mode_cls_token": True,
            **{f"pooling_mode_{mode}": False for mode in OTHER_POOLINGS},
            "include_prompt": True,
        },
    )
