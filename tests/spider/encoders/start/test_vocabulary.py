"""Tokenizers of published encoders, whatever their files are."""

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from spider.encoders.start.vocabulary import start_tokenizer
from spider.errors import DataError


def test_files_of_older_byte_pair_tokenizers_are_converted(tmp_path: Path) -> None:
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "a", "b", "ab", "Ġ", "Ġa"]
    (tmp_path / "vocab.json").write_text(json.dumps({n: i for i, n in enumerate(names)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\nĠ a\n")
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "RobertaTokenizer"})
    )
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    found = start_tokenizer(tmp_path, lower_case=True, lower_first=False)
    assert (
        found.inner.encode("ab a").ids == AutoTokenizer.from_pretrained(tmp_path)("ab a").input_ids
    )
    assert (found.pad_id, found.cls_id, found.sep_id, found.mask_id) == (1, 0, 2, 4)


def test_lower_case_comes_before_the_tokenizers_own_rules(bert_tokenizer, tmp_path: Path) -> None:
    bert_tokenizer.save(tmp_path)
    same = start_tokenizer(tmp_path, lower_case=True, lower_first=True)
    assert same.chunked, "it lower-cases already, so its chunks stay cached"


def test_no_tokenizer_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no usable tokenizer"):
        start_tokenizer(tmp_path, lower_case=True, lower_first=False)
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(DataError, match="no usable tokenizer") as caught:
        start_tokenizer(tmp_path, lower_case=True, lower_first=False)
    assert "\n" not in str(caught.value)
