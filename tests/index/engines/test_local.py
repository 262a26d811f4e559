"""The local engine: which rankings a manifest offers, and which parts are opened."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.dense.exact import Exact
from index.engines.local import Local, load, open_rankers
from index.sparse.bm25s_index import Bm25s
from spider.artifacts.artifact import Artifact
from spider.errors import ConfigError
from spider.progress import Progress

FUSION = {
    "variant": "reciprocal_rank",
    "constant": 60.0,
    "depths": {"dense": 5, "bm25": 5},
}


class Encoder:
    dimension = 2

    def encode_questions(self, texts: Any) -> np.ndarray:
        return np.ones((len(texts), 2), dtype=np.float32)


class Vectors:
    dimension = 2

    def __len__(self) -> int:
        return 2

    def blocks(self) -> Any:
        yield 0, np.array([[1, 0], [1, 1]], dtype=np.float16)


@pytest.fixture
def details(tmp_path: Path, make_corpus: Any) -> dict[str, Any]:
    corpus = make_corpus([("Animals", ["an otter", "a lynx"])])
    (tmp_path / "dense").mkdir()
    with Progress(total=2, unit="passages", label="dense") as progress:
        dense = Exact().build(Vectors(), tmp_path / "dense", progress)
    sparse = Bm25s().build(corpus, tmp_path / "sparse")
    return {"dense": dense, "sparse": sparse, "fusion": FUSION}


def local(path: Path, details: dict[str, Any]) -> Local:
    manifest = {"kind": "index", "details": {"passages": 2, "encoder": None, **details}}
    return load(Artifact(path, manifest))


@pytest.mark.parametrize(
    ("missing", "systems"),
    [
        ((), ("bm25", "dense", "hybrid")),
        (("dense", "fusion"), ("bm25",)),
        (("sparse", "fusion"), ("dense",)),
        (("fusion",), ("bm25", "dense")),
    ],
)
def test_the_systems_follow_from_the_parts(
    missing: tuple[str, ...], systems: tuple[str, ...], details: dict[str, Any], tmp_path: Path
) -> None:
    stored = local(tmp_path, {**details, **dict.fromkeys(missing)})
    assert stored.systems == systems


def test_parts_are_opened_in_the_order_of_reports(details: dict[str, Any], tmp_path: Path) -> None:
    rankers = open_rankers(
        tmp_path, dense=details["dense"], sparse=details["sparse"], encoder=Encoder()
    )
    assert list(rankers) == ["bm25", "dense"]
    assert rankers["bm25"].search(["the lynx"], 1).positions.tolist() == [[1]]
    assert rankers["dense"].search(["anything"], 2).positions.tolist() == [[1, 0]]
    assert open_rankers(tmp_path, dense=None, sparse=None, encoder=None) == {}


def test_hybrid_opens_what_its_fusion_joins(details: dict[str, Any], tmp_path: Path) -> None:
    engine = local(tmp_path, details).open(systems=["hybrid"], encoder=Encoder())
    assert engine.systems == ("bm25", "dense", "hybrid")
    engine.close()
    alone = local(tmp_path, details).open(systems=["bm25"])
    assert alone.systems == ("bm25",)
    alone.close()
    with pytest.raises(ConfigError, match="needs the encoder"):
        local(tmp_path, details).open(systems=["dense"])
