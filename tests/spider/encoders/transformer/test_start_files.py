"""What the files of a start say besides its modules."""

from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig, BertForMaskedLM

from spider.encoders.bert import BertSettings
from spider.encoders.transformer.start_files import read_start
from spider.errors import CheckpointError
from tests.spider.encoders.transformer.written_starts import (
    BERT,
    OLD_MEAN,
    SETTINGS,
    sentence_transformer,
    write,
)


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


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "[]"])
def test_damaged_files_are_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"modules\.json"):
        read_start(tmp_path)
