"""Title or heading → section: the query is a heading, its section's other passages are relevant."""

import itertools
from collections.abc import Sequence

from spider.questions.transforms.passage_query import DocumentQuery

MOST_WORDS = 8
# blanks, and the marks of headings in Markdown and in wikis
_AROUND = " \t#="
_ENDS = tuple(".!?,;:…。！？")


class Heading:
    """A heading with its document's title, or the title alone where there is no heading.

    A heading is a line of at most ``MOST_WORDS`` words that begins with a capital letter or a
    number, has no end mark and is followed by a longer line. The passage that holds it is excluded,
    since it repeats the query. The relevant passages are those that follow it, up to the next
    heading. The title asks for all passages of its document; every passage shows it to the
    searching system, so such a query is easy for BM25.
    """

    def document_queries(self, title: str, passages: Sequence[str]) -> list[DocumentQuery]:
        """Make a query of every heading whose section continues in the next passage."""
        places = [
            (number, text) for number, passage in enumerate(passages) for text in headings(passage)
        ]
        found = []
        for place, (number, text) in enumerate(places):
            following = places[place + 1][0] if place + 1 < len(places) else len(passages) - 1
            section = tuple(range(number + 1, following + 1))
            if section:
                query = f"{title} {text}" if title else text
                found.append(DocumentQuery(query, (number,), section, "heading"))
        if not found and title and passages:
            found.append(DocumentQuery(title, (), tuple(range(len(passages))), "title"))
        return found


def headings(passage: str) -> list[str]:
    """Return the lines of a passage that are headings, without their marks."""
    return [passage[begin:end] for begin, end in heading_places(passage)]


def heading_places(passage: str) -> list[tuple[int, int]]:
    """Return where the headings of a passage begin and end, in code points."""
    found, line_begin = [], 0
    for line, after in itertools.pairwise(passage.split("\n")):
        text = line.strip(_AROUND)
        fits = text and len(text.split()) <= MOST_WORDS and not text.endswith(_ENDS)
        if fits and (text[0].isupper() or text[0].isdigit()) and len(after) > 2 * len(text):
            begin = line_begin + line.index(text)
            found.append((begin, begin + len(text)))
        line_begin += len(line) + 1
    return found
