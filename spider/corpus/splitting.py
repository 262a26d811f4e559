"""Cut documents into passages of about one hundred words.

Source: DPR section 4.1 (disjoint blocks of 100 words); words are maximal runs of non-white-space.
"""

from dataclasses import replace

from spider.corpus.document import Document, PassageBounds
from spider.errors import SettingError
from spider.text.sentences import ends_sentence
from spider.text.words import BLANK_SEPARATED, blank_separated_block


class WordSplitter:
    """Cut a text every ``words`` words, optionally at a nearby paragraph or sentence end.

    A passage begins at its first word and ends at its last, so the white space between two
    passages belongs to neither and no word is lost. The source's own passages are kept.

    Args:
        words: words in a passage.
        minimum_tail: a last passage with fewer words joins the one before it.
        paragraph_aware: end a passage at a line break, else at a sentence end, where one lies
            within a quarter of ``words`` of the target.
        dpr_compatible: blocks of exactly ``words`` words; the last block has the remaining words.
            Neither ``minimum_tail`` nor ``paragraph_aware`` then applies.

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
    ):
        if words < 1:
            raise SettingError("words", words, "at least 1")
        if not 0 <= minimum_tail <= words:
            raise SettingError("minimum_tail", minimum_tail, f"0 to words={words}")
        if dpr_compatible and paragraph_aware:
            raise SettingError("paragraph_aware", True, "false beside dpr_compatible=true")
        self.words = words
        self.minimum_tail = 0 if dpr_compatible else minimum_tail
        self.paragraph_aware = paragraph_aware
        self._block = blank_separated_block(words)

    @property
    def settings(self) -> dict[str, int | bool]:
        """The settings that decide the cut, for the manifest."""
        return {
            "words": self.words,
            "minimum_tail": self.minimum_tail,
            "paragraph_aware": self.paragraph_aware,
        }

    def bounds(self, text: str) -> list[tuple[int, int]]:
        """Return start and end (code points) of each passage of a text, in order."""
        if self.paragraph_aware:
            return self._aware_bounds(text)
        found = [match.span() for match in self._block.finditer(text)]
        if len(found) > 1 and len(text[slice(*found[-1])].split()) < self.minimum_tail:
            tail = found.pop()
            found[-1] = (found[-1][0], tail[1])
        return found

    def split(self, document: Document) -> Document:
        """Return the document with its passages; ids are ``DOCUMENT_ID#NUMBER``, from 0."""
        if document.passages is not None:
            return document
        passages = tuple(
            PassageBounds(f"{document.id}#{number}", start, end)
            for number, (start, end) in enumerate(self.bounds(document.text))
        )
        return replace(document, passages=passages)

    def _aware_bounds(self, text: str) -> list[tuple[int, int]]:
        spans = [match.span() for match in BLANK_SEPARATED.finditer(text)]
        found = []
        first = 0
        while first < len(spans):
            last = self._choose_end(text, spans, first)
            if len(spans) - last < self.minimum_tail:
                last = len(spans)
            found.append((spans[first][0], spans[last - 1][1]))
            first = last
        return found

    def _choose_end(self, text: str, spans: list[tuple[int, int]], first: int) -> int:
        """Return the number of the word before which the passage that begins at ``first`` ends."""
        target = first + self.words
        slack = self.words // 4
        if target >= len(spans):
            return len(spans)
        # nearest to the target first; of two equally near ends, the one of the shorter passage
        near = sorted(
            range(max(first + 1, target - slack), min(len(spans) - 1, target + slack) + 1),
            key=lambda place: (abs(place - target), place),
        )
        for place in near:
            if "\n" in text[spans[place - 1][1] : spans[place][0]]:
                return place
        for place in near:
            if ends_sentence(text[slice(*spans[place - 1])]):
                return place
        return target
