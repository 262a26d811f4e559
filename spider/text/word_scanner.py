"""A compiled scanner that finds the words of a text, millions of words a second.

:func:`scan_words` gives the matches of :data:`spider.text.words.WORD` over an array of code points;
that pattern is the readable reference, and a test compares the two. They agree on every code point
that the interpreter's Unicode version knows. A letter that is newer than the interpreter is a token
by itself here, but may be part of a word for the module ``regex``.
"""

import unicodedata
from functools import lru_cache
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Int32, UInt8, UInt32

from spider.compilation import njit
from spider.text.folding import lower_code_point
from spider.text.words import GROUP_BLANKS, NUMBER_SEPARATORS, UNSPACED

# character classes; the order matters: a word consists of those from MARK to CONNECTOR
BLANK, OTHER, MARK, LETTER, DIGIT, NUMBER, CONNECTOR, ALONE = range(8)
_CLASS_OF = {"L": LETTER, "M": MARK, "N": NUMBER, "Z": BLANK}
_TABLE_SIZE = 0xE0200
_ASSIGNED = (range(0x323B0), range(0xE0000, 0xE01F0))
_CASED = 0x20000
_SEPARATORS = np.array([ord(mark) for mark in NUMBER_SEPARATORS], dtype=np.uint32)
_BLANKS = np.array([ord(blank) for blank in GROUP_BLANKS], dtype=np.uint32)
_DECIMAL_POINTS = np.array([ord(mark) for mark in ".٫"], dtype=np.uint32)


class Words(NamedTuple):
    """The tokens of a text.

    Attributes:
        starts: first code point of each.
        ends: code point after its last.
        plain: whether it is all letters, or all digits that are no part of a longer number.
        ids: equal for equal words of this text; 0, 1, 2 … in order of first appearance.
    """

    starts: Int32[np.ndarray, " words"]
    ends: Int32[np.ndarray, " words"]
    plain: Bool[np.ndarray, " words"]
    ids: Int32[np.ndarray, " words"]


def code_points(text: str) -> UInt32[np.ndarray, " code_points"]:
    """Return a text's code points; a lone surrogate is kept."""
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), dtype="<u4")


def scan_words(codes: UInt32[np.ndarray, " code_points"]) -> Words:
    """Find the words of a text given as code points; exact, linear in the text's length."""
    classes, lower = character_tables()
    return Words(*_scan(codes, classes, lower))


@lru_cache(maxsize=1)
def character_tables() -> tuple[
    UInt8[np.ndarray, " code_points"], UInt32[np.ndarray, " cased_code_points"]
]:
    """Return each code point's class, and its lower case up to the end of plane 1."""
    classes = np.full(_TABLE_SIZE, OTHER, dtype=np.uint8)
    for codes in _ASSIGNED:
        classes[codes.start : codes.stop] = [_class_of(chr(code)) for code in codes]
    for first, last in UNSPACED:
        part = classes[first : last + 1]
        part[part == LETTER] = ALONE
    lower = np.array([ord(lower_code_point(chr(code))) for code in range(_CASED)], dtype=np.uint32)
    return classes, lower


def _class_of(character: str) -> int:
    category = unicodedata.category(character)
    if character in "\t\n\v\f\r\x85":
        return BLANK
    if category == "Nd":
        return DIGIT
    if category == "Pc":
        return CONNECTOR
    if category == "Cf":
        return MARK
    return _CLASS_OF.get(category[0], OTHER)


@njit
@no_type_check
def _scan(codes, classes, lower):
    """Return starts, ends, plain, ids; see Words."""
    starts, ends, plain, hashes = _tokens(codes, classes, lower)
    total = len(starts)
    size = 16
    while size < 2 * total:
        size *= 2
    table = np.full(size, -1, dtype=np.int32)
    ids = np.empty(total, dtype=np.int32)
    named = 0
    for token in range(total):
        slot = np.int64(hashes[token] & np.uint64(size - 1))
        while True:
            other = table[slot]
            if other < 0:
                table[slot] = token
                ids[token] = named
                named += 1
                break
            if hashes[other] == hashes[token] and _same(codes, lower, starts, ends, other, token):
                ids[token] = ids[other]
                break
            slot = (slot + 1) & (size - 1)
    return starts, ends, plain, ids


@njit
@no_type_check
def _tokens(codes, classes, lower):
    length = len(codes)
    starts = np.empty(length, dtype=np.int32)
    ends = np.empty(length, dtype=np.int32)
    plain = np.empty(length, dtype=np.bool_)
    hashes = np.empty(length, dtype=np.uint64)
    total = 0
    at = 0
    before = BLANK
    while at < length:
        kind = _class(codes[at], classes)
        if kind == BLANK:
            before = BLANK
            at += 1
            continue
        start = at
        digest = _mix(np.uint64(14695981039346656037), codes[at], lower)
        letters = kind in (LETTER, ALONE)
        digits = kind == DIGIT
        at += 1
        goes_on = LETTER <= kind <= CONNECTOR
        if (codes[start] == 0x27 or codes[start] == 0x2019) and before >= MARK and at < length:
            goes_on = LETTER <= _class(codes[at], classes) <= CONNECTOR
        before = kind
        while at < length and (goes_on or kind == ALONE):
            following = _class(codes[at], classes)
            if not (following == MARK or (goes_on and LETTER <= following <= CONNECTOR)):
                break
            letters &= following in (LETTER, MARK)
            digits &= following == DIGIT
            digest = _mix(digest, codes[at], lower)
            before = following
            at += 1
        starts[total] = start
        ends[total] = at
        plain[total] = letters or (digits and not _in_number(codes, classes, start, at))
        hashes[total] = digest ^ (digest >> np.uint64(29))
        total += 1
    return starts[:total].copy(), ends[:total].copy(), plain[:total].copy(), hashes[:total].copy()


@njit
@no_type_check
def _in_number(codes, classes, start, end):
    """Return whether digits are a part of a number; see spider.text.words.NUMBER_PART."""
    before = _digits_before(codes, classes, start - 1)
    after = _digits_after(codes, classes, end + 1)
    if before and _one_of(codes[start - 1], _SEPARATORS):
        return True
    if after and _one_of(codes[end], _SEPARATORS):
        return True
    first = start == 1 or (start > 1 and _class(codes[start - 2], classes) == BLANK)
    if first and _one_of(codes[start - 1], _DECIMAL_POINTS):
        return True
    if 0 < before <= 3 and end - start == 3 and _one_of(codes[start - 1], _BLANKS):
        return True
    return after == 3 and end - start <= 3 and _one_of(codes[end], _BLANKS)


@njit
@no_type_check
def _digits_before(codes, classes, end):
    """Count the digits that end before a code point."""
    first = end
    while first > 0 and _class(codes[first - 1], classes) == DIGIT:
        first -= 1
    return end - first if end > 0 else 0


@njit
@no_type_check
def _digits_after(codes, classes, start):
    """Count the digits from a code point on."""
    last = start
    while last < len(codes) and _class(codes[last], classes) == DIGIT:
        last += 1
    return last - start


@njit
@no_type_check
def _one_of(code, marks):
    return code in marks


@njit(inline="always")
@no_type_check
def _class(code, classes):
    return classes[code] if code < len(classes) else OTHER


@njit(inline="always")
@no_type_check
def _mix(digest, code, lower):
    folded = lower[code] if code < len(lower) else code
    return (digest ^ np.uint64(folded)) * np.uint64(1099511628211)


@njit
@no_type_check
def _same(codes, lower, starts, ends, one, other):
    size = ends[one] - starts[one]
    if size != ends[other] - starts[other]:
        return False
    for step in range(size):
        a = codes[starts[one] + step]
        b = codes[starts[other] + step]
        if a != b:
            a = lower[a] if a < len(lower) else a
            b = lower[b] if b < len(lower) else b
            if a != b:
                return False
    return True
