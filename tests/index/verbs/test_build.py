"""The verb build: what the artifact holds, that it resumes, and what it refuses."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.dense.exact import Exact
from index.dense.faiss_sqfp16 import FaissSqfp16
from index.engines.opening import check_systems, open_index
from index.engines.tuning import Tuning
from index.fusion.reciprocal_rank import ReciprocalRank
from index.fusion.weight_choice import CANDIDATES
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from index.sparse.jvm import JvmPlan, plan_jvm, preflight
from index.sparse.lucene import Lucene
from index.verbs.build import BuildSettings, main
from spider.artifacts.artifact import open_artifact
from spider.artifacts.atomic_files import write_json
from spider.artifacts.folder.manifest import seal
from spider.errors import ArtifactError, ConfigError
from spider.launch.typed.content import content
from spider.ranking import Hits
from spider.reading import read_json


def settings(folder: Path, **changes: Any) -> BuildSettings:
    values: dict[str, Any] = {
        "corpus": folder / "corpus",
        "embeddings": folder / "embeddings",
        "spans": folder / "spans",
        "output": folder / "index",
        "dense": FaissSqfp16(),
        "sparse": Bm25s(),
        "fusion": WeightedSum(depths={"dense": 20, "bm25": 20}),
        "tuning": Tuning(fewest=1),
        "device": "cpu",
    }
    return BuildSettings(**{**values, **changes})


def search_all(folder: Path, path: Path) -> dict[str, Hits]:
    index = open_index(path, corpus=folder / "corpus")
    try:
        return index.engine.rankings(
            ["where was the otter seen?", "the raven at the quarry"],
            8,
            systems=index.engine.systems,
        )
    finally:
        index.close()


def test_what_an_index_holds(undertaking: Any) -> None:
    folder = undertaking.folder
    main(settings(folder))
    artifact = open_artifact(folder / "index", kind="index")
    encoder = open_artifact(folder / "encoder")
    details = artifact.details
    assert artifact.counts == {"passages": 60, "documents": 10}
    assert details["dense"] == {"variant": "faiss_sqfp16", "passages": 60, "dimension": 32}
    assert details["sparse"]["variant"] == "bm25s_index"
    assert details["encoder"] == {"content_hash": encoder.content_hash, "variant": "static"}
    assert artifact.manifest["volatile"]["encoder_path"] == "../encoder"
    assert details["fusion"]["variant"] == "weighted_sum"
    assert details["fusion"]["weights"]["dense"] in CANDIDATES
    assert details["fusion"]["tuned_on"] == {"split": "validation", "queries": 10, "seed": 0}
    assert [float(weight) for weight in details["fusion"]["curve"]] == pytest.approx(
        CANDIDATES, rel=1e-4
    )
    assert set(artifact.manifest["inputs"]) == {"corpus", "embeddings", "spans"}
    assert check_systems(artifact, None) == ("bm25", "dense", "hybrid")


def test_a_saved_index_searches_like_its_parts(undertaking: Any) -> None:
    folder = undertaking.folder
    main(settings(folder, dense=Exact()))
    found = search_all(folder, folder / "index")
    main(settings(folder, dense=FaissSqfp16(), output=folder / "other"))
    again = search_all(folder, folder / "other")
    np.testing.assert_allclose(found["dense"].scores, again["dense"].scores, atol=1e-4)
    assert found["bm25"].positions.tolist() == again["bm25"].positions.tolist()
    for hits in found.values():
        assert (hits.positions[0, :4] // 6 == 4).all()  # the otter's document


KILLED = """
import os, signal, sys
from pathlib import Path
from index.verbs.build import BuildSettings, main
from index.dense.faiss_sqfp16 import FaissSqfp16
from index.fusion.weighted_sum import WeightedSum
from index.engines.tuning import Tuning
from index.sparse.bm25s_index import Bm25s

def half(self, corpus, at, progress):
    (at / "half.npy").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

Bm25s.build = half
at = Path(sys.argv[1])
main(BuildSettings(
    corpus=at / "corpus", embeddings=at / "embeddings", spans=at / "spans", output=at / "index",
    dense=FaissSqfp16(), sparse=Bm25s(), fusion=WeightedSum(depths={"dense": 20, "bm25": 20}),
    tuning=Tuning(fewest=1), device="cpu",
))
"""


def test_a_killed_build_goes_on_and_equals_an_uninterrupted_one(
    undertaking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = undertaking.folder
    main(settings(folder, output=folder / "whole"))
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)], env=environment, check=False
    )
    assert child.returncode == -signal.SIGKILL
    assert (folder / "index.partial" / "sparse" / "half.npy").is_file()
    with pytest.raises(ArtifactError, match="unfinished"):
        open_artifact(folder / "index")

    def built_again(*_: Any, **__: Any) -> None:
        raise AssertionError("the dense part was whole")

    with monkeypatch.context() as patch:
        patch.setattr(FaissSqfp16, "build", built_again)
        main(settings(folder))
    one, two = (open_artifact(folder / name) for name in ("whole", "index"))
    assert one.content_hash == two.content_hash
    assert one.manifest["files"] == two.manifest["files"]


def test_a_second_build_does_nothing(undertaking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    main(settings(undertaking.folder))
    written = (undertaking.folder / "index" / "manifest.json").stat().st_mtime_ns
    main(settings(undertaking.folder))
    assert (undertaking.folder / "index" / "manifest.json").stat().st_mtime_ns == written


def test_raw_scores_take_the_papers_weight(undertaking: Any) -> None:
    folder = undertaking.folder
    manifest = read_json(folder / "encoder" / "manifest.json")
    manifest["details"]["score_scale"] = "raw"
    write_json(folder / "encoder" / "manifest.json", seal(manifest))
    main(settings(folder))
    fusion = open_artifact(folder / "index").details["fusion"]
    assert (fusion["weights"]["dense"], fusion["tuned_on"]) == (1.0, None)


@pytest.mark.parametrize("changes", [{"spans": None}, {"tuning": Tuning(fewest=11)}])
def test_with_too_few_queries_the_weight_is_a_cautious_one(
    undertaking: Any, changes: dict[str, Any]
) -> None:
    main(settings(undertaking.folder, **changes))
    fusion = open_artifact(undertaking.folder / "index").details["fusion"]
    assert (fusion["weights"]["dense"], fusion["tuned_on"]) == (4.0, None)


def test_a_given_weight_and_a_fusion_without_one_are_left_alone(undertaking: Any) -> None:
    folder = undertaking.folder
    main(
        settings(
            folder, fusion=WeightedSum(weights={"dense": 3.0, "bm25": 1.0}), output=folder / "given"
        )
    )
    assert open_artifact(folder / "given").details["fusion"]["weights"]["dense"] == 3.0
    main(settings(folder, fusion=ReciprocalRank(), output=folder / "ranks"))
    assert open_artifact(folder / "ranks").details["fusion"]["constant"] == 60.0


def test_bm25_alone_and_dense_alone(undertaking: Any) -> None:
    folder = undertaking.folder
    main(settings(folder, embeddings=None, spans=None, output=folder / "bm25"))
    artifact = open_artifact(folder / "bm25")
    assert check_systems(artifact, None) == ("bm25",)
    assert artifact.details["encoder"] is None
    assert list(search_all(folder, folder / "bm25")) == ["bm25"]
    main(settings(folder, sparse=None, output=folder / "dense"))
    assert check_systems(open_artifact(folder / "dense"), None) == ("dense",)
    with pytest.raises(ConfigError, match="nothing to build"):
        main(settings(folder, embeddings=None, sparse=None, output=folder / "nothing"))


def test_parts_of_another_corpus_are_refused(undertaking: Any, make_corpus: Any) -> None:
    folder = undertaking.folder
    other = make_corpus([("Other", ["Something else."])], name="other")
    with pytest.raises(ArtifactError, match=other.artifact.content_hash):
        main(settings(folder, corpus=other.path))


def test_content_hash_does_not_depend_on_where_the_index_lies(undertaking: Any) -> None:
    folder = undertaking.folder
    main(settings(folder))
    main(settings(folder, output=folder / "deeper" / "elsewhere"))
    here, there = (open_artifact(folder / name) for name in ("index", "deeper/elsewhere"))
    assert here.content_hash == there.content_hash


@pytest.mark.jvm
def test_equal_lucene_indexes_have_equal_content_hashes(
    undertaking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle := preflight(plan_jvm(heap="512m")):
        pytest.skip(obstacle)
    folder = undertaking.folder
    bm25 = {"embeddings": None, "spans": None}
    main(settings(folder, sparse=Lucene(heap="512m"), output=folder / "one", **bm25))
    # as on a machine of more memory, with another Java: other buffers, other segments
    monkeypatch.setattr("index.sparse.lucene.LEAST_BUFFER_MB", 0.01)
    monkeypatch.setattr(JvmPlan, "anserini_version", property(lambda _: "9.9.9"))
    main(settings(folder, sparse=Lucene(heap="1k", threads=1), output=folder / "two", **bm25))
    one, two = (open_artifact(folder / name) for name in ("one", "two"))
    made = [artifact.manifest["volatile"]["sparse"] for artifact in (one, two)]
    assert made[0]["heap"] == "512m"
    assert made[1]["anserini_version"] == "9.9.9"
    assert one.content_hash == two.content_hash


def test_execution_settings_of_sparse_make_no_index_stale(
    undertaking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = undertaking.folder
    sparse = {"_target_": "index.sparse.lucene.Lucene", "k1": 0.9, "threads": 2, "heap": "2g"}
    resolved = content(BuildSettings, {"sparse": sparse})
    main(settings(folder, embeddings=None, spans=None, resolved=resolved))
    manifest = (folder / "index" / "manifest.json").read_bytes()
    for change in ({"threads": 8}, {"heap": "16g"}):
        changed = content(BuildSettings, {"sparse": {**sparse, **change}})
        main(settings(folder, embeddings=None, spans=None, resolved=changed))
    assert (folder / "index" / "manifest.json").read_bytes() == manifest
    other = {**resolved, "sparse": {**resolved["sparse"], "k1": 1.2}}
    with pytest.raises(ArtifactError, match="overwrite=true"):
        main(settings(folder, embeddings=None, spans=None, resolved=other))


def test_index_that_does_not_say_where_its_encoder_is(undertaking: Any) -> None:
    folder = undertaking.folder
    main(settings(folder))
    manifest = read_json(folder / "index" / "manifest.json")
    del manifest["volatile"]["encoder_path"]
    write_json(folder / "index" / "manifest.json", seal(manifest))
    with pytest.raises(ArtifactError, match="give it as encoder=FOLDER"):
        open_index(folder / "index", corpus=folder / "corpus")
    open_index(folder / "index", corpus=folder / "corpus", encoder=folder / "encoder").close()


def test_words_alone_need_no_spans(undertaking: Any) -> None:
    folder = undertaking.folder
    # the default names spans that a corpus which nobody mined does not have
    main(settings(folder, embeddings=None, spans=folder / "nowhere", output=folder / "bm25"))
    index = open_artifact(folder / "bm25")
    assert set(index.manifest["inputs"]) == {"corpus"}
    with pytest.raises(ArtifactError, match="nowhere"):
        main(settings(folder, spans=folder / "nowhere", output=folder / "both", given=("spans",)))


def test_a_build_finds_the_corpus_through_its_embeddings(undertaking: Any, tmp_path: Path) -> None:
    folder = undertaking.folder
    main(settings(folder, corpus=None, sparse=None, spans=None, workspace=tmp_path / "elsewhere"))
    index = open_artifact(folder / "index")
    assert index.parent("corpus").path.resolve() == (folder / "corpus").resolve()
    with pytest.raises(ArtifactError, match="elsewhere/corpus: no such corpus artifact"):
        main(settings(folder, corpus=None, embeddings=None, workspace=tmp_path / "elsewhere"))
