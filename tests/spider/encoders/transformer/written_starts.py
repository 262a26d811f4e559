"""Folders of sentence-transformers as its old and new versions write them, without weights."""

import json
from pathlib import Path
from typing import Any

TRANSFORMER = {
    "idx": 0,
    "name": "0",
    "path": "",
    "type": "sentence_transformers.models.Transformer",
}
POOLING = {**TRANSFORMER, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
NORMALIZE = {
    **TRANSFORMER,
    "path": "2_Normalize",
    "type": "sentence_transformers.base.modules.normalize.Normalize",
}
DENSE = {**TRANSFORMER, "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
OLD_CLS = {"word_embedding_dimension": 8, "pooling_mode_cls_token": True}
OLD_MEAN = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
SETTINGS = "config_sentence_transformers.json"
BERT = {"config.json": {"model_type": "bert", "architectures": ["BertModel"]}}


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, value in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(json.dumps(value))
    return folder


def sentence_transformer(pooling: dict[str, Any], *modules: dict[str, Any]) -> dict[str, Any]:
    return {
        "modules.json": [TRANSFORMER, POOLING, *modules],
        "1_Pooling/config.json": pooling,
    }


def module(kind: str) -> dict[str, Any]:
    return {**TRANSFORMER, "path": "2_Other", "type": f"sentence_transformers.models.{kind}"}


def dense(**changes: Any) -> dict[str, Any]:
    config = {"in_features": 8, "out_features": 4, **changes}
    return {**sentence_transformer(OLD_CLS, DENSE), "2_Dense/config.json": config}
