import numpy as np
import pytest

from spider.text.wordpiece.characters import Characters
from spider.text.wordpiece.kernel import Found, Rules, Texts, scan_texts
from spider.text.wordpiece.trie import build_short_pieces, build_trie


def scanned(inner, vocabulary, text, *, longest=100):
    data = text.encode()
    characters = Characters(inner)
    characters.learn([text])
    characters.tables.quick[ord("[")] = 0
    begins = np.zeros(256, bool)
    begins[ord("[")] = True
    added = np.frombuffer(b"[SEP]", np.uint8)
    rules = Rules(vocabulary["[UNK]"], longest, added, np.array([0, 5], np.int64), begins)
    room = [np.zeros(len(data), np.int32) for _ in range(3)]
    found = Found(*room, np.zeros(1, np.int64))
    texts = Texts(np.frombuffer(data, np.uint8), np.array([0, len(data)], np.int64))
    tables = (build_trie(vocabulary, "##"), build_short_pieces(vocabulary))
    scan_texts(characters.tables, *tables, rules, texts, found, range(1))
    count = int(found.counts[0])
    return [column[:count].tolist() for column in room]


def test_hand_made_tokens(inner, vocabulary):
    names = {number: piece for piece, number in vocabulary.items()}
    ids, starts, ends = scanned(inner, vocabulary, "Unbelievables, É東 xq")
    assert [names[number] for number in ids] == [
        *("un", "##believ", "##able", "##s", ",", "e", "東", "[UNK]")
    ]
    assert starts == [0, 2, 8, 12, 13, 15, 16, 18]
    assert ends == [2, 8, 12, 13, 14, 16, 17, 20]


def test_a_chunk_for_the_library_is_the_complement_of_its_place(inner, vocabulary):
    ids, starts, _ = scanned(inner, vocabulary, "é a,[SEP]dog dog")
    assert ids[1] == ~3
    assert starts == [0, 2, 13]
    # a bracket alone is punctuation
    assert min(scanned(inner, vocabulary, "[a] [SEP dog")[0]) >= 0


@pytest.mark.parametrize("length", [3, 4, 5, 9])
def test_a_word_over_the_limit_is_unknown_as_a_whole(inner, vocabulary, length):
    ids, starts, ends = scanned(inner, vocabulary, "a" * length + "é dog", longest=4)
    tokens = inner.encode("a" * length + "é", add_special_tokens=False).ids
    expected = tokens if length < 4 else [vocabulary["[UNK]"]]
    assert ids == [*expected, vocabulary["dog"] if length else 0]
    assert (starts[0], ends[len(expected) - 1]) == (0, length + 1)
