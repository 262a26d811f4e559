"""Building an index: whole parts are kept, and an index is made again only when it has to be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from index.dense.exact import Exact
from index.doubt.term_weights import FILES
from index.embeddings.embeddings import Embeddings
from index.engines.parts import IndexParts
from index.engines.writer import build_index
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.file_table import matches
from spider.artifacts.records.index import IndexRecord
from spider.errors import ArtifactError, ConfigError


@pytest.fixture
def parts(undertaking: Any) -> IndexParts:
    return IndexParts(
        corpus=undertaking.corpus,
        embeddings=Embeddings.open(undertaking.folder / "embeddings"),
        spans=None,
        dense=Exact(),
        sparse=Bm25s(),
        fusion=WeightedSum(weights={"dense": 20.0, "bm25": 1.0}),
    )


def test_an_interrupted_build_keeps_its_whole_parts(
    parts: IndexParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build_index(parts, tmp_path / "whole")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    def built_again(*_: Any, **__: Any) -> None:
        raise AssertionError("the dense part was complete")

    with monkeypatch.context() as patch:
        patch.setattr(Bm25s, "build", interrupted)
        with pytest.raises(KeyboardInterrupt):
            build_index(parts, tmp_path / "index")
    with monkeypatch.context() as patch:
        patch.setattr(Exact, "build", built_again)
        resumed = build_index(parts, tmp_path / "index")
    assert resumed.content_hash == whole.content_hash
    assert resumed.manifest["files"] == whole.manifest["files"]


def test_equal_parts_and_settings_build_nothing(parts: IndexParts, tmp_path: Path) -> None:
    first = build_index(parts, tmp_path / "index", config={"seed": 1})
    written = (tmp_path / "index" / "manifest.json").stat().st_mtime_ns
    again = build_index(parts, tmp_path / "index", config={"seed": 1})
    assert again.content_hash == first.content_hash
    assert (tmp_path / "index" / "manifest.json").stat().st_mtime_ns == written
    with pytest.raises(ArtifactError, match="overwrite=true"):
        build_index(parts, tmp_path / "index", config={"seed": 2})
    other = build_index(parts, tmp_path / "index", config={"seed": 2}, overwrite=True)
    assert other.content_hash != first.content_hash


def test_bm25_alone_has_no_encoder_and_no_fusion(parts: IndexParts, tmp_path: Path) -> None:
    built = build_index(replace(parts, embeddings=None, dense=None), tmp_path / "index")
    assert built.variant == "local"
    assert (built.details["encoder"], built.details["fusion"]) == (None, None)
    assert built.manifest["volatile"]["encoder_path"] is None
    assert not (tmp_path / "index" / "dense").exists()
    assert open_artifact(tmp_path / "index", kind="index").counts["passages"] == 60


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    parts: IndexParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.engines.preflight.WORKING_MEMORY", 1 << 50)
    with pytest.raises(ConfigError, match="of memory"):
        build_index(parts, tmp_path / "index")
    assert not list(tmp_path.glob("index*"))


def test_the_files_of_the_doubt_are_part_of_the_index() -> None:
    # an undeclared file is in no hash, and the next build refuses to replace the folder
    assert all(matches(name, IndexRecord.PAYLOAD) for name in FILES)
