"""The sentence around a span, and the part of it that is short enough for a question."""

import regex

Bounds = tuple[int, int]

MOST_WORDS = 20
"""Questions that people type have 9 words on average (Natural Questions), and few have over 20."""
LEAST_WORDS = 6
"""A clause with fewer words says too little about the span."""

# a full stop after one capital letter or a title is no end: "J. Smith", "Dr. Smith"
# within a run of full stops no other end begins: else the time grows with the run's square
_END = regex.compile(
    r"(?<!\b\p{Lu})(?<!\b(?:[Mm]rs?|[Dd]r|[Ss]t|[Pp]rof|[Jj]r|[Ss]r|vs|etc|e\.g|i\.e|cf|[Nn]o|[Nn]r"
    r"|approx|[Cc]a?|z\.B|d\.h|bzw|usw))"
    r"(?<![.!?]{2})[.!?]++[\"'”’)\]]*+\s+(?=[\p{Lu}\p{N}\"'“‘(\[*`_])"
    r"|[。！？।]+\s*|\n\s*\n|\n(?=[^\S\n]*[*•-] )"
)
_CLAUSE = regex.compile(r"[,;:]\s|\s[–—-]\s|\s--\s|[(){}\[\]]|\n(?=[^\S\n]*[*•-] )|\s>>>\s")
_WORD = regex.compile(r"\S+")


def sentence_around(text: str, span: Bounds) -> Bounds:
    """Return the bounds of the sentence, or the run of sentences, that holds a span of a text."""
    first, last = 0, len(text)
    for match in _END.finditer(text):
        if match.end() <= span[0]:
            first = match.end()
        elif match.start() >= span[1]:
            last = match.end()
            break
    first, last = _stripped(text, first, last)
    # a span may be white space at the edge
    return min(first, span[0]), max(last, span[1])


def clause_around(text: str, sentence: Bounds, span: Bounds) -> Bounds:
    """Return the smallest run of clauses of a sentence around a span that is long enough.

    It has at least ``LEAST_WORDS`` words besides the span, where the sentence has them. It grows
    clause by clause, forwards first. A clause of more than ``MOST_WORDS`` is cut at words.
    """
    borders = [sentence[0], sentence[1]]
    for match in _CLAUSE.finditer(text, sentence[0], sentence[1]):
        if match.end() <= span[0] or match.start() >= span[1]:
            borders.append(match.end())
    borders.sort()
    low = max(place for place, border in enumerate(borders) if border <= span[0])
    high = min(place for place, border in enumerate(borders) if border >= span[1])
    while _words_around(text, borders[low], borders[high], span) < LEAST_WORDS:
        if high + 1 < len(borders):
            high += 1
        elif low > 0:
            low -= 1
        else:
            break
    first, last = _stripped(text, borders[low], borders[high])
    return _cut(text, (min(first, span[0]), max(last, span[1])), span)


def _words_around(text: str, first: int, last: int, span: Bounds) -> int:
    return len(_WORD.findall(text, first, span[0])) + len(_WORD.findall(text, span[1], last))


def _cut(text: str, clause: Bounds, span: Bounds) -> Bounds:
    """Take the words nearest to the span, of both sides, where there are too many."""
    before = [match.start() for match in _WORD.finditer(text, clause[0], span[0])]
    after = [match.end() for match in _WORD.finditer(text, span[1], clause[1])]
    if len(before) + len(after) <= MOST_WORDS:
        return clause
    half = MOST_WORDS // 2
    n_before = min(len(before), max(half, MOST_WORDS - len(after)))
    n_after = min(len(after), MOST_WORDS - n_before)
    first = before[-n_before] if n_before else span[0]
    last = after[n_after - 1] if n_after else span[1]
    return first, last


def _stripped(text: str, first: int, last: int) -> Bounds:
    part = text[first:last]
    return first + len(part) - len(part.lstrip()), first + len(part.rstrip())
