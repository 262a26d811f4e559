"""Prints ranked passages on a terminal."""

from collections.abc import Sequence

from rich.text import Text

from index.engines.snippet import make_snippet
from spider.console import say
from spider.printable import LINE_FEED, TAB, printable
from spider.ranking import RankedPassage

MARK = "bold green"
FAINT = "dim"


def show_passages(question: str, ranked: Sequence[RankedPassage]) -> None:
    """Print passages with title, id, score, the share of each ranking, and a marked snippet."""
    if not ranked:
        say("no passage was found")
        return
    for hit in ranked:
        shares = "  ".join(f"{name} {share:.0%}" for name, share in hit.shares.items())
        head = Text()
        head.append(f"{hit.rank:>3}  ")
        head.append(printable(hit.title or hit.source), style="bold")
        head.append(f"  [{printable(hit.id)}]  score {hit.score:.3f}  {shares}", style=FAINT)
        say(head)
        snippet = make_snippet(printable(hit.text, keep=TAB + LINE_FEED), question)
        body = Text(snippet.text)
        for start, end in snippet.marks:
            body.stylize(MARK, start, end)
        say(Text("     ") + body)
