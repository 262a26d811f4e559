"""Makes and loads transformers."""

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
from transformers.utils.logging import disable_progress_bar

from spider.encoders.start.progress_bars import without_bars
from spider.encoders.weights import report_misfit
from spider.errors import CheckpointError, DataError, first_line

POOLER = "pooler."
DROPOUTS = (
    "hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout",
    "embedding_dropout", "mlp_dropout",
)  # fmt: skip
"""The names of dropout rates in the configurations of BERT, DistilBERT and ModernBERT."""
logger = logging.getLogger(__name__)
# bars for files that are read or written within a second
disable_progress_bar()


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


def pretrained_transformer(folder: Path, *, dropout: float | None = None) -> PreTrainedModel:
    """Load a transformer in float32; DPR checkpoints are converted to BERT.

    Args:
        folder: a folder with a transformer's files.
        dropout: replaces the checkpoint's rates; null keeps them.

    Raises:
        DataError: there is no such model.
        CheckpointError: weights are missing or have other shapes, or the model needs code of its
            own.
    """
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if config.model_type == "dpr":
            return _from_dpr(folder, config, dropout)
        with without_bars():
            model, info = AutoModel.from_pretrained(
                folder,
                config=_with_dropout(config, dropout),
                output_loading_info=True,
                trust_remote_code=False,
                dtype=torch.float32,
            )
    except (OSError, ValueError, RuntimeError) as error:
        first = first_line(error)
        if "trust_remote_code" in str(error):
            raise CheckpointError(
                f"{folder}: this model needs Python code from its own repository (auto_map in "
                "config.json), which is never executed here; start from an architecture of "
                "transformers"
            ) from error
        raise DataError(f"no usable transformer ({first})", path=str(folder)) from error
    _check_loading(info, folder, allowed=POOLER)
    result: PreTrainedModel = model
    return result


def longest_text(model: PreTrainedModel) -> int | None:
    """Return the largest number of tokens that a transformer reads; None where any number works.

    RoBERTa and MPNet count positions from the number of their pad token, which leaves fewer.
    """
    limit = getattr(model.config, "max_position_embeddings", None)
    if not isinstance(limit, int) or limit < 1:
        return None
    for module in model.modules():
        positions = getattr(module, "position_embeddings", None)
        first = getattr(positions, "padding_idx", None)
        if isinstance(positions, torch.nn.Embedding) and isinstance(first, int):
            return limit - first - 1
    return limit


def _with_dropout(config: Any, dropout: float | None) -> Any:
    for name in DROPOUTS:
        if dropout is not None and isinstance(getattr(config, name, None), float | int):
            setattr(config, name, dropout)
    return config


def _from_dpr(folder: Path, config: Any, dropout: float | None) -> PreTrainedModel:
    """Take the BERT out of ``ctx_encoder.bert_model.*`` or ``question_encoder.bert_model.*``."""
    if config.projection_dim:
        raise CheckpointError(
            f"{folder}: projection_dim is {config.projection_dim}, expected 0: the vector has to "
            "be the [CLS] state"
        )
    architecture = (config.architectures or ["DPRContextEncoder"])[0]
    question = architecture == "DPRQuestionEncoder"
    dpr_class = DPRQuestionEncoder if question else DPRContextEncoder
    with without_bars():
        outer, info = dpr_class.from_pretrained(
            folder, output_loading_info=True, dtype=torch.float32
        )
    _check_loading(info, folder, allowed=POOLER)
    inner = (outer.question_encoder if question else outer.ctx_encoder).bert_model
    fields = BertConfig().to_dict().keys() - {"model_type", "architectures", "transformers_version"}
    values = {name: value for name, value in config.to_dict().items() if name in fields}
    model = BertModel(_with_dropout(BertConfig(**values), dropout))
    missing, unexpected = model.load_state_dict(inner.state_dict(), strict=False)
    report_misfit([k for k in missing if not k.startswith(POOLER)], unexpected, [], folder)
    logger.info("%s: took the BERT out of a %s", folder, architecture)
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
