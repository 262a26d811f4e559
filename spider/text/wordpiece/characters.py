"""What BERT's normaliser and pre-tokenizer make of each character, learnt from the library.

Both treat every character alone, apart from the order of combining marks. So the library is asked
once for each code point that occurs, and no rule of Unicode is written down here twice.
"""

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple, no_type_check

import numpy as np
import tokenizers
from jaxtyping import Int32, UInt8

from spider.compilation import njit

#: kinds of characters. LIBRARY: the library tokenises the chunk that holds such a character
UNSEEN, WORD, ALONE, BREAK, REMOVED, LIBRARY = range(6)
#: UTF-8 bytes of a normalised character: no more code points than UTF-8 bytes before
LONGEST_NORMAL = 16
_CODE_POINTS = 0x110000


class CharacterTables(NamedTuple):
    """Tables by code point.

    Attributes:
        kinds: one of the kinds above.
        places: where the normalised character begins in ``normal``.
        sizes: its number of bytes.
        counts: its number of code points.
        normal: the normalised characters, one after the other, in UTF-8.
        quick: by byte: the normal form of an ASCII letter or digit, 0 for all other bytes.
    """

    kinds: UInt8[np.ndarray, " code_points"]
    places: Int32[np.ndarray, " code_points"]
    sizes: UInt8[np.ndarray, " code_points"]
    counts: UInt8[np.ndarray, " code_points"]
    normal: UInt8[np.ndarray, " bytes"]
    quick: UInt8[np.ndarray, " 256"]


class Characters:
    """The characters of a tokenizer that have occurred so far.

    Tables that were returned stay valid while others are learnt.

    Args:
        inner: has BERT's normaliser and pre-tokenizer.
    """

    def __init__(self, inner: tokenizers.Tokenizer):
        self._inner = inner
        # "é" stays one code point where accents are kept: there combining marks keep their order
        self._reorders = inner.normalizer.normalize_str("\u00e9") != "\u00e9"
        self._tables = CharacterTables(
            np.zeros(_CODE_POINTS, np.uint8),
            np.zeros(_CODE_POINTS, np.int32),
            np.zeros(_CODE_POINTS, np.uint8),
            np.zeros(_CODE_POINTS, np.uint8),
            np.zeros(0, np.uint8),
            np.zeros(256, np.uint8),
        )
        self._learn(range(128))
        for code in range(128):
            kind, text = self._ask(chr(code))
            if kind == WORD and len(text) == 1 and text.isascii():
                self._tables.quick[code] = ord(text)

    @property
    def tables(self) -> CharacterTables:
        """The tables so far."""
        return self._tables

    def learn(self, texts: Iterable[str]) -> None:
        """Add the characters of some texts to the tables."""
        codes = sorted({ord(character) for text in texts for character in set(text)})
        new = [code for code in codes if self._tables.kinds[code] == UNSEEN]
        if new:
            self._learn(new)

    def _learn(self, codes: range | list[int]) -> None:
        kinds, places, sizes, counts, normal, quick = self._tables
        # other threads scan with the tables they took, whose normal forms end before the new ones
        kinds = kinds.copy()
        added = bytearray()
        for code in codes:
            kinds[code], text = self._ask(chr(code))
            data = text.encode()
            places[code], sizes[code], counts[code] = len(normal) + len(added), len(data), len(text)
            added += data
        self._tables = CharacterTables(
            kinds,
            places,
            sizes,
            counts,
            np.concatenate([normal, np.frombuffer(bytes(added), np.uint8)]),
            quick,
        )

    def _ask(self, character: str) -> tuple[int, str]:
        """Return the kind of a character and its normal form."""
        inner = self._inner
        normal = inner.normalizer.normalize_str(f"a{character}a")
        words = [word for word, _ in inner.pre_tokenizer.pre_tokenize_str(normal)]
        if words == ["a", "a"]:
            return BREAK, ""
        if len(words) == 3 and words[0] == words[2] == "a":
            kind, text = ALONE, words[1]
        elif len(words) == 1 and words[0].startswith("a") and words[0].endswith("a"):
            text = words[0][1:-1]
            kind = WORD if text else REMOVED
        else:
            return LIBRARY, ""
        # a token takes at least one byte of the text, so the kernel knows the size of its output
        longer = len(text) > len(character.encode())
        # the key of a short word has no other zero bytes than those after its end
        zero = "\0" in text
        # normalisation orders marks by their class; an unassigned code point may be one
        ordered = self._reorders and (
            any(map(unicodedata.combining, text)) or unicodedata.category(character) == "Cn"
        )
        return (LIBRARY, "") if longer or ordered or zero else (kind, text)


@njit(nogil=True, inline="always")
@no_type_check
def decode(data, place):
    """Return the code point at a place of valid UTF-8, and its number of bytes."""
    byte = np.int32(data[place])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return ((byte & 0x1F) << 6) | (np.int32(data[place + 1]) & 0x3F), 2
    middle = (np.int32(data[place + 1]) & 0x3F) << 6 | (np.int32(data[place + 2]) & 0x3F)
    if byte < 0xF0:
        return ((byte & 0xF) << 12) | middle, 3
    return ((byte & 7) << 18) | (middle << 6) | (np.int32(data[place + 3]) & 0x3F), 4
