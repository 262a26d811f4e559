"""``--multirun``: one job for each combination, each with an output of its own."""

import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from spider.errors import ConfigError, DataError, InterruptedRunError
from spider.launch.command_line import parse, quote
from spider.launch.multirun import run_all
from spider.launch.verbs import settings_class


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """Records the settings of every job, and fails in those that it is told to fail in."""

    failing: dict[int, BaseException] = field(default_factory=dict)
    seen: list[Any] = field(default_factory=list)

    def sweep(self, verb: str, *words: str) -> None:
        cls = settings_class(verb)

        def main(settings: Any) -> None:
            number = len(self.seen)
            self.seen.append(settings)
            if number in self.failing:
                raise self.failing[number]

        main.__annotations__["settings"] = cls
        run_all(main, verb, parse(["-m", *words], cls))


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Hydra writes multirun/ where it is started
    monkeypatch.chdir(tmp_path)


def test_each_combination_is_a_job_with_a_number_after_its_output() -> None:
    jobs = Jobs()
    jobs.sweep("mine", "split.seed=1,2", "clusters_per_document=3,4", "output=w/spans")
    assert [(job.split.seed, job.clusters_per_document) for job in jobs.seen] == [
        (1, 3),
        (1, 4),
        (2, 3),
        (2, 4),
    ]
    assert [job.output for job in jobs.seen] == [Path(f"w/spans-{n}") for n in range(4)]
    # inputs are shared
    assert {job.corpus for job in jobs.seen} == {Path("spider-work/default/corpus")}


def test_a_job_number_is_no_content_and_the_swept_setting_is() -> None:
    jobs = Jobs()
    jobs.sweep("mine", "split.seed=1,2")
    first, second = (job.resolved for job in jobs.seen)
    assert first["split"].pop("seed") == 1
    assert second["split"].pop("seed") == 2
    assert first == second
    assert jobs.seen[0].given == ("split",)


def test_variants_can_be_swept() -> None:
    jobs = Jobs()
    jobs.sweep("build", "dense=exact,faiss_flat", "sparse=null")
    assert [type(job.dense).__name__ for job in jobs.seen] == ["Exact", "FaissFlat"]
    assert [job.sparse for job in jobs.seen] == [None, None]


def test_text_with_commas_is_one_value() -> None:
    jobs = Jobs()
    jobs.sweep("prepare", "--", "a, b and c")
    assert [job.source.path for job in jobs.seen] == [Path("a, b and c")]


def test_a_failing_job_leaves_the_others_and_the_first_failure_is_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    jobs = Jobs(failing={0: DataError("first"), 2: DataError("third")})
    with caplog.at_level(logging.ERROR), pytest.raises(DataError, match="first"):
        jobs.sweep("mine", "split.seed=1,2,3,4")
    assert len(jobs.seen) == 4
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == ["job 0: first", "job 2: third"]


def test_a_value_that_does_not_fit_fails_its_job_alone() -> None:
    jobs = Jobs()
    with pytest.raises(ConfigError, match=r"split\.seed: got 'x', expected int"):
        jobs.sweep("mine", "split.seed=1,x,3")
    assert [job.split.seed for job in jobs.seen] == [1, 3]


def test_an_interrupted_sweep_starts_no_further_job() -> None:
    jobs = Jobs(failing={1: InterruptedRunError("stopped")})
    with pytest.raises(InterruptedRunError):
        jobs.sweep("mine", "split.seed=1,2,3,4")
    assert len(jobs.seen) == 2


def test_ctrl_c_ends_the_sweep() -> None:
    jobs = Jobs(failing={0: KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        jobs.sweep("mine", "split.seed=1,2")
    assert len(jobs.seen) == 1


@pytest.mark.parametrize(
    ("verb", "words", "message"),
    [
        ("mine", ["split.seed=1,2", "+sede=1"], "unknown setting sede"),
        ("mine", ["split.seed=1,2", "--config-dir", "nowhere"], "nowhere: no such folder"),
        ("doctor", ["checks=[],[]"], "--multirun needs a verb with an output"),
    ],
)
def test_what_cannot_be_swept_runs_no_job(verb: str, words: list[str], message: str) -> None:
    jobs = Jobs()
    with pytest.raises(ConfigError, match=message):
        jobs.sweep(verb, *words)
    assert not jobs.seen


def test_a_folder_of_ones_own_adds_variants_to_a_sweep(tmp_path: Path) -> None:
    (tmp_path / "mine" / "sparse").mkdir(parents=True)
    text = "# mine\n_target_: index.sparse.bm25s_index.Bm25s\nk1: 1.5\n"
    (tmp_path / "mine" / "sparse" / "own.yaml").write_text(text, encoding="utf-8")
    jobs = Jobs()
    jobs.sweep("build", "sparse=own,bm25s", "--config-dir", "mine")
    assert [job.resolved["sparse"]["k1"] for job in jobs.seen] == [1.5, 0.9]


def test_the_words_of_the_process_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["spider", "mine", "whatever"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(DataError):
        Jobs(failing={0: DataError("no")}).sweep("mine", "split.seed=1")
    assert sys.argv is words


def test_a_pipelines_jobs_have_workspaces_of_their_own() -> None:
    jobs = Jobs()
    jobs.sweep(
        "pipeline", "pipeline=own_files", "data=n", "minutes=1,2", f"workspace={quote('a, ${b}')}"
    )
    assert [job.workspace for job in jobs.seen] == [Path("a, ${b}-0"), Path("a, ${b}-1")]
    stages = [job.pipeline["stages"] for job in jobs.seen]
    trained = [stage["train_an_encoder_from_scratch"]["settings"] for stage in stages]
    assert [settings["training.minutes"] for settings in trained] == [1, 2]
    searched = [stage["search_the_held_out_spans"]["settings"]["questions"] for stage in stages]
    assert searched == [f"a, ${{b}}-{n}/spans/heldout/test" for n in (0, 1)]
    jobs.sweep("quickstart", "retrain=true,false")
    assert [job.workspace.name for job in jobs.seen[2:]] == ["quickstart-0", "quickstart-1"]


def test_a_sweep_writes_nothing_beside_its_outputs(tmp_path: Path) -> None:
    Jobs().sweep("mine", "split.seed=1,2")
    assert not list(tmp_path.iterdir())
    Jobs().sweep("mine", "split.seed=1,2", "hydra.sweep.dir=notes")
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
