"""The roles of special tokens, by a tokenizer's template and by names."""

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers, processors

from spider.errors import DataError
from spider.text.special_tokens import find_special_tokens


def words(*names: str, template: str = "") -> tokenizers.Tokenizer:
    vocabulary = {name: number for number, name in enumerate([*names, "word"])}
    inner = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token=names[0]))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.add_special_tokens(list(names))
    if template:
        used = [name for name in names if name in template.replace(":1", "").split()]
        inner.post_processor = processors.TemplateProcessing(
            single=template, special_tokens=[(name, vocabulary[name]) for name in used]
        )
    return inner


def test_robertas_tokens() -> None:
    inner = words("<unk>", "<s>", "</s>", "<pad>", "<mask>", template="<s> $A </s>")
    found = find_special_tokens(inner, every=True)
    assert found == (3, 0, 1, 2, 4, (1,), (2,))


def test_a_template_decides_between_names() -> None:
    names = (
        "<s>",
        "<pad>",
        "</s>",
        "[UNK]",
        "<unk>",
        "<mask>",
        "[CLS]",
        "[SEP]",
        "[PAD]",
        "[MASK]",
    )
    found = find_special_tokens(words(*names, template="<s> $A </s>"), every=True)
    assert (found.pad, found.cls, found.sep, found.mask) == (1, 0, 2, 5)


def test_a_decoders_tokenizer_has_one_special_token() -> None:
    found = find_special_tokens(words("<|endoftext|>", template="$A <|endoftext|>"), every=False)
    assert found == (0, 0, 0, 0, 0, (), (0,))


def test_bert_needs_all_of_them() -> None:
    with pytest.raises(DataError, match=r"the vocabulary has no \[MASK\]"):
        find_special_tokens(words("[UNK]", "[PAD]", "[CLS]", "[SEP]"), every=True)


def test_other_token_types_are_refused() -> None:
    with pytest.raises(DataError, match="token types other than 0"):
        find_special_tokens(words("[UNK]", "[PAD]", "[CLS]", template="[CLS]:1 $A:1"), every=False)


def test_no_token_for_padding() -> None:
    with pytest.raises(DataError, match="no token for padding"):
        find_special_tokens(words("?"), every=False)
