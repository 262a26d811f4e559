"""The Python API and the command line work on each other's workspaces, from wherever they start."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import open_artifact
from spider_odqa import Retriever

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
#: two rows of ``spider search``: rank and title; place, [passage] and score
RESULT = re.compile(r"^ *(\d+)  .*\n {4}(?:.*  )?\[(\S+)\]  score (-?[\d.]+)", re.M)
SCRIPT = """
import asyncio, sys, threading
from spider_odqa import Retriever

found = []
def ask(question):
    with Retriever.open(sys.argv[1]) as retriever:
        found.append([hit.id for hit in retriever.search(question, k=3)])

async def in_a_notebook(question):
    ask(question)
    await asyncio.to_thread(ask, question)

asyncio.run(in_a_notebook(sys.argv[2]))
thread = threading.Thread(target=ask, args=(sys.argv[2],))
thread.start()
thread.join()
ask(sys.argv[2])
assert len(found) == 4 and found[0] and all(one == found[0] for one in found), found
print(*found[0])
"""


def questions_of(desk: Path) -> list[str]:
    """Return openings of three notes."""
    texts = [(desk / "notes" / f"note-{n:02d}.md").read_text(encoding="utf-8") for n in (2, 5, 8)]
    return [" ".join(text.split()[:6]) for text in texts]


def child(
    *words: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python cold, as a user does."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_api_finds_what_the_command_line_finds(desk: Path, made: Path, run: Any) -> None:
    with Retriever.open(made) as retriever:
        assert retriever.systems == ("bm25", "dense", "hybrid")
        for question, system in zip(questions_of(desk), retriever.systems, strict=True):
            hits = retriever.search(question, k=5, system=system)
            where = ("per_document=0", f"--workspace={made}")
            words = (question, "k=5", f"systems=[{system}]", *where)
            printed = RESULT.findall(run("search", *words, cwd=desk).out)
            assert [(str(hit.rank), hit.id, f"{hit.score:.3f}") for hit in hits] == printed
            assert len(printed) == 5 or system == "bm25"


def test_the_command_line_searches_what_the_api_built(desk: Path, tmp_path: Path, run: Any) -> None:
    place = tmp_path / "work, of the API"
    with Retriever.from_folder(
        desk / "notes", workspace=place, minutes=0.005, bm25="bm25s", start="static"
    ) as retriever:
        systems = retriever.systems
        expected = {question: retriever.search(question, k=4) for question in questions_of(desk)}
    for question, hits in expected.items():
        done = run(
            "search", question, "k=4", "per_document=0", f"--workspace={place}", cwd=tmp_path
        )
        assert done.code == 0, done.err
        printed = RESULT.findall(done.out)
        assert [(str(hit.rank), hit.id, f"{hit.score:.3f}") for hit in hits] == printed
    assert systems[-1] in ("bm25", "hybrid")


def test_texts_become_a_workspace_that_the_command_line_searches(tmp_path: Path, run: Any) -> None:
    texts = ["Herons stand in shallow water.", "The ferry leaves at nine.", "Bread needs salt."]
    Retriever.from_texts(texts, workspace=tmp_path / "work", bm25="bm25s", start="static").close()
    done = run("search", "When does the ferry leave?", "--workspace=work", cwd=tmp_path)
    assert done.code == 0, done.err
    assert [found[:2] for found in RESULT.findall(done.out)] == [("1", "1#0")]
    assert "The ferry leaves at nine." in done.out


def test_a_run_has_the_ranking_of_the_api(desk: Path, made: Path, tmp_path: Path, run: Any) -> None:
    words = ("runs=[made/run]", "trec=true", "resamples=100", "--corpus=made/corpus")
    done = run("evaluate-retrieval", *words, f"--output={tmp_path / 'report'}", cwd=desk)
    assert done.code == 0, done.err
    (file,) = (tmp_path / "report").glob("trec/*hybrid*.run")
    rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
    with Retriever.open(made) as retriever:
        asked = (desk / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(asked):
            ranked = [row for row in rows if row[0] == str(number)]
            hits = retriever.search(line.split('"')[3], k=10)
            assert [row[2] for row in ranked[:10]] == [hit.id for hit in hits]
            scores = [float(row[4]) for row in ranked[:10]]
            assert scores == pytest.approx([hit.score for hit in hits], abs=1e-4)


def test_a_notebook_may_search_from_its_loop_and_from_threads(desk: Path, made: Path) -> None:
    question = questions_of(desk)[1]
    done = child("-c", SCRIPT, str(made), question, cwd=desk)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("note-05.md#0 ")


def test_modules_of_the_user_do_not_shadow_ours_at_the_command_line(
    made: Path, desk: Path, tmp_path: Path
) -> None:
    for name in ("index", "eval", "conf", "spider"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')")
    script = Path(sys.executable).with_name("spider")
    words = ["search", questions_of(desk)[0], f"--workspace={made}", "k=1", "systems=[bm25]"]
    done = child("-P", str(script), *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "[note-02.md#0]" in done.stdout


def test_a_script_beside_an_index_module_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text("")
    (tmp_path / "script.py").write_text("import spider_odqa\n")
    done = child(str(tmp_path / "script.py"), cwd=tmp_path)
    assert done.returncode == 1
    assert f"{tmp_path / 'index.py'} hides the package 'index'" in done.stderr.splitlines()[-1]


def test_a_verb_runs_as_a_module(desk: Path, made: Path, commands: dict[str, Any]) -> None:
    words = commands["train"].line(made)[1:]
    done = child("-m", "pretrain.verbs.train", *words, cwd=desk)
    assert done.returncode == 0, done.stderr
    assert "encoder is up to date" in done.stderr
    assert done.stdout == ""
    failed = child("-m", "pretrain.verbs.train", "batch_size=0", cwd=desk)
    assert failed.returncode == 2
    assert failed.stderr.startswith("spider train: setting batch_size: got 0")


def test_a_multirun_makes_what_single_runs_make(
    desk: Path, made: Path, tmp_path: Path, run: Any
) -> None:
    words = ("mine", f"--corpus={made / 'corpus'}", f"--workspace={tmp_path}")
    swept = run(*words, "--multirun", "split.seed=0,1", "split.test_share=0.2,0.3", cwd=tmp_path)
    assert swept.code == 0, swept.err
    hashes = {}
    for number in range(4):
        spans = open_artifact(tmp_path / f"spans-{number}", kind="spans")
        split = spans.config["split"]
        hashes[split["seed"], split["test_share"]] = spans.content_hash
    assert len(set(hashes.values())) == 4
    assert hashes[0, 0.2] == open_artifact(made / "spans").content_hash
    assert not (tmp_path / "spans").exists()


def test_a_folder_of_ones_own_yaml_adds_variants_and_experiments(
    desk: Path, made: Path, tmp_path: Path, run: Any
) -> None:
    (tmp_path / "conf" / "splitter").mkdir(parents=True)
    (tmp_path / "conf" / "experiment").mkdir()
    (tmp_path / "conf" / "splitter" / "short.yaml").write_text(
        "# Passages of 40 words\n_target_: spider.corpus.splitting.WordSplitter\nwords: 40\n"
    )
    (tmp_path / "conf" / "experiment" / "tiny.yaml").write_text(
        "# @package _global_\nbatch_size: 16\narchitecture: {dimension: 8}\ntraining: {steps: 1}\n"
    )
    mine = ("--config-dir", str(tmp_path / "conf"))
    words = ("prepare", "notes", *mine, "splitter=short", f"--output={tmp_path / 'corpus'}")
    assert run(*words, cwd=desk).code == 0
    short, usual = open_artifact(tmp_path / "corpus"), open_artifact(made / "corpus")
    assert short.config["splitter"]["words"] == 40
    assert short.counts["passages"] > usual.counts["passages"]
    words = ("train", *mine, "experiment=tiny", f"--workspace={made}", f"--output={tmp_path / 'e'}")
    done = run(*words, cwd=desk)
    assert done.code == 0, done.err
    config = open_artifact(tmp_path / "e").config
    assert (config["batch_size"], config["training"]["steps"]) == (16, 1)
    done = run("prepare", "notes", "splitter=short", cwd=desk)
    assert done.code == 2
    assert "short" in done.only_line()
