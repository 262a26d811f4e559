"""Bytes of tokens against the tokenizers library's own decoding."""

import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers

from jamba_reader.tokenization.token_bytes import TokenBytes
from jamba_reader.tokenization.vocabulary import train_vocabulary
from spider.errors import DataError
from spider.text.tokenizer import wordpiece

TEXTS = [
    "the cat sat on the mat",
    "naïve café – 東京 🎉",
    "  two  spaces\n\ttab 2024",
    "the the cat",
]


def byte_fallback() -> tokenizers.Tokenizer:
    """Make a tokenizer of Jamba's own kind: no space set before the first word, byte fallback."""
    bytes_ = {f"<0x{byte:02X}>": 4 + byte for byte in range(256)}
    pieces = ["▁", *"acehimnost", "th", "the", "▁the", "▁c", "▁ca", "▁cat", "é"]
    vocabulary = {"<|pad|>": 0, "<|startoftext|>": 1, "<|endoftext|>": 2, "<|unk|>": 3, **bytes_}
    vocabulary |= {piece: 260 + number for number, piece in enumerate(pieces)}
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("▁", "c"), ("▁c", "a"), ("▁ca", "t")]
    inner = tokenizers.Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, fuse_unk=True))
    inner.normalizer = normalizers.Replace(" ", "▁")
    inner.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    inner.add_special_tokens(["<|pad|>", "<|startoftext|>", "<|endoftext|>", "<|unk|>"])
    return inner


def test_byte_fallback_gives_any_text_back() -> None:
    inner = byte_fallback()
    table = TokenBytes(inner)
    for text in TEXTS:
        ids = inner.encode(text, add_special_tokens=False).ids
        assert table.join(ids).decode() == text == inner.decode(ids)
    assert table.of(260 + 13) == b" the"
    assert table.of(4 + 0xE2) == b"\xe2"


def test_byte_level_gives_any_text_back() -> None:
    inner = train_vocabulary(TEXTS * 3, vocabulary_size=300)
    table = TokenBytes(inner)
    for text in TEXTS:
        ids = inner.encode(text, add_special_tokens=False).ids
        assert table.join(ids).decode() == text == inner.decode(ids)
    assert sorted(b for b in table.table if len(b) == 1) == [bytes([n]) for n in range(256)]


def test_word_pieces_are_glued_and_the_first_space_is_left_out() -> None:
    vocabulary = {"[UNK]": 0, "cat": 1, "##s": 2, "sat": 3}
    inner = wordpiece(vocabulary, lower_case=True)
    inner.decoder = decoders.WordPiece()
    table = TokenBytes(inner)
    assert table.join([1, 2, 3]) == b" cats sat"
    assert table.join([1, 2, 3], begins_text=True) == b"cats sat"


def test_metaspace_that_prepends_drops_the_first_space() -> None:
    inner = tokenizers.Tokenizer(models.BPE({"▁a": 0, "b": 1}, []))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    inner.decoder = decoders.Metaspace(prepend_scheme="always")
    table = TokenBytes(inner)
    assert table.join([0, 1, 0]) == b" ab a"
    assert table.join([0, 1, 0], begins_text=True) == b"ab a" == inner.decode([0, 1, 0]).encode()


def test_special_tokens_and_unknown_numbers_add_nothing() -> None:
    inner = byte_fallback()
    inner.add_tokens(["plain added"])
    table = TokenBytes(inner)
    assert table.special_ids["<|endoftext|>"] == 2
    assert table.join([1, 260 + 13, 2, 9999]) == b" the"
    assert table.of(inner.token_to_id("plain added")) == b"plain added"


def test_another_decoder_is_refused() -> None:
    inner = tokenizers.Tokenizer(models.WordLevel({"a": 0}))
    with pytest.raises(DataError, match="decoder null"):
        TokenBytes(inner)
    inner.decoder = decoders.CTC()
    with pytest.raises(DataError, match="decoder CTC"):
        TokenBytes(inner)
