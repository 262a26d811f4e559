"""The compiled scanner: UTF-8 to the ids of word pieces, and the code points that each covers.

A chunk is what lies between two spaces or line feeds. A chunk that the tables cannot represent (it
holds an added token such as ``[SEP]``, or marks whose order counts) gives one negative number: the
complement of its first byte's place. The library tokenises it (see
:mod:`spider.text.wordpiece.encoder`).
"""

from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Int32, Int64, UInt8

from spider.compilation import njit
from spider.text.wordpiece.characters import (
    ALONE,
    LIBRARY,
    LONGEST_NORMAL,
    REMOVED,
    UNSEEN,
    WORD,
    CharacterTables,
    decode,
)
from spider.text.wordpiece.trie import FIRST, REST, SHORT, ShortPieces, Trie, follow, short_slot

SPACE, LINE_FEED = ord(" "), ord("\n")
"""What separates chunks."""


class Rules(NamedTuple):
    """What a tokenizer does beside its characters and its pieces.

    Attributes:
        unknown: the id of a word that the pieces cannot make.
        longest: code points of a word; a longer one is unknown.
        added: the added tokens, one after the other, in UTF-8.
        added_ends: where each of them ends, with a 0 before the first.
        begins_added: whether an added token begins with a byte.
    """

    unknown: int
    longest: int
    added: UInt8[np.ndarray, " bytes"]
    added_ends: Int64[np.ndarray, " added_plus_one"]
    begins_added: Bool[np.ndarray, " 256"]


class Texts(NamedTuple):
    """Texts in UTF-8; text ``i`` is ``data[offsets[i]:offsets[i + 1]]``."""

    data: UInt8[np.ndarray, " bytes"]
    offsets: Int64[np.ndarray, " texts_plus_one"]


class Found(NamedTuple):
    """Arrays for the tokens of texts: those of a text begin at the offset of its first byte.

    Attributes:
        ids: of the tokens.
        starts: first code point of each token; empty where nobody asks for it.
        ends: code point after its last; empty where nobody asks for it.
        counts: number of tokens of each text.
    """

    ids: Int32[np.ndarray, " bytes"]
    starts: Int32[np.ndarray, " _"]
    ends: Int32[np.ndarray, " _"]
    counts: Int64[np.ndarray, " texts"]


def scan_texts(
    tables: CharacterTables,
    trie: Trie,
    short: ShortPieces,
    rules: Rules,
    texts: Texts,
    found: Found,
    rows: range,
) -> None:
    """Tokenise some of the texts; several threads may do so at once, each with its own texts."""
    _scan(tables, trie, short, rules, texts, found, rows.start, rows.stop)


@njit(nogil=True)
@no_type_check
def _scan(tables, trie, short, rules, texts, found, first, last):
    capacity = (min(rules.longest, _longest(texts.offsets, first, last)) + 1) * LONGEST_NORMAL
    word = np.empty(capacity, np.uint8)
    origins = np.empty(capacity, np.int32)
    for text in range(first, last):
        _scan_text(tables, trie, short, rules, texts, found, text, word, origins)


@njit(nogil=True)
@no_type_check
def _longest(offsets, first, last):
    longest = 0
    for text in range(first, last):
        longest = max(longest, offsets[text + 1] - offsets[text])
    return longest


@njit(nogil=True)
@no_type_check
def _scan_text(  # noqa: C901 one loop over the bytes: its parts share all variables
    tables, trie, short, rules, texts, found, text, word, origins
):
    # reading a field of a tuple counts a reference, which takes longer than a look-up: once a text
    kinds, places, sizes, counts, normal, quick = tables
    data, (steps, pieces, shift) = texts.data, trie
    short_keys, short_ids, short_shift = short
    ids, starts, ends = found.ids, found.starts, found.ends
    begins_added, unknown, longest = rules.begins_added, rules.unknown, rules.longest
    out = place = texts.offsets[text]
    end = texts.offsets[text + 1]
    code_point = np.int32(0)
    chunk, chunk_out, chunk_point = place, out, code_point
    size, characters, key = 0, 0, np.uint64(0)
    while place < end:
        letter = quick[data[place]]
        if letter != 0 and size < longest:
            if size < SHORT:
                key |= np.uint64(letter) << np.uint64(8 * size)
            word[size] = letter
            origins[size] = code_point
            size += 1
            characters += 1
            place += 1
            code_point += 1
            continue
        code, width = decode(data, place)
        kind = kinds[code]
        if begins_added[data[place]] and _is_added(data, place, end, rules):
            kind = LIBRARY
        if characters > 0 and kind != WORD and kind != REMOVED:
            slot = short_slot(short_keys, short_shift, key)
            if size <= SHORT and characters <= longest and short_keys[slot] != 0:
                ids[out] = short_ids[slot]
                if len(starts) > 0:
                    starts[out] = origins[0]
                    ends[out] = origins[size - 1] + 1
                out += 1
            else:
                known = characters <= longest
                out = _word(
                    steps,
                    pieces,
                    shift,
                    known,
                    unknown,
                    word,
                    origins,
                    size,
                    ids,
                    starts,
                    ends,
                    out,
                )
            size, characters, key = 0, 0, np.uint64(0)
        if kind in (WORD, ALONE):
            characters += counts[code]
            if characters <= longest:
                begin = places[code]
                for byte in range(begin, begin + sizes[code]):
                    if size < SHORT:
                        key |= np.uint64(normal[byte]) << np.uint64(8 * size)
                    word[size] = normal[byte]
                    origins[size] = code_point
                    size += 1
            else:
                # an unknown word needs its first and its last character only
                origins[size - 1] = code_point
            if kind == ALONE:
                out = _word(
                    steps, pieces, shift, True, unknown, word, origins, size, ids, starts, ends, out
                )
                size, characters, key = 0, 0, np.uint64(0)
        elif kind in (LIBRARY, UNSEEN):
            out = chunk_out
            ids[out] = ~np.int32(chunk)
            if len(starts) > 0:
                starts[out] = chunk_point
            out += 1
            code_point = chunk_point
            place = chunk
            while place < end and data[place] != SPACE and data[place] != LINE_FEED:
                code_point += (data[place] & 0xC0) != 0x80
                place += 1
            continue
        place += width
        code_point += 1
        if code in (SPACE, LINE_FEED):
            chunk, chunk_out, chunk_point = place, out, code_point
    if characters > 0:
        known = characters <= longest
        out = _word(
            steps, pieces, shift, known, unknown, word, origins, size, ids, starts, ends, out
        )
    found.counts[text] = out - texts.offsets[text]


@njit(nogil=True)
@no_type_check
def _is_added(data, place, end, rules):
    for number in range(len(rules.added_ends) - 1):
        begin, stop = rules.added_ends[number], rules.added_ends[number + 1]
        if stop - begin <= end - place:
            same = True
            for byte in range(begin, stop):
                if rules.added[byte] != data[place + byte - begin]:
                    same = False
                    break
            if same:
                return True
    return False


@njit(nogil=True)
@no_type_check
def _word(steps, pieces, shift, known, unknown, word, origins, size, ids, starts, ends, out):
    """Cut a word into its longest pieces, from the left; return where the next token goes."""
    begin = out
    position = 0
    root = FIRST
    while known and position < size:
        node, reached, piece, piece_end = root, position, -1, position
        while reached < size:
            step = steps[follow(steps, shift, node, word[reached])]
            if step < 0:
                break
            node = step & 0xFFFFFFFF
            reached += 1
            if pieces[node] >= 0:
                piece, piece_end = pieces[node], reached
        if piece < 0:
            break
        ids[out] = piece
        if len(starts) > 0:
            starts[out] = origins[position]
            ends[out] = origins[piece_end - 1] + 1
        out += 1
        position = piece_end
        root = REST
    if position < size:
        out = begin
        ids[out] = unknown
        if len(starts) > 0:
            starts[out] = origins[0]
            ends[out] = origins[size - 1] + 1
        out += 1
    return out
