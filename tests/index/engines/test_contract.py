"""What every search engine promises. A new engine adds one entry to ``ENGINES``."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.dense.exact import Exact
from index.embeddings.embeddings import Embeddings
from index.engines.contract import IndexEngine, StoredIndex, load_stored
from index.engines.opening import open_index
from index.engines.parts import IndexParts
from index.engines.writer import build_index
from index.fusion.reciprocal_rank import ReciprocalRank
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from spider.artifacts.artifact import Artifact
from spider.errors import ArtifactError, ConfigError
from spider.interfaces import SearchEngine
from spider.ranking import NO_PASSAGE

QUESTIONS = ["where was the otter seen?", "the raven at the quarry", "an old lynx", "zzz"]
DEPTH = 8


def build_local(undertaking: Any, output: Path) -> Artifact:
    parts = IndexParts(
        corpus=undertaking.corpus,
        embeddings=Embeddings.open(undertaking.folder / "embeddings"),
        spans=None,
        dense=Exact(),
        sparse=Bm25s(),
        fusion=WeightedSum(weights={"dense": 20.0, "bm25": 1.0}, depths={"dense": 30, "bm25": 30}),
    )
    return build_index(parts, output)


ENGINES: dict[str, Callable[[Any, Path], Artifact]] = {"local": build_local}


@pytest.fixture(params=sorted(ENGINES))
def artifact(request: pytest.FixtureRequest, undertaking: Any) -> Artifact:
    return ENGINES[request.param](undertaking, undertaking.folder / "index")


def test_the_manifest_names_the_engine_that_opens_it(artifact: Artifact) -> None:
    assert artifact.variant in ENGINES
    stored = load_stored(artifact)
    assert isinstance(stored, StoredIndex)
    assert stored.systems == ("bm25", "dense", "hybrid")
    assert not stored.needs_encoder(["bm25"])
    assert stored.needs_encoder(["bm25", "hybrid"])


def test_rankings_are_ranked_padded_and_the_same_in_any_company(artifact: Artifact) -> None:
    with open_index(artifact.path) as index:
        engine = index.engine
        assert isinstance(engine, SearchEngine)
        assert isinstance(engine, IndexEngine)
        together = engine.rankings(QUESTIONS, DEPTH, systems=engine.systems)
        assert list(together) == list(engine.systems)
        for system, hits in together.items():
            assert hits.positions.shape == (len(QUESTIONS), DEPTH)
            assert hits.positions.max() < len(index.corpus)
            for positions, scores in zip(hits.positions, hits.scores, strict=True):
                listed = positions[positions != NO_PASSAGE]
                assert len(set(listed.tolist())) == len(listed)
                assert (positions[len(listed) :] == NO_PASSAGE).all()
                pairs = list(zip(-scores[: len(listed)], listed, strict=True))
                assert pairs == sorted(pairs)
            alone = engine.rankings(QUESTIONS, DEPTH, systems=[system])[system]
            assert alone.positions.tolist() == hits.positions.tolist()
            single = engine.rankings(QUESTIONS[1:2], DEPTH, systems=[system])[system]
            assert single.positions[0].tolist() == hits.positions[1].tolist()
        best = engine.search(QUESTIONS, DEPTH)
        assert best.positions.tolist() == together[engine.systems[-1]].positions.tolist()
        assert index.search(QUESTIONS, DEPTH).positions.tolist() == best.positions.tolist()
        assert engine.search([], DEPTH).positions.shape == (0, DEPTH)


def test_excluded_passages_are_as_if_they_were_not_there(artifact: Artifact) -> None:
    with open_index(artifact.path) as index:
        engine = index.engine
        plain = engine.rankings(QUESTIONS[:1], DEPTH + 1, systems=["bm25", "dense"])
        for system, hits in plain.items():
            first = int(hits.positions[0, 0])
            without = engine.rankings(QUESTIONS[:1], DEPTH, systems=[system], excluded=[[first]])[
                system
            ]
            assert without.positions[0].tolist() == hits.positions[0, 1:].tolist()
        hybrid = engine.search_with_shares(QUESTIONS[:1], 60, excluded=[[first]])
        assert first not in hybrid.hits.positions[0].tolist()


def test_shares_are_parts_of_one(artifact: Artifact) -> None:
    with open_index(artifact.path) as index:
        for system in index.engine.systems:
            found = index.engine.search_with_shares(QUESTIONS, DEPTH, system=system)
            ranking = index.engine.rankings(QUESTIONS, DEPTH, systems=[system])[system]
            assert found.hits.positions.tolist() == ranking.positions.tolist()
            total = sum(found.shares.values())
            np.testing.assert_allclose(total, found.hits.positions != NO_PASSAGE, atol=1e-6)
            for ranked in index.passages(QUESTIONS, DEPTH, system=system):
                assert [hit.rank for hit in ranked] == list(range(1, len(ranked) + 1))
                assert all(hit.passage == index.corpus.passage(hit.position) for hit in ranked)


def test_threads_find_what_one_thread_finds(artifact: Artifact) -> None:
    with open_index(artifact.path) as index, ThreadPoolExecutor(max_workers=6) as pool:
        expected = [index.search([question], DEPTH).positions.tolist() for question in QUESTIONS]
        asked = QUESTIONS * 8
        found = pool.map(lambda question: index.search([question], DEPTH).positions.tolist(), asked)
        assert list(found) == expected * 8


def test_unknown_systems_are_refused_with_those_there_are(artifact: Artifact) -> None:
    with open_index(artifact.path) as index:
        for systems in (["splade"], []):
            with pytest.raises(ConfigError, match=r"offers \['bm25', 'dense', 'hybrid'\]"):
                index.engine.rankings(QUESTIONS, DEPTH, systems=systems)
        with pytest.raises(ConfigError, match="offers"):
            index.engine.search_with_shares(QUESTIONS, DEPTH, system="splade")
    with pytest.raises(ConfigError, match="offers"):
        open_index(artifact.path, systems=["splade"])


def test_only_what_is_asked_for_is_opened_and_closing_twice_is_no_error(
    artifact: Artifact,
) -> None:
    index = open_index(artifact.path, systems=["bm25"])
    assert index.engine.systems == ("bm25",)
    index.close()
    index.close()


def test_another_fusion_takes_the_place_of_the_stored_one(artifact: Artifact) -> None:
    ranks = ReciprocalRank(depths={"dense": 30, "bm25": 30})
    with open_index(artifact.path) as stored, open_index(artifact.path, fusion=ranks) as other:
        assert other.search(QUESTIONS, 1).scores[0, 0] == pytest.approx(2 / 61, abs=0.005)
        assert stored.search(QUESTIONS, 1).scores[0, 0] > 1
    unknown = ReciprocalRank(depths={"dense": 30, "splade": 30})
    with pytest.raises(ConfigError, match=r"rankings \['splade'\]"):
        open_index(artifact.path, fusion=unknown)


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ("", "did not record a search engine; build the index again"),
        ("writer", "no search engine variant 'writer'"),
        ("../local", "no search engine variant"),
    ],
)
def test_an_index_of_another_engine_is_refused(
    artifact: Artifact, variant: str, message: str
) -> None:
    manifest = {**artifact.manifest, "variant": variant}
    with pytest.raises(ArtifactError, match=message) as refused:
        load_stored(Artifact(artifact.path, manifest))
    assert "\n" not in str(refused.value)
