"""Exported folders: what the tests of vectors do not show."""

import json
from dataclasses import replace

import pytest

from spider.encoders.transformer.head import VectorHead
from spider.encoders.transformer.recipe import VectorRecipe
from spider.encoders.transformer.saving import save_encoder
from spider.encoders.transformer.start_files import read_start


@pytest.mark.parametrize(
    ("pooling", "key"),
    [(("cls", "mean"), "pooling_mode_cls_token"), (("mean", "cls"), "pooling_mode")],
)
def test_the_names_of_old_versions_are_written_where_they_can_say_it(pooling, key, bert, tmp_path):
    recipe = VectorRecipe(pooling=pooling, question_prompt="q: ", similarity="cosine")
    save_encoder(bert.model, VectorHead(recipe), bert.tokenizer, tmp_path)
    assert key in json.loads((tmp_path / "1_Pooling" / "config.json").read_text())
    read = read_start(tmp_path).recipe
    lengths = {"max_question_length": 64, "max_passage_length": 240}
    assert replace(read, **lengths) == replace(recipe, **lengths)


def test_only_word_pieces_have_a_list_of_them(parity, tmp_path):
    _, encoder = parity.ours(parity.transformer(tmp_path / "a", "Roberta"), tmp_path / "t")
    encoder.module.export(tmp_path)
    assert not (tmp_path / "vocab.txt").exists()
    names = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert (names["cls_token"], names["pad_token"], names["mask_token"]) == (
        "<s>",
        "<pad>",
        "<mask>",
    )
