import re
from pathlib import Path

import pytest

from spider.errors import ConfigError
from spider.text.special_tokens import SPECIAL_TOKENS
from spider.text.tokenizer import TOKENIZER_FILE
from spider.text.vocabulary import settle_tokenizer, train_tokenizer

TEXTS = ["the red house", "the red river", "a house by the river"] * 3


def test_frequent_words_become_pieces_and_special_tokens_come_first() -> None:
    inner = train_tokenizer(TEXTS, vocabulary_size=1000).inner
    assert [inner.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3, 4]
    assert all(inner.token_to_id(word) is not None for word in ("the", "red", "house", "river"))


def test_the_alphabet_does_not_depend_on_the_order_of_texts() -> None:
    one, other = (train_tokenizer(texts, vocabulary_size=1000) for texts in (TEXTS, TEXTS[::-1]))
    single = [{t for t in k.inner.get_vocab() if len(t) == 1} for k in (one, other)]
    assert single[0] == single[1] == set("theredhousrivby") | {"a"}


def test_a_generator_is_read_like_a_list() -> None:
    generated = train_tokenizer((text for text in TEXTS), vocabulary_size=1000)
    assert generated.inner.to_str() == train_tokenizer(TEXTS, vocabulary_size=1000).inner.to_str()


def test_the_least_size_is_in_the_message() -> None:
    with pytest.raises(ConfigError, match=r"expected at least \d+,") as caught:
        train_tokenizer(TEXTS, vocabulary_size=10)
    least = int(re.findall(r"at least (\d+),", str(caught.value))[0])
    assert train_tokenizer(TEXTS, vocabulary_size=least).vocabulary_size <= least
    with pytest.raises(ConfigError):
        train_tokenizer(TEXTS, vocabulary_size=least - 1)


def test_a_saved_tokenizer_is_kept(tmp_path: Path) -> None:
    settings = {"vocabulary_size": 1000, "lower_case": True}
    first = settle_tokenizer(TEXTS, tmp_path, start="", **settings)
    assert (tmp_path / TOKENIZER_FILE).is_file()
    again = settle_tokenizer(["other words"], tmp_path, start="", **settings)
    assert again.inner.to_str() == first.inner.to_str()
    (tmp_path / "next").mkdir()
    copied = settle_tokenizer([], tmp_path / "next", start=str(tmp_path), **settings)
    assert copied.inner.to_str() == first.inner.to_str()


def test_thousands_of_characters_fit_where_words_are_few() -> None:
    # each text is one run without spaces, and most characters occur once
    texts = ["".join(chr(0x4E00 + n + 40 * row) for n in range(40)) for row in range(60)]
    tokenizer = train_tokenizer(texts)
    ids = tokenizer.encode([texts[0]])
    assert len(ids.ids) == 40
    with pytest.raises(ConfigError, match="vocabulary_size"):
        train_tokenizer(texts, vocabulary_size=1_500)


def test_a_long_clause_without_spaces_has_pieces() -> None:
    clause = "กรุงเทพเป็นเมืองหลวงของประเทศไทย" * 5
    assert len(clause) > 100
    tokenizer = train_tokenizer([clause] * 3)
    assert tokenizer.unknown_id not in tokenizer.encode([clause + "ที่"]).ids.tolist()
    # words of other scripts are unknown from BERT's length on, as before
    latin = train_tokenizer(["abc abd bcd"] * 3)
    assert latin.encode(["ab" * 51]).ids.tolist() == [latin.unknown_id]
