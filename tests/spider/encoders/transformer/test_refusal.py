"""What cannot be represented is refused by name."""

from pathlib import Path
from typing import Any

import pytest

from spider.encoders.bert import BertSettings
from spider.errors import CheckpointError
from tests.spider.encoders.transformer.written_starts import (
    OLD_CLS,
    POOLING,
    SETTINGS,
    TRANSFORMER,
    dense,
    module,
    sentence_transformer,
    write,
)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"config.json": {"architectures": ["HF_ColBERT"]}}, "this is ColBERT, .* each token"),
        ({"config.json": {"architectures": ["BertForSequenceClassification"]}}, "cross-encoder"),
        ({"config.json": {"is_encoder_decoder": True, "model_type": "t5"}}, r"decoder \(t5\)"),
        ({SETTINGS: {"model_type": "SparseEncoder"}}, "a sparse encoder"),
        ({SETTINGS: {"model_type": "CrossEncoder"}}, "a cross-encoder"),
        ({SETTINGS: {"model_type": "MultiVectorEncoder"}}, "one vector for each token"),
        ({SETTINGS: {"similarity_fn_name": "euclidean"}}, "euclidean similarity"),
        ({"adapter_config.json": {}}, "LoRA adapters; merge them"),
        (sentence_transformer({}), "a pooling that .* does not name"),
        (sentence_transformer({"pooling_mode": "median"}), "the pooling median, expected cls"),
        (sentence_transformer({"pooling_mode_median": True}), "the pooling pooling_mode_median"),
        (sentence_transformer(OLD_CLS, module("LayerNorm")), "the module LayerNorm at place 2"),
        (sentence_transformer(OLD_CLS, POOLING), "the module Pooling at place 2"),
        (
            {"modules.json": [TRANSFORMER, module("WeightedLayerPooling")]},
            "the module WeightedLayerPooling",
        ),
        ({"modules.json": [TRANSFORMER, module("SpladePooling")]}, "the module SpladePooling"),
        ({"modules.json": [module("Router")]}, "the module Router"),
        ({"modules.json": [module("StaticEmbedding")]}, "the module StaticEmbedding"),
        ({"modules.json": [TRANSFORMER]}, "vectors of single tokens"),
        (dense(activation_function="my.Activation"), "the activation my.Activation"),
        (dense(activation_function="torch.nn.Transformer"), "the activation torch.nn.Trans"),
        (dense(module_input_name="token_embeddings"), "a Dense module of token_embeddings"),
        ({"modules.json": [{**TRANSFORMER, "path": "../other"}]}, "path: got '../other'"),
        ({"sentence_bert_config.json": {"query_expansion": {"length": 32}}}, "query_expansion"),
        ({"sentence_bert_config.json": {"transformer_task": "fill-mask"}}, "task fill-mask"),
    ],
)
def test_what_cannot_be_represented_is_refused_by_name(
    files: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=said) as caught:
        BertSettings(start=str(write(tmp_path, files))).tokenizer([], tmp_path)
    assert "\n" not in str(caught.value)
