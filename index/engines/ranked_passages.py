"""One question's passages as a person or a program is shown them: with scores and shares."""

from rich.text import Text

from index.engines.opening import OpenIndex
from index.engines.snippet import make_snippet
from spider.console import say
from spider.ranking import NO_PASSAGE, RankedPassage

MARK = "bold green"
FAINT = "dim"


def rank_passages(index: OpenIndex, question: str, k: int) -> list[RankedPassage]:
    """Search one question with the best system that the index has open."""
    system = index.retriever.systems[-1]
    if system == "hybrid":
        fused = index.retriever.components([question], k).fused
        hits, dense_shares = fused.hits, fused.dense_share[0].tolist()
    else:
        hits = index.retriever.rankings([question], k, systems=(system,))[system]
        dense_shares = [float(system == "dense")] * k
    names = ("dense", "bm25") if system == "hybrid" else (system,)
    ranked = []
    rows = zip(hits.positions[0].tolist(), hits.scores[0].tolist(), dense_shares, strict=True)
    for rank, (position, score, dense_share) in enumerate(rows, start=1):
        if position == NO_PASSAGE:
            break
        shares = {"dense": dense_share, "bm25": 1 - dense_share}
        ranked.append(
            RankedPassage(
                rank=rank,
                position=position,
                passage=index.corpus.passage(position),
                score=score,
                shares={name: shares[name] for name in names},
            )
        )
    return ranked


def show_passages(question: str, ranked: list[RankedPassage]) -> None:
    """Print passages with title, id, score, each retriever's share, and a marked snippet."""
    if not ranked:
        say("no passage was found")
        return
    for hit in ranked:
        shares = "  ".join(f"{name} {share:.0%}" for name, share in hit.shares.items())
        head = Text()
        head.append(f"{hit.rank:>3}  ")
        head.append(hit.passage.title or hit.passage.document_id, style="bold")
        head.append(f"  [{hit.passage.id}]  score {hit.score:.3f}  {shares}", style=FAINT)
        say(head)
        snippet = make_snippet(hit.passage.text, question)
        body = Text(snippet.text)
        for start, end in snippet.marks:
            body.stylize(MARK, start, end)
        say(Text("     ") + body)
