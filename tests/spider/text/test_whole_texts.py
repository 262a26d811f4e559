"""Whole texts: ids and positions are those of the library."""

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from spider.text.tokenizer import Tokenizer
from spider.text.vocabulary import train_tokenizer
from spider.text.whole_texts import encode_whole, joins_spaces

TEXTS = ["the whale sings", "", "naïve \U0001f389 whale", " the  whale"]


def byte_pairs() -> tokenizers.Tokenizer:
    inner = tokenizers.Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    )  # fmt: skip
    inner.train_from_iterator(TEXTS * 5, trainer)
    return inner


def test_ids_and_positions_are_the_librarys() -> None:
    inner = byte_pairs()
    whole = encode_whole(inner, TEXTS)
    for number, text in enumerate(TEXTS):
        part = slice(whole.offsets[number], whole.offsets[number + 1])
        expected = inner.encode(text)
        assert whole.ids[part].tolist() == expected.ids
        spans = list(zip(whole.starts[part].tolist(), whole.ends[part].tolist(), strict=True))
        assert spans == expected.offsets


def test_a_continued_text_is_the_rest_of_a_longer_one() -> None:
    inner = byte_pairs()
    continued = encode_whole(inner, TEXTS, continued=True)
    first = len(inner.encode("fox").ids)
    for number, text in enumerate(TEXTS[:3]):
        part = slice(continued.offsets[number], continued.offsets[number + 1])
        rest = inner.encode(f"fox {text}").ids[first:] if text else []
        assert continued.ids[part].tolist() == rest
    assert continued.starts.min() == 0
    assert continued.ends[: continued.offsets[1]].max() == len(TEXTS[0])


def test_the_tokenizer_takes_texts_as_they_are_after_a_space() -> None:
    tokenizer = Tokenizer(byte_pairs())
    assert tokenizer.spaced
    assert not tokenizer.chunked
    expected = encode_whole(tokenizer.inner, TEXTS, continued=True)
    assert tokenizer.encode(TEXTS).ids.tolist() == expected.ids.tolist()
    assert tokenizer.encode_with_spans(TEXTS).starts.tolist() == expected.starts.tolist()


def test_word_pieces_do_not_depend_on_spaces() -> None:
    assert not joins_spaces(train_tokenizer(TEXTS * 3, vocabulary_size=300).inner)


def test_lone_surrogates_are_replaced() -> None:
    inner = byte_pairs()
    assert encode_whole(inner, ["\ud800"]).ids.tolist() == encode_whole(inner, ["?"]).ids.tolist()
