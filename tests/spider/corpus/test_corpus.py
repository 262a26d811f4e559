"""The corpus on disk gives back exactly what was written."""

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus, hash_passage
from spider.corpus.document import Document, PassageBounds
from spider.corpus.writer import CorpusWriter
from spider.errors import ArtifactError, DataError


def test_serves_passages_by_position_id_and_document(make_corpus):
    corpus = make_corpus([("Bahía", ["uno dos", "trés 🦎 x"]), ("B", ["three"])])
    assert len(corpus) == 3
    assert corpus.n_documents == 2
    assert corpus.texts([2, 0, 1]) == ["three", "uno dos", "trés 🦎 x"]
    assert corpus.titles(range(3)) == ["Bahía", "Bahía", "B"]
    assert [corpus.passage_id(p) for p in range(3)] == ["d0#0", "d0#1", "d1#0"]
    assert corpus.position("d1#0") == 2
    assert corpus.document_passages(0) == range(2)
    assert corpus.document_number(np.int64(2)) == 1
    assert corpus.document_id(1) == "d1"
    assert corpus.find_document("d1") == 1
    assert corpus.find_document("d2") is None
    second = corpus.passage(1)
    assert (second.start, second.end, second.text) == (8, 16, "trés 🦎 x")
    assert second.document_id == "d0"
    document = corpus.document(0)
    assert document.text == "uno dos\ntrés 🦎 x"
    assert document.passages == (PassageBounds("d0#0", 0, 7), PassageBounds("d0#1", 8, 16))
    assert corpus.passage_hashes.shape == (3, 16)
    assert corpus.passage_hashes[1].tobytes() == hash_passage("Bahía", "trés 🦎 x")


def test_counts_are_in_the_manifest(make_corpus):
    corpus = make_corpus([("A", ["one two", "three"])], last_passage_padded=True)
    assert corpus.artifact.counts["documents"] == 1
    assert corpus.artifact.counts["passages"] == 2
    assert corpus.artifact.counts["words"] == 3
    assert corpus.last_passage_padded


def test_overlapping_and_descending_passages_keep_their_text(make_corpus):
    text = "é🦎a b c ü"
    bounds = (PassageBounds("x", 3, 8), PassageBounds("y", 0, 4), PassageBounds("z", 1, 8))
    corpus = make_corpus([Document(id="d", title="", text=text, passages=bounds)])
    assert corpus.texts(range(3)) == [text[3:8], text[0:4], text[1:8]]


def test_unknown_id_and_positions_outside(make_corpus):
    corpus = make_corpus([("A", ["one"])])
    with pytest.raises(DataError, match="no passage has the id 'nope'"):
        corpus.position("nope")
    for outside in (-1, 1):
        with pytest.raises(IndexError):
            corpus.text(outside)
        with pytest.raises(IndexError):
            corpus.document(outside)


@pytest.mark.parametrize("what", ["document", "passage"])
def test_duplicate_ids_name_both(make_corpus, what):
    passages = [
        Document(
            id="same" if what == "document" else f"d{n}",
            title="",
            text="w",
            passages=(PassageBounds("same" if what == "passage" else f"p{n}", 0, 1),),
        )
        for n in (0, 1)
    ]
    with pytest.raises(DataError, match=f"two {what}s .*'same': .* number 1 .* and .* number 2"):
        make_corpus(passages)


def test_lone_surrogates_are_replaced_and_counted(make_corpus):
    corpus = make_corpus([("t\ud800", ["a \udc00\udc01 b", "🦎 c"])])
    assert corpus.text(0) == "a \ufffd\ufffd b"
    assert corpus.text(1) == "🦎 c"
    assert corpus.title(0) == "t\ufffd"
    assert corpus.artifact.counts["surrogates_replaced"] == 3


def test_empty_documents_are_counted_not_kept(make_corpus):
    blank = Document(id="blank", title="Blank", text=" \n\t", passages=None)
    corpus = make_corpus([blank, Document(id="a", title="", text="word")])
    assert corpus.n_documents == 1
    assert corpus.artifact.counts["empty_documents"] == 1
    assert corpus.title(0) == ""


def test_document_that_is_not_cut_or_has_bad_bounds_is_refused(tmp_path):
    with CorpusWriter(tmp_path) as writer:
        with pytest.raises(DataError, match="not cut"):
            writer.add(Document(id="a", title="", text="word"))
        bad = (PassageBounds("p", 0, 9),)
        with pytest.raises(DataError, match=r"bounds 0\.\.9"):
            writer.add(Document(id="a", title="", text="word", passages=bad))


def test_pickles_as_its_path(make_corpus):
    corpus = make_corpus([("A", ["one"])])
    assert pickle.loads(pickle.dumps(corpus)).text(0) == "one"


def test_files_that_disagree_with_the_manifest_are_refused(tmp_path):
    stage = Stage(verb="prepare", kind="corpus", output=tmp_path / "c", config={}, inputs={})
    with stage.writing() as folder:
        CorpusWriter(folder).close()
        stage.finish(counts={"documents": 5, "passages": 7})
    with pytest.raises(ArtifactError, match="5 documents and 7 passages"):
        Corpus.open(tmp_path / "c")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.lists(st.text(min_size=1, max_size=12), min_size=1)),
        max_size=6,
    )
)
def test_any_text_comes_back(make_corpus, documents):
    # st.text() draws no surrogates; documents of white space alone are not kept
    corpus = make_corpus(documents)
    kept = [(title, texts) for title, texts in documents if " ".join(texts).split()]
    flat = [(title, text) for title, texts in kept for text in texts]
    assert (
        list(zip(corpus.titles(range(len(corpus))), corpus.texts(range(len(corpus))), strict=True))
        == flat
    )
    for position in range(len(corpus)):
        assert corpus.position(corpus.passage_id(position)) == position
