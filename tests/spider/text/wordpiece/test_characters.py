import pytest
import tokenizers

from spider.text.wordpiece.characters import (
    ALONE,
    BREAK,
    LIBRARY,
    REMOVED,
    UNSEEN,
    WORD,
    Characters,
    decode,
)


def learnt(inner, character):
    characters = Characters(inner)
    characters.learn([character])
    code = ord(character)
    tables = characters.tables
    begin, size = int(tables.places[code]), int(tables.sizes[code])
    return int(tables.kinds[code]), bytes(tables.normal[begin : begin + size]).decode()


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("A", (WORD, "a")),
        ("É", (WORD, "e")),
        ("가", (WORD, "\u1100\u1161")),
        ("東", (ALONE, "東")),
        ("≠", (ALONE, "=")),
        (",", (ALONE, ",")),
        ("\u00a0", (BREAK, "")),
        ("\u2028", (BREAK, "")),
        ("\u200b", (REMOVED, "")),
        ("\u0301", (REMOVED, "")),
        ("\0", (REMOVED, "")),
        # a mark that is kept and has a class: its place depends on its neighbours
        ("\u302e", (LIBRARY, "")),
        # unassigned
        ("\u0378", (LIBRARY, "")),
    ],
)
def test_kinds(inner, character, expected):
    assert learnt(inner, character) == expected


def test_accents_stay_where_the_case_does(inner):
    cased = tokenizers.Tokenizer.from_str(inner.to_str())
    cased.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=False, clean_text=False)
    assert learnt(cased, "É") == (WORD, "É")
    assert learnt(cased, "\u302e") == (WORD, "\u302e")
    # a zero byte marks the end of a short word's key
    assert learnt(cased, "\0") == (LIBRARY, "")


def test_tables_in_use_stay_valid_while_others_are_learnt(inner):
    characters = Characters(inner)
    before = characters.tables
    assert before.kinds[ord("é")] == UNSEEN
    old = bytes(before.normal)
    characters.learn(["é東", "é"])
    assert bytes(before.normal) == old
    # a thread that scans with them must not look for a normal form that they lack
    assert before.kinds[ord("é")] == UNSEEN
    assert characters.tables.kinds[ord("é")] == WORD
    assert len(characters.tables.normal) == len(old) + len("e東".encode())


@pytest.mark.parametrize("character", ["a", "é", "東", "\U0001f600", "\uffff", "\U0010ffff"])
def test_decode(character):
    assert decode(character.encode(), 0) == (ord(character), len(character.encode()))
