"""Prompts that a known encoder needs, and that its folder does not state."""

import pytest
from transformers import BertConfig, BertModel

from spider.encoders.bert import BertSettings
from spider.encoders.transformer.known_families import FAMILIES, warn_of_missing_prompts
from spider.encoders.transformer.recipe import VectorRecipe

SIZES = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
}  # fmt: skip


def test_missing_prompts_of_a_known_family_are_said_once(bert_tokenizer, tmp_path, caplog):
    folder = tmp_path / "e5-small-v2"
    BertModel(BertConfig(vocab_size=bert_tokenizer.vocabulary_size, **SIZES)).save_pretrained(
        folder
    )
    bert_tokenizer.save(folder)
    BertSettings(start=str(folder)).tokenizer([], tmp_path)
    line = next(one for one in caplog.messages if "prompts" in one)
    assert "'architecture.question_prompt=\"query: \"'" in line
    assert "architecture.pooling=mean architecture.normalize=true" in line
    caplog.clear()
    BertSettings(start=str(folder), question_prompt="").tokenizer([], tmp_path)
    assert "prompts" not in caplog.text


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("intfloat/e5-base-v2", "query: "),
        ("intfloat/multilingual-e5-large", "query: "),
        ("BAAI/bge-small-en-v1.5", FAMILIES[1].question),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: "),
        ("mixedbread-ai/mxbai-embed-large-v1", FAMILIES[1].question),
    ],
)
def test_families_are_known_by_name(name, prompt, caplog):
    warn_of_missing_prompts((name,), VectorRecipe(), given=False, states=True)
    assert f'"{prompt}"' in caplog.text
    assert "pooling" not in caplog.text


@pytest.mark.parametrize(
    "name", ["BAAI/bge-m3", "all-MiniLM-L6-v2", "some-e5", "bert-base-uncased"]
)
def test_others_need_no_prompt(name, caplog):
    warn_of_missing_prompts((name,), VectorRecipe(), given=False, states=True)
    assert not caplog.text


def test_stated_prompts_are_enough(caplog):
    recipe = VectorRecipe(question_prompt="query: ")
    warn_of_missing_prompts(("intfloat/e5-base-v2",), recipe, given=False, states=True)
    assert not caplog.text
