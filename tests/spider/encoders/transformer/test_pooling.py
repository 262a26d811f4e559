import json
from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig, BertForMaskedLM

from spider.encoders.bert import BertSettings
from spider.encoders.transformer.pooling import check_pooling
from spider.errors import CheckpointError

TRANSFORMER = {
    "idx": 0,
    "name": "0",
    "path": "",
    "type": "sentence_transformers.models.Transformer",
}
POOLING = {**TRANSFORMER, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}
NORMALIZE = {**TRANSFORMER, "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
DENSE = {**TRANSFORMER, "path": "2_Dense", "type": "sentence_transformers.models.Dense"}
OLD_CLS = {"word_embedding_dimension": 8, "pooling_mode_cls_token": True}
OLD_MEAN = {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
SETTINGS = "config_sentence_transformers.json"


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


@pytest.mark.parametrize(
    ("files", "needed"),
    [
        ({"config.json": {"architectures": ["Contriever"]}}, r"mean pooling \(.* Contriever\)"),
        ({"config.json": {"architectures": ["HF_ColBERT"]}}, "one vector for each token"),
        (sentence_transformer(OLD_MEAN), "mean pooling"),
        (sentence_transformer({"pooling_mode": "mean"}), "mean pooling"),
        (sentence_transformer({"pooling_mode": ["cls", "max"]}), "cls and max pooling"),
        (sentence_transformer({"pooling_mode_lasttoken": True}), "lasttoken pooling"),
        (sentence_transformer({**OLD_CLS, "pooling_mode_mean_tokens": True}), "cls and mean"),
        (sentence_transformer({}), "an unknown pooling"),
        (sentence_transformer(OLD_CLS, NORMALIZE), "the module Normalize"),
        (sentence_transformer(OLD_CLS, DENSE), "the module Dense"),
        (
            {"modules.json": [{"type": "sentence_transformers.models.StaticEmbedding"}]},
            "the module StaticE",
        ),
        ({"1_Pooling/config.json": OLD_MEAN}, "mean pooling"),
        ({"2_Normalize/config.json": {}}, "the module 2_Normalize"),
        (
            {**sentence_transformer(OLD_CLS), SETTINGS: {"prompts": {"query": "query: "}}},
            "the prompt 'query: ' before each query",
        ),
        (
            {**sentence_transformer(OLD_CLS), SETTINGS: {"similarity_fn_name": "cosine"}},
            "cosine similarity",
        ),
    ],
)
def test_a_vector_that_is_not_the_cls_state_is_refused_by_name(
    files: dict[str, Any], needed: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=f"this encoder needs {needed}") as caught:
        BertSettings(start=str(write(tmp_path, files))).tokenizer([], tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"config.json": {"architectures": ["BertForMaskedLM"]}},
        sentence_transformer(OLD_CLS),
        sentence_transformer({"pooling_mode": "cls"}),
        {
            **sentence_transformer({"pooling_mode": ["cls"]}),
            SETTINGS: {"prompts": {"query": ""}, "similarity_fn_name": "dot"},
        },
        {SETTINGS: {"prompts": None, "similarity_fn_name": None}},
    ],
)
def test_a_plain_or_cls_checkpoint_passes(files: dict[str, Any], tmp_path: Path) -> None:
    check_pooling(write(tmp_path, files))


@pytest.mark.parametrize("text", ["{", "[1]", '"x"'])
def test_damaged_files_are_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"modules\.json"):
        check_pooling(tmp_path)


def test_a_masked_language_model_still_starts_training(bert_tokenizer, tmp_path):
    config = BertConfig(
        vocab_size=bert_tokenizer.vocabulary_size, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=32,
    )  # fmt: skip
    BertForMaskedLM(config).save_pretrained(tmp_path)
    bert_tokenizer.save(tmp_path)
    settings = BertSettings(start=str(tmp_path), max_query_length=16, max_passage_length=48)
    module = settings.build(settings.tokenizer([], tmp_path), seed=0)
    assert module.dimension == 16
