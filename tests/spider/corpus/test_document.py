"""Documents and passages are values: equal by content, and never changed."""

from dataclasses import FrozenInstanceError, replace

import pytest

from spider.corpus.document import Document, Passage, PassageBounds

PASSAGE = Passage(id="a#0", document_id="a", title="T", text="one", start=0, end=3)


def test_they_are_equal_by_content() -> None:
    assert replace(PASSAGE) == PASSAGE
    assert len({PASSAGE, replace(PASSAGE), replace(PASSAGE, start=1)}) == 2
    bounds = (PassageBounds("a#0", 0, 3),)
    assert Document(id="a", title="", text="one", passages=bounds) == Document(
        id="a", title="", text="one", passages=(PassageBounds(id="a#0", start=0, end=3),)
    )


def test_they_never_change() -> None:
    with pytest.raises(FrozenInstanceError):
        PASSAGE.text = "two"  # type: ignore[misc]
    assert Document(id="a", title="", text="one").passages is None
