from spider.text.wordpiece.trie import (
    FIRST,
    REST,
    build_short_pieces,
    build_trie,
    follow,
    short_slot,
)


def longest(trie, root, word):
    node, found = root, None
    for byte in word.encode():
        step = int(trie.steps[follow(trie.steps, trie.shift, node, byte)])
        if step < 0:
            break
        node = step & 0xFFFFFFFF
        if trie.pieces[node] >= 0:
            found = int(trie.pieces[node])
    return found


def test_longest_piece_at_each_root():
    trie = build_trie({"un": 3, "unb": 4, "##un": 5, "é": 6, "": 7, "##": 8}, "##")
    assert longest(trie, FIRST, "unbx") == 4
    assert longest(trie, FIRST, "ux") is None
    assert longest(trie, REST, "unb") == 5
    assert longest(trie, FIRST, "é") == 6
    # a word may begin with the characters of the prefix
    assert longest(trie, FIRST, "##un") == 5
    assert longest(trie, FIRST, "##x") == 8
    assert longest(trie, REST, "é") is None


def test_many_pieces_survive_the_smaller_table():
    vocabulary = {f"{number:x}": number for number in range(3000)}
    trie, short = build_trie(vocabulary, "##"), build_short_pieces(vocabulary)
    for piece, number in vocabulary.items():
        assert longest(trie, FIRST, piece) == number
        slot = short_slot(short.keys, short.shift, int.from_bytes(piece.encode(), "little"))
        assert short.ids[slot] == number


def test_short_pieces_hold_no_long_one_and_no_zero_byte():
    short = build_short_pieces({"a": 1, "abcdefgh": 2, "abcdefghi": 3, "a\0": 4, "": 5})
    assert sorted(short.ids[short.keys != 0].tolist()) == [1, 2]
