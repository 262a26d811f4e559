"""Opening an index: the corpus and the encoder have to be those that it was built with."""

from pathlib import Path
from typing import Any

import pytest

from index.dense.exact import Exact
from index.embeddings.embeddings import Embeddings
from index.engines.opening import (
    check_encoder,
    check_systems,
    open_corpus,
    open_index,
    training_note,
)
from index.engines.parts import IndexParts
from index.engines.writer import build_index
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.atomic_files import write_json
from spider.artifacts.folder.manifest import seal
from spider.errors import ArtifactError, ConfigError
from spider.reading import read_json


@pytest.fixture
def artifact(undertaking: Any) -> Artifact:
    fusion = WeightedSum(weights={"dense": 20.0, "bm25": 1.0})
    parts = IndexParts(
        corpus=undertaking.corpus,
        embeddings=Embeddings.open(undertaking.folder / "embeddings"),
        spans=None,
        dense=Exact(),
        sparse=Bm25s(),
        fusion=fusion,
    )
    return build_index(parts, undertaking.folder / "index")


def test_passages_come_with_texts_scores_shares_and_sources(artifact: Artifact) -> None:
    with open_index(artifact.path) as index:
        first, second = index.passages(["the otter in the meadow", "the raven"], 1000)
        assert first[0].id == "d4#1"
        assert (first[0].title, first[0].source) == ("The otter", "d4")
        assert "otter" in first[0].text
        assert second[0].source == "d2"
        # k may exceed the corpus of 60 passages
        assert 30 <= len(first) <= 60
        for hit in first:
            assert list(hit.shares) == ["dense", "bm25"]
            assert sum(hit.shares.values()) == pytest.approx(1)
        alone = index.passages(["the otter"], 1, system="bm25")[0]
        assert alone[0].shares == {"bm25": 1.0}


def test_systems_are_checked_without_opening_a_part(artifact: Artifact) -> None:
    assert check_systems(artifact, None) == ("bm25", "dense", "hybrid")
    assert check_systems(artifact, ["hybrid", "bm25"]) == ("hybrid", "bm25")
    with pytest.raises(ConfigError, match=r"got \['splade'\]"):
        check_systems(artifact, ["bm25", "splade"])


def test_another_corpus_and_another_encoder_are_refused(
    artifact: Artifact, undertaking: Any, make_corpus: Any, make_encoder: Any
) -> None:
    assert open_corpus(artifact, undertaking.corpus.path).path == undertaking.corpus.path
    other = make_corpus([("Other", ["Something else."])], name="other")
    with pytest.raises(ArtifactError, match=other.artifact.content_hash):
        open_corpus(artifact, other.path)
    assert check_encoder(artifact, None)[0].resolve() == undertaking.folder / "encoder"
    encoder = make_encoder(undertaking.folder / "other-encoder", undertaking.corpus, seed=1)
    with pytest.raises(ArtifactError, match=encoder.content_hash):
        check_encoder(artifact, encoder.path)


def test_an_index_that_does_not_say_where_its_encoder_is(
    artifact: Artifact, undertaking: Any
) -> None:
    manifest = read_json(artifact.path / "manifest.json")
    del manifest["volatile"]["encoder_path"]
    write_json(artifact.path / "manifest.json", seal(manifest))
    again = open_artifact(artifact.path)
    with pytest.raises(ArtifactError, match="give it as encoder=FOLDER"):
        check_encoder(again, None)
    encoder = undertaking.folder / "encoder"
    assert check_encoder(again, encoder)[0] == encoder
    open_index(artifact.path, systems=["bm25"]).close()


def test_the_note_of_an_encoders_training(undertaking: Any, tmp_path: Path) -> None:
    encoder = undertaking.folder / "encoder"
    assert training_note(encoder) == ""
    manifest = read_json(encoder / "manifest.json")
    manifest["details"]["training"] = {"note": "few pairs", "steps": 3, "validation": {}}
    write_json(encoder / "manifest.json", seal(manifest))
    assert training_note(encoder) == "few pairs"
