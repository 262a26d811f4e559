"""The writer of a corpus: what is kept, counted and refused, and equal bytes."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.corpus.document import Document, PassageBounds
from spider.corpus.writer import CorpusWriter
from spider.errors import DataError


def document(name: str, text: str, *bounds: tuple[int, int]) -> Document:
    passages = tuple(
        PassageBounds(f"{name}#{place}", start, end) for place, (start, end) in enumerate(bounds)
    )
    return Document(id=name, title=f"Title {name}", text=text, passages=passages)


def written(folder: Path, documents: list[Document]) -> Corpus:
    stage = Stage(verb="prepare", kind="corpus", output=folder, config={}, inputs={})
    with stage.writing() as partial:
        writer = CorpusWriter(partial)
        for one in documents:
            writer.add(one)
        stage.finish(counts=writer.close())
    return Corpus.open(folder)


@settings(max_examples=25)
@given(st.data())
def test_any_cut_of_any_text_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Passages may overlap, descend and hold characters of one to four bytes."""
    text = data.draw(st.text(alphabet="aé東🦊 ", min_size=1, max_size=30)) + "x"
    ends = st.integers(0, len(text))
    pairs = st.tuples(ends, ends).filter(lambda pair: pair[0] < pair[1])
    bounds = data.draw(st.lists(pairs, min_size=1, max_size=5))
    corpus = written(
        tmp_path_factory.mktemp("corpus") / "corpus",
        [document("before", "é one", (0, 5)), document("d", text, *bounds)],
    )
    assert corpus.document(1).text == text
    assert corpus.texts(range(1, len(corpus))) == [text[start:end] for start, end in bounds]


def test_counts(tmp_path: Path) -> None:
    corpus = written(
        tmp_path / "corpus",
        [
            document("a", "one two  three", (0, 3), (4, 14)),
            document("no words", " \n ", (0, 1)),
            document("no passages", "words"),
            document("b", "lone \ud800 surrogate", (0, 16)),
        ],
    )
    assert corpus.artifact.counts == {
        "documents": 2,
        "passages": 3,
        "words": 6,
        "empty_documents": 2,
        "surrogates_replaced": 1,
    }
    assert corpus.text(2) == "lone \ufffd surrogate"


def test_the_same_documents_give_the_same_bytes(tmp_path: Path) -> None:
    documents = [document("a", "one two", (0, 3), (4, 7)), document("b", "three", (0, 5))]
    hashes = [written(tmp_path / name, documents).artifact.content_hash for name in ("x", "y")]
    assert hashes[0] == hashes[1]
    assert written(tmp_path / "z", documents[::-1]).artifact.content_hash != hashes[0]


@pytest.mark.parametrize("bounds", [(-1, 2), (2, 2), (3, 2), (0, 8)])
def test_bounds_outside_the_text_are_refused(tmp_path: Path, bounds: tuple[int, int]) -> None:
    with (
        CorpusWriter(tmp_path) as writer,
        pytest.raises(DataError, match=r"passage 'a#0' of document 'a' has bounds .* of 7 code"),
    ):
        writer.add(document("a", "one two", bounds))


def test_an_uncut_document_is_refused(tmp_path: Path) -> None:
    with (
        CorpusWriter(tmp_path) as writer,
        pytest.raises(DataError, match="not cut into passages"),
    ):
        writer.add(Document(id="a", title="", text="one"))


def test_two_documents_of_one_id_are_refused(tmp_path: Path) -> None:
    writer = CorpusWriter(tmp_path)
    for name in ("a", "b", "a"):
        writer.add(document(name, "one", (0, 3)))
    with pytest.raises(DataError, match=r"the id 'a': document number 1 .* and document number 3"):
        writer.close()
