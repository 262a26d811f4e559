import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.tokenization.vocabulary import (
    END,
    SPECIAL_TOKENS,
    load_vocabulary,
    save_vocabulary,
    settle_vocabulary,
    train_vocabulary,
)
from spider.errors import ConfigError, DataError

TEXTS = ["the cat sat on the mat in 1984", "the dog sat on the cat", "thé cât säß"] * 3
VOCABULARY = train_vocabulary(TEXTS, vocabulary_size=300)


def test_special_tokens_have_jambas_numbers() -> None:
    assert [VOCABULARY.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3]
    assert 260 < VOCABULARY.get_vocab_size() <= 300


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(text: str) -> None:
    ids = VOCABULARY.encode(text, add_special_tokens=False).ids
    assert VOCABULARY.decode(ids, skip_special_tokens=False) == text


def test_what_looks_special_is_text() -> None:
    encoding = VOCABULARY.encode(f"a{END}b", add_special_tokens=False)
    assert not set(encoding.ids) & {0, 1, 2, 3}
    assert VOCABULARY.decode(encoding.ids) == f"a{END}b"


def test_digits_stand_alone() -> None:
    tokens = VOCABULARY.encode("the 1984 cat", add_special_tokens=False).tokens
    assert [token for token in tokens if token.isdigit()] == ["1", "9", "8", "4"]


def test_training_is_deterministic() -> None:
    again = train_vocabulary(iter(TEXTS), vocabulary_size=300)
    assert again.to_str() == VOCABULARY.to_str()


def test_transformers_loads_it(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    save_vocabulary(VOCABULARY, tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert theirs("the cat")["input_ids"] == VOCABULARY.encode("the cat").ids
    assert theirs("the cat")["input_ids"][0] == theirs.bos_token_id == 1
    assert (theirs.pad_token_id, theirs.eos_token_id, theirs.unk_token_id) == (0, 2, 3)


def test_what_is_there_is_kept_and_a_source_is_copied(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "folder"
    for path in (source, folder):
        path.mkdir()
    save_vocabulary(VOCABULARY, source)
    copied = settle_vocabulary([], folder, source=str(source), vocabulary_size=1)
    assert copied.get_vocab() == VOCABULARY.get_vocab()
    kept = settle_vocabulary(["other"], folder, source="", vocabulary_size=300)
    assert kept.get_vocab() == VOCABULARY.get_vocab()


def test_bad_sources_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no tokenizer here"):
        load_vocabulary(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="Model missing"):
        load_vocabulary(tmp_path)
    values = json.loads(VOCABULARY.to_str())
    del values["model"]["vocab"][END]
    values["added_tokens"] = [t for t in values["added_tokens"] if t["content"] != END]
    (tmp_path / "tokenizer.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(DataError, match="endoftext"):
        load_vocabulary(tmp_path)
    with pytest.raises(ConfigError, match="at least 260"):
        train_vocabulary(TEXTS, vocabulary_size=200)
