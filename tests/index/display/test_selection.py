"""At most three passages of one document, as long as there are others."""

from index.display.selection import select
from spider.corpus.document import Passage
from spider.ranking import RankedPassage


def ranking(documents: str) -> list[RankedPassage]:
    return [
        RankedPassage(
            rank=rank,
            position=rank,
            passage=Passage(
                id=f"{document}#{rank}", document_id=document, title="", text="x", start=0, end=1
            ),
            score=1.0 / rank,
        )
        for rank, document in enumerate(documents, start=1)
    ]


def chosen(documents: str, k: int, per_document: int) -> tuple[str, int, list[int]]:
    whole = ranking(documents)
    depths = []

    def search(depth: int) -> list[RankedPassage]:
        depths.append(depth)
        return whole[:depth]

    kept, left_out = select(search, k=k, per_document=per_document)
    assert [hit.rank for hit in kept] == list(range(1, len(kept) + 1))
    return " ".join(hit.id for hit in kept), left_out, depths


def test_a_document_has_three_and_others_follow() -> None:
    assert chosen("aaaaaabbc", 5, 3) == ("a#1 a#2 a#3 b#7 b#8", 3, [5, 20])


def test_without_a_limit_the_ranking_is_as_it_is() -> None:
    assert chosen("aaaaaabbc", 5, 0) == ("a#1 a#2 a#3 a#4 a#5", 0, [5])


def test_where_no_other_document_is_left_the_list_is_filled_by_rank() -> None:
    assert chosen("aaaab", 5, 3) == ("a#1 a#2 a#3 a#4 b#5", 0, [5, 20])
    assert chosen("", 5, 3) == ("", 0, [5])


def test_what_was_left_out_is_counted_up_to_the_last_that_is_shown() -> None:
    assert chosen("aaab", 2, 1) == ("a#1 b#4", 2, [2, 8])
