"""The verb search: runs, printed passages, and the checks at the opening."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from index.dense.faiss_sqfp16 import FaissSqfp16
from index.engines.hybrid import HybridRetriever
from index.engines.opening import open_index
from index.fusion.reciprocal_rank import ReciprocalRank
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from index.verbs.build import BuildSettings
from index.verbs.build import main as build
from index.verbs.search import SearchSettings, main
from spider.artifacts.artifact import open_artifact
from spider.errors import ArtifactError, ConfigError
from spider.question import Question, QuestionSet, load_question_set
from spider.ranking import NO_PASSAGE, load_hits


@pytest.fixture
def folder(undertaking: Any) -> Path:
    path: Path = undertaking.folder
    build(
        BuildSettings(
            corpus=path / "corpus",
            embeddings=path / "embeddings",
            output=path / "index",
            dense=FaissSqfp16(),
            sparse=Bm25s(),
            fusion=WeightedSum(
                weights={"dense": 20.0, "bm25": 1.0}, depths={"dense": 30, "bm25": 30}
            ),
        )
    )
    return path


def settings(folder: Path, **changes: Any) -> SearchSettings:
    values: dict[str, Any] = {
        "index": folder / "index",
        "corpus": folder / "corpus",
        "output": folder / "run",
        "depth": 12,
        "device": "cpu",
    }
    return SearchSettings(**{**values, **changes})


def test_a_run_holds_every_system_and_the_questions(folder: Path, undertaking: Any) -> None:
    heldout = folder / "spans" / "heldout" / "test"
    main(settings(folder, questions=heldout))
    run = open_artifact(folder / "run", kind="run")
    assert run.details["systems"] == ["bm25", "dense", "hybrid"]
    assert set(run.manifest["inputs"]) == {"index", "corpus"}
    assert run.counts["questions"] == 10
    assert run.counts["excluded_passages"] == 10
    assert load_question_set(folder / "run" / "questions") == load_question_set(heldout)
    assert not (folder / "run" / "blocks").exists()
    for system in run.details["systems"]:
        hits = load_hits(folder / "run" / system)
        assert hits.positions.shape == (10, 12)
        for row, question in zip(hits.positions.tolist(), undertaking.questions, strict=True):
            own = undertaking.corpus.position(question.excluded[0])
            assert own not in row
            assert len(set(row) - {NO_PASSAGE}) == sum(p != NO_PASSAGE for p in row)


def test_a_run_resumes_by_block(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heldout = folder / "spans" / "heldout" / "test"
    monkeypatch.setattr("index.engines.question_run.BLOCK", 4)
    main(settings(folder, questions=heldout, output=folder / "whole"))
    asked: list[int] = []
    honest = HybridRetriever.rankings

    def interrupted(self: HybridRetriever, texts: Any, *rest: Any, **more: Any) -> Any:
        if len(asked) == 2:
            asked.append(0)
            raise KeyboardInterrupt
        asked.append(len(texts))
        return honest(self, texts, *rest, **more)

    monkeypatch.setattr(HybridRetriever, "rankings", interrupted)
    with pytest.raises(KeyboardInterrupt):
        main(settings(folder, questions=heldout))
    main(settings(folder, questions=heldout))
    assert asked == [4, 4, 0, 2]
    one, two = (open_artifact(folder / name) for name in ("whole", "run"))
    assert one.content_hash == two.content_hash


@pytest.mark.parametrize(
    "place",
    [
        "spider.artifacts.folder.file_table.hash_file",
        "spider.artifacts.folder.replacement.shutil.rmtree",
    ],
)
def test_a_run_killed_while_it_finishes_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    heldout = folder / "spans" / "heldout" / "test"
    main(settings(folder, questions=heldout, output=folder / "whole"))

    def killed(path: Path, **_: Any) -> None:
        if path.is_dir():
            (path / "shard-00000" / "bm25" / "scores.npy").unlink()
        raise KeyboardInterrupt

    def asked_again(*_: Any, **__: Any) -> None:
        raise AssertionError("every block was whole")

    with monkeypatch.context() as patch:
        patch.setattr(place, killed)
        with pytest.raises(KeyboardInterrupt):
            main(settings(folder, questions=heldout))
    monkeypatch.setattr(HybridRetriever, "rankings", asked_again)
    main(settings(folder, questions=heldout))
    one, two = (open_artifact(folder / name) for name in ("whole", "run"))
    assert one.content_hash == two.content_hash
    assert one.manifest["files"] == two.manifest["files"]
    assert not (folder / "run" / "blocks").exists()


def test_systems_label_depth_and_fusion(folder: Path) -> None:
    heldout = folder / "spans" / "heldout" / "test"
    main(settings(folder, questions=heldout, systems=("dense",), depth=500, label="untrained"))
    run = open_artifact(folder / "run")
    assert (run.details["systems"], run.details["label"]) == (["dense"], "untrained")
    hits = load_hits(folder / "run" / "dense")
    # deeper than the corpus of 60, whose own passage is dropped
    assert ((hits.positions != NO_PASSAGE).sum(axis=1) == 59).all()
    with pytest.raises(ArtifactError, match="overwrite=true"):
        main(settings(folder, questions=heldout))
    main(settings(folder, questions=heldout, fusion=ReciprocalRank(), overwrite=True))
    assert open_artifact(folder / "run").details["fusion"]["variant"] == "reciprocal_rank"
    with pytest.raises(ConfigError, match=r"got \['splade'\]"):
        main(settings(folder, questions=heldout, systems=("splade",)))


def test_one_question_is_answered_with_scores_and_shares(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(settings(folder, question="Where was the heron seen?", k=3))
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert lines[0] == "Where was the heron seen?"
    assert [line for line in lines if "The heron" in line] == [
        f" {rank}  The heron" for rank in (1, 2, 3)
    ]
    assert re.search(r"^ {4}\[d0#\d\]  score \d+\.\d{3}  dense \d+%  bm25 \d+%$", printed, re.M)
    assert "    An old heron was seen at the" in printed
    assert printed.count("A higher score is better") == 1


def test_at_most_three_of_a_document_unless_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(settings(folder, question="Where was the heron seen?"))
    printed = capsys.readouterr().out
    assert printed.count("  The heron\n") == 3
    assert len(re.findall(r"\[d\d#\d\]", printed)) == 5
    main(settings(folder, question="Where was the heron seen?", per_document=0))
    assert capsys.readouterr().out.count("  The heron\n") == 5
    with pytest.raises(ConfigError, match="setting per_document"):
        main(settings(folder, question="x", per_document=-1))


def test_json_is_one_object_a_line_for_each_question(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("the lynx\n3\n"))
    main(settings(folder, k=2, json=True))
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["question"], second["question"]) == ("the lynx", "3")
    assert [hit["rank"] for hit in first["passages"]] == [1, 2]
    assert first["passages"][0]["title"] == "The lynx"
    assert first["passages"][0]["text"].startswith("An old lynx was seen at the")
    assert first["passages"][0]["path"] is None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_number_at_the_prompt_shows_the_whole_passage(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("the lynx\n2\n9\n"))
    main(settings(folder, k=2))
    printed = capsys.readouterr().out
    # the second time after the prompt
    assert re.findall(r"(.{2})  The lynx$", printed, re.M) == [" 1", " 2", " 2"]
    assert printed.count("the lynx\n") == 1


@pytest.mark.parametrize(("stdin", "last"), [(Terminal, False), (io.StringIO, True)])
def test_an_empty_line_ends_the_prompt_and_is_passed_over_in_a_file(
    stdin: type[io.StringIO],
    last: bool,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", stdin("the lynx\nthe adder\n\nthe newt\n"))
    main(settings(folder, k=1))
    printed = capsys.readouterr().out
    assert "The lynx" in printed
    assert "The adder" in printed
    assert ("The newt" in printed) == last


def test_an_empty_question_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="the question is empty"):
        main(settings(folder, question=" "))


def test_another_encoder_is_refused_with_both_hashes(folder: Path, make_encoder: Any) -> None:
    index = open_index(folder / "index")
    index.close()
    other = make_encoder(folder / "other", index.corpus, seed=1)
    expected = open_artifact(folder / "encoder").content_hash
    with pytest.raises(ArtifactError) as caught:
        main(settings(folder, question="x", encoder=folder / "other"))
    assert caught.value.exit_code == 5
    assert expected in str(caught.value)
    assert other.content_hash in str(caught.value)
    # also where the run is up to date and nothing would be searched
    heldout = folder / "spans" / "heldout" / "test"
    main(settings(folder, questions=heldout))
    with pytest.raises(ArtifactError, match=expected):
        main(settings(folder, questions=heldout, encoder=folder / "other"))


def test_another_corpus_is_refused(folder: Path, make_corpus: Any) -> None:
    other = make_corpus([("Other", ["Something else."])], name="other")
    with pytest.raises(ArtifactError, match=other.artifact.content_hash):
        main(settings(folder, question="x", corpus=other.path))


def test_unusable_settings(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not both"):
        main(settings(folder, question="x", questions=tmp_path))
    with pytest.raises(ConfigError, match="setting k"):
        main(settings(folder, question="x", k=0))


def test_judgements_of_another_corpus_stop_before_the_search(folder: Path) -> None:
    (folder / "asked").mkdir()
    question = Question(id="1", text="x", relevant=("nowhere",))
    QuestionSet(name="asked", questions=(question,), match="passage").save(folder / "asked")
    with pytest.raises(Exception, match="nowhere"):
        main(settings(folder, questions=folder / "asked"))
