import numpy as np
import pytest

from pretrain.spans.heldout import HeldoutQueries
from pretrain.spans.mining import Mining
from pretrain.spans.settings import MiningSettings
from pretrain.spans.span_filters import SpanFilter
from spider.errors import ConfigError
from spider.questions.transforms.random_window import RandomWindow
from spider.spans.span_store import SpanStore


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="1 or more"):
        HeldoutQueries(transform=RandomWindow(), clusters_per_document=0, documents=1, seed=0)


def mined(make_corpus, tmp_path, *, padded=False, keep=0.5, clusters_per_document=40):
    rng = np.random.default_rng(0)
    filler = ["".join(rng.choice(list("bcdfgh"), size=6)) for _ in range(60)]

    def passage(*phrases):
        words = [str(word) for word in rng.choice(filler, size=40)]
        for phrase in phrases:
            words.insert(int(rng.integers(len(words))), f"{phrase},")
        return " ".join(words)

    documents = [
        (
            f"T{number}",
            [
                passage(f"Red Fox{'y' * (number + 1)}", "blue Moon rises"),
                passage("Blue moon rises", "Blue moon rises"),
                passage(f"red fox{'y' * (number + 1)}"),
                passage(),
            ],
        )
        for number in range(10)
    ]
    corpus = make_corpus(documents, last_passage_padded=padded)
    folder = tmp_path / "spans"
    folder.mkdir()
    mining = Mining(
        MiningSettings(
            span_filter=SpanFilter(),
            query_transform=RandomWindow(keep_probability=keep),
            clusters_per_document=clusters_per_document,
        )
    )
    result = mining.run(corpus, folder)
    return corpus, SpanStore(folder), result


@pytest.mark.parametrize("keep", [0.0, 1.0])
def test_queries_say_what_they_are(make_corpus, tmp_path, keep):
    corpus, store, _ = mined(make_corpus, tmp_path, keep=keep)
    questions = store.heldout("test").questions
    assert questions
    assert store.heldout("test").match == "passage"
    for question in questions:
        span = question.tags["recurring_span"].lower()
        assert question.tags["span"] == ("kept" if keep else "removed")
        assert (span in question.text.lower()) == bool(keep)
        assert 1 <= len(question.text.split()) <= 30
        (own,) = question.excluded
        assert span in corpus.text(corpus.position(own)).lower()
        document = corpus.document_number(corpus.position(own))
        assert question.cluster == corpus.document_id(document)
        holders = {
            corpus.passage_id(position)
            for position in corpus.document_passages(document)
            if span in corpus.text(position).lower()
        }
        assert set(question.relevant) == holders - {own}
        assert question.relevant


def test_test_documents_never_reach_training(make_corpus, tmp_path):
    corpus, store, _ = mined(make_corpus, tmp_path)
    train = {corpus.document_id(store.documents[cluster]) for cluster in store.train_clusters()}
    held = {
        question.cluster
        for name in ("validation", "test")
        for question in store.heldout(name).questions
    }
    assert train
    assert held
    assert not train & held


def test_at_most_so_many_clusters_a_document(make_corpus, tmp_path):
    _, store, _ = mined(make_corpus, tmp_path, clusters_per_document=1)
    clusters = [question.cluster for question in store.heldout("test").questions]
    assert len(clusters) == len(set(clusters)) == 2


def test_padded_last_passage_is_no_candidate_and_is_excluded(make_corpus, tmp_path):
    corpus, store, result = mined(make_corpus, tmp_path, padded=True)
    assert result.record.last_passage_dropped
    assert store.candidates(1) == range(4, 7)
    for question in store.heldout("test").questions:
        last = corpus.document_passages(
            corpus.document_number(corpus.position(question.excluded[0]))
        )
        assert question.excluded[1] == corpus.passage_id(last[-1])
