"""What folders of sentence-transformers say, in old and new versions; what is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig, BertForMaskedLM

from spider.encoders.bert import BertSettings
from spider.encoders.transformer.recipe import Dense, Normalize
from spider.encoders.transformer.start_files import read_start
from spider.errors import CheckpointError

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


@pytest.mark.parametrize(
    ("pooling", "modes"),
    [
        (OLD_CLS, ("cls",)),
        (OLD_MEAN, ("mean",)),
        ({"pooling_mode": "mean"}, ("mean",)),
        ({"pooling_mode": "lasttoken", "include_prompt": True}, ("last_token",)),
        ({"pooling_mode": ["max", "weightedmean"]}, ("max", "weighted_mean")),
        ({**OLD_CLS, "pooling_mode_mean_sqrt_len_tokens": True}, ("cls", "mean_sqrt_len")),
        ({"pooling_mode_cls_token": False}, ("mean",)),
    ],
)
def test_poolings_of_old_and_new_versions(
    pooling: dict[str, Any], modes: tuple[str, ...], tmp_path: Path
) -> None:
    start = read_start(write(tmp_path, {**BERT, **sentence_transformer(pooling)}))
    assert start.recipe.pooling == modes
    assert start.states
    assert not start.recipe.unit


def test_modules_after_the_pooling_keep_their_order(tmp_path: Path) -> None:
    files = sentence_transformer(OLD_MEAN, NORMALIZE, DENSE)
    activation = {"activation_function": "torch.nn.modules.linear.Identity", "bias": False}
    files["2_Dense/config.json"] = {"in_features": 8, "out_features": 4, **activation}
    start = read_start(write(tmp_path, {**BERT, **files}))
    last = Dense(inputs=8, outputs=4, bias=False, activation="Identity")
    assert start.recipe.steps == (Normalize(), last)
    assert start.dense == (tmp_path / "2_Dense",)
    assert start.recipe.description == "mean, normalise, dense 8 to 4"


def test_a_folder_that_was_copied_without_its_list_of_modules(tmp_path: Path) -> None:
    files = {**BERT, "1_Pooling/config.json": OLD_MEAN, "2_Normalize/config.json": {}}
    assert read_start(write(tmp_path, files)).recipe.unit


@pytest.mark.parametrize(
    ("prompts", "expected"),
    [
        ({"prompts": {"query": "q: ", "passage": "p: "}}, ("q: ", "p: ")),
        ({"prompts": {"query": "q: ", "document": "d: ", "passage": "p: "}}, ("q: ", "d: ")),
        # written by sentence-transformers beside the prompt of an older folder
        ({"prompts": {"query": "q: ", "document": "", "passage": "p: "}}, ("q: ", "p: ")),
        ({"prompts": {"all": "a: "}, "default_prompt_name": "all"}, ("a: ", "a: ")),
        (
            {"prompts": {"all": "a: ", "query": ""}, "default_prompt_name": "all"},
            ("", "a: "),
        ),
        ({"prompts": None}, ("", "")),
    ],
)
def test_prompts(prompts: dict[str, Any], expected: tuple[str, str], tmp_path: Path) -> None:
    files = {**BERT, **sentence_transformer(OLD_MEAN), SETTINGS: prompts}
    recipe = read_start(write(tmp_path, files)).recipe
    assert (recipe.question_prompt, recipe.passage_prompt) == expected


def test_lengths_of_old_and_new_versions(tmp_path: Path) -> None:
    files = {**BERT, **sentence_transformer(OLD_MEAN)}
    write(tmp_path, {**files, "tokenizer_config.json": {"model_max_length": 77}})
    assert read_start(tmp_path).passage_length == 77
    write(tmp_path, {"sentence_bert_config.json": {"max_seq_length": 20, "query_length": 9}})
    start = read_start(tmp_path)
    assert (start.question_length, start.passage_length) == (9, 20)
    write(tmp_path, {"sentence_bert_config.json": {"max_seq_length": "20"}})
    with pytest.raises(CheckpointError, match="max_seq_length: got '20'"):
        read_start(tmp_path)


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


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "[]"])
def test_damaged_files_are_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"modules\.json"):
        read_start(tmp_path)


def test_a_plain_checkpoint_has_the_vectors_of_the_paper(bert_tokenizer, tmp_path):
    config = BertConfig(
        vocab_size=bert_tokenizer.vocabulary_size, hidden_size=16, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=32,
    )  # fmt: skip
    BertForMaskedLM(config).save_pretrained(tmp_path)
    bert_tokenizer.save(tmp_path)
    settings = BertSettings(start=str(tmp_path), max_query_length=16)
    module = settings.build(settings.tokenizer([], tmp_path), seed=0)
    assert module.dimension == 16
    assert module.recipe.pooling == ("cls",)
    assert module.recipe.title_separator == "token"
    assert (module.recipe.max_question_length, module.recipe.max_passage_length) == (16, 240)
    assert module.score_multiplier == 1.0


def test_contriever_says_its_pooling_by_its_architecture(tmp_path: Path) -> None:
    start = read_start(write(tmp_path, {"config.json": {"architectures": ["Contriever"]}}))
    assert start.recipe.pooling == ("mean",)
