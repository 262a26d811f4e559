"""Cut documents into passages of about one hundred words.

Source: DPR section 4.1 (disjoint blocks of 100 words); words are maximal runs of non-white-space.
Text that is written without spaces has the words of :mod:`spider.text.passage_words`.
"""

from dataclasses import replace

from spider.corpus.document import Document, PassageBounds
from spider.errors import SettingError
from spider.text.passage_words import cut_word, has_unspaced, word_bounds
from spider.text.sentences import ends_clause, ends_sentence
from spider.text.words import BLANK_SEPARATED, blank_separated_block

CHARACTERS_PER_WORD = 20
FEWEST_CHARACTERS = 500

Bounds = list[tuple[int, int]]


class WordSplitter:
    """Cut a text every ``words`` words, optionally at a nearby paragraph or sentence end.

    A passage begins at its first word and ends at its last, so the white space between two
    passages belongs to neither and no word is lost. Where text has no spaces, a passage ends at a
    space, a sentence or a clause in its last quarter, if there is one. The source's own passages
    are kept.

    Args:
        words: words in a passage.
        minimum_tail: a last passage with fewer words joins the one before it.
        paragraph_aware: end a passage at a line break, else at a sentence end, where one lies
            within a quarter of ``words`` of the target.
        dpr_compatible: blocks of exactly ``words`` words; the last block has the remaining words.
            Neither ``minimum_tail`` nor ``paragraph_aware`` then applies, and words are separated
            by white space alone.
        maximum_characters: no passage is longer, and an overlong word is cut. null takes 20 for
            each word, and at least 500. (100 words of Wikipedia have at most 983 characters.)

    Raises:
        ConfigError: a setting is out of range, or two contradict each other.
    """

    def __init__(
        self,
        *,
        words: int = 100,
        minimum_tail: int = 20,
        paragraph_aware: bool = False,
        dpr_compatible: bool = False,
        maximum_characters: int | None = None,
    ):
        if words < 1:
            raise SettingError("words", words, "at least 1")
        if not 0 <= minimum_tail <= words:
            raise SettingError("minimum_tail", minimum_tail, f"0 to words={words}")
        if dpr_compatible and paragraph_aware:
            raise SettingError("paragraph_aware", True, "false beside dpr_compatible=true")
        if maximum_characters is not None and maximum_characters < 1:
            raise SettingError("maximum_characters", maximum_characters, "at least 1, or null")
        self.words = words
        self.minimum_tail = 0 if dpr_compatible else minimum_tail
        self.paragraph_aware = paragraph_aware
        self.dpr_compatible = dpr_compatible
        usual = max(FEWEST_CHARACTERS, CHARACTERS_PER_WORD * words)
        self.maximum_characters = usual if maximum_characters is None else maximum_characters
        self._block = blank_separated_block(words)

    @property
    def settings(self) -> dict[str, int | bool]:
        """The settings that decide the cut, for the manifest."""
        return {
            "words": self.words,
            "minimum_tail": self.minimum_tail,
            "paragraph_aware": self.paragraph_aware,
            "maximum_characters": self.maximum_characters,
        }

    def bounds(self, text: str) -> Bounds:
        """Return start and end (code points) of each passage of a text, in order."""
        unspaced = not self.dpr_compatible and has_unspaced(text)
        if not (self.paragraph_aware or unspaced):
            found = self._blocks(text)
            if all(end - start <= self.maximum_characters for start, end in found):
                return found
        return self._chosen_bounds(text, self._words(text, unspaced=unspaced))

    def split(self, document: Document) -> Document:
        """Return the document with its passages; ids are ``DOCUMENT_ID#NUMBER``, from 0."""
        if document.passages is not None:
            return document
        passages = tuple(
            PassageBounds(f"{document.id}#{number}", start, end)
            for number, (start, end) in enumerate(self.bounds(document.text))
        )
        return replace(document, passages=passages)

    def _blocks(self, text: str) -> Bounds:
        """Cut at white space, block by block: many times faster than word by word."""
        found = [match.span() for match in self._block.finditer(text)]
        if len(found) > 1 and len(text[slice(*found[-1])].split()) < self.minimum_tail:
            tail = found.pop()
            found[-1] = (found[-1][0], tail[1])
        return found

    def _words(self, text: str, *, unspaced: bool) -> Bounds:
        """Return the words of a text, overlong ones cut."""
        if unspaced:
            found = word_bounds(text)
        else:
            found = [match.span() for match in BLANK_SEPARATED.finditer(text)]
        longest = self.maximum_characters
        return [
            part
            for start, end in found
            for part in (
                [(start, end)] if end - start <= longest else cut_word(text, start, end, longest)
            )
        ]

    def _chosen_bounds(self, text: str, spans: Bounds) -> Bounds:
        found = []
        first = 0
        while first < len(spans):
            fits = self._last_that_fits(spans, first)
            last = self._choose_end(text, spans, first, fits)
            if len(spans) - last < self.minimum_tail and fits == len(spans):
                last = len(spans)
            found.append((spans[first][0], spans[last - 1][1]))
            first = last
        return found

    def _last_that_fits(self, spans: Bounds, first: int) -> int:
        """Return the number after the last word that a passage from ``first`` on can hold."""
        limit = spans[first][0] + self.maximum_characters
        last = first + 1
        longest = min(len(spans), first + self.words + self.words // 4 + self.minimum_tail)
        while last < longest and spans[last][1] <= limit:
            last += 1
        return last

    def _choose_end(self, text: str, spans: Bounds, first: int, fits: int) -> int:
        """Return the number of the word before which the passage that begins at ``first`` ends."""
        target = min(first + self.words, fits)
        slack = self.words // 4
        if target >= len(spans):
            return len(spans)
        if not self.paragraph_aware:
            return target if self.dpr_compatible else _clause_end(text, spans, target, slack, first)
        # nearest to the target first; of two equally near ends, the one of the shorter passage
        near = sorted(
            range(max(first + 1, target - slack), min(len(spans) - 1, target + slack, fits) + 1),
            key=lambda place: (abs(place - target), place),
        )
        for place in near:
            if "\n" in text[spans[place - 1][1] : spans[place][0]]:
                return place
        for place in near:
            if ends_sentence(text[slice(*spans[place - 1])]):
                return place
        return _clause_end(text, spans, target, slack, first)


def _clause_end(text: str, spans: Bounds, target: int, slack: int, first: int) -> int:
    """Return ``target``, or the nearest better end before it where it cuts text without spaces."""
    if spans[target - 1][1] < spans[target][0]:
        return target
    places = range(target, max(first, target - slack - 1), -1)
    for place in places:
        apart = spans[place - 1][1] < spans[place][0]
        if apart or ends_sentence(text[slice(*spans[place - 1])]):
            return place
    return next((p for p in places if ends_clause(text[slice(*spans[p - 1])])), target)
