"""The special tokens of a tokenizer: their roles, and those before and after every text.

A tokenizer's template says which tokens enclose a text. Names say the other roles: BERT's, or those
of RoBERTa and its relatives. Only a tokenizer of words needs all of them.
"""

import json
from typing import NamedTuple

import tokenizers

from spider.errors import DataError, first_line

PAD, UNKNOWN, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL_TOKENS = (PAD, UNKNOWN, CLS, SEP, MASK)
ROBERTA_TOKENS = ("<pad>", "<unk>", "<s>", "</s>", "<mask>")
END_OF_TEXT = ("<|endoftext|>", "<|end_of_text|>", "<|im_end|>", "<eos>")
WORD = "word"


class SpecialTokens(NamedTuple):
    """The special tokens of a tokenizer, by number.

    Attributes:
        pad: fills up the rows of a batch.
        unknown: stands for what has no pieces; ``pad`` where a tokenizer has none.
        cls: the first token of a text.
        sep: the last token of a text, also the one between title and text.
        mask: hides a token; ``unknown`` where a tokenizer has none.
        prefix: the tokens before every text.
        suffix: the tokens after every text.
    """

    pad: int
    unknown: int
    cls: int
    sep: int
    mask: int
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]


def find_special_tokens(inner: tokenizers.Tokenizer, *, every: bool) -> SpecialTokens:
    """Find a tokenizer's special tokens.

    Args:
        inner: without truncation and padding.
        every: whether all five have to exist, as in BERT.

    Raises:
        DataError: one of them is missing, or a text's tokens change inside the template.
    """
    prefix, suffix = _template(inner)
    style = _style(inner, prefix + suffix)
    pad, unknown, cls, sep, mask = (inner.token_to_id(name) for name in style)
    if every:
        for name, number in zip(style, (pad, unknown, cls, sep, mask), strict=True):
            if number is None:
                raise DataError(f"the vocabulary has no {name}; expected BERT's special tokens")
        # a file without a template, as those of old vocabularies
        prefix, suffix = prefix or _present(cls), suffix or _present(sep)
    end = _first(*map(inner.token_to_id, END_OF_TEXT))
    last = _first(*suffix[-1:], sep, end, cls)
    padding = _first(pad, end, last)
    if padding is None:
        raise DataError("the vocabulary has no token for padding ([PAD], <pad> or <|endoftext|>)")
    stated = inner.token_to_id(str(json.loads(inner.to_str())["model"].get("unk_token")))
    unknown = _first(stated, unknown)
    first = _first(*prefix[:1], cls, last)
    hidden = _first(mask, unknown)
    return SpecialTokens(
        pad=padding,
        unknown=padding if unknown is None else unknown,
        cls=padding if first is None else first,
        sep=padding if last is None else last,
        mask=padding if hidden is None else hidden,
        prefix=prefix,
        suffix=suffix,
    )


def _present(number: int | None) -> tuple[int, ...]:
    return () if number is None else (number,)


def _first(*numbers: int | None) -> int | None:
    return next((number for number in numbers if number is not None), None)


def _template(inner: tokenizers.Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what the post-processor puts before and after a text."""
    try:
        bare = inner.encode(WORD, add_special_tokens=False).ids
        whole = inner.encode(WORD)
    except Exception as error:  # the library raises plain Exception
        raise DataError(f"the tokenizer cannot read a word ({first_line(error)})") from error
    extra = len(whole.ids) - len(bare)
    for start in range(extra + 1):
        if whole.ids[start : start + len(bare)] == bare:
            if any(whole.type_ids):
                raise DataError("its template gives token types other than 0 to a single text")
            return tuple(whole.ids[:start]), tuple(whole.ids[start + len(bare) :])
    raise DataError("its template changes the tokens of a text; expected tokens before and after")


def _style(inner: tokenizers.Tokenizer, enclosing: tuple[int, ...]) -> tuple[str, ...]:
    names = {inner.id_to_token(number) for number in enclosing}
    styles = (SPECIAL_TOKENS, ROBERTA_TOKENS)
    for style in styles:
        if names & set(style):
            return style
    known = [sum(inner.token_to_id(name) is not None for name in style) for style in styles]
    return ROBERTA_TOKENS if known[1] > known[0] else SPECIAL_TOKENS
