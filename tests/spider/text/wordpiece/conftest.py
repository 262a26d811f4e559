import pytest

from spider.text.tokenizer import wordpiece

WORDS = (
    "the quick brown fox jumps over a lazy dog un ##believ ##able ##s ##ly cafe é e ##é ##e 東 京"
)
MARKS = (
    ". , ! ' - [ ] # ##q a b ab ##b ##a ##ab \u0301 ##\u0301 sep cls ß ##ß ᄀ ##ᅡ ##ᆨ к ##от i ##i"
)


@pytest.fixture(scope="session")
def vocabulary():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *MARKS.split()]
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}


@pytest.fixture(scope="session")
def inner(vocabulary):
    return wordpiece(vocabulary, lower_case=True)
