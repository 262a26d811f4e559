"""Verb ``search``: index, encoder, corpus and questions → run; or passages for one question."""

import logging
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.fusion.contract import Fusion
from spider.launch.entrypoint import launch

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """Settings of ``spider search``.

    Attributes:
        question: one question, whose passages are printed; with neither this nor questions, a
            prompt asks for one after the other.
        questions: folder of a question set, every question of which is searched into a run.
        workspace: folder of this undertaking's artifacts; the one used last, unless told.
        index: what is searched.
        corpus: the corpus that the index was built from.
        encoder: the encoder that its passages were embedded with; null takes the one recorded.
        output: where the run goes.
        systems: some of bm25, dense, hybrid; none named means all that the index has.
        depth: passages a question in a run.
        k: passages shown for a single question.
        label: what reports call this run's systems (untrained, say).
        fusion: instead of the one that was built in.
        device: where a transformer runs: cpu, cuda or auto.
        overwrite: replace a run made from other settings or inputs.
    """

    question: str | None = None
    questions: Path | None = None
    workspace: Path = Path("spider-work/default")
    index: Path
    corpus: Path
    encoder: Path | None = None
    output: Path
    systems: list[str] = field(default_factory=list)
    depth: int = 100
    k: int = 10
    label: str = ""
    fusion: Fusion | None = None
    device: str = "auto"
    overwrite: bool = False
    resolved: Mapping[str, Any] = field(default_factory=dict)


def main(config: SearchConfig) -> None:
    """Search a question set into a run, or show passages for single questions."""
    from spider.errors import ConfigError

    if config.questions is not None and config.question is not None:
        raise ConfigError("give questions=FOLDER or one question, not both")
    if config.question is not None and not config.question.strip():
        raise ConfigError("the question is empty; without one, a prompt asks for questions")
    for name, value in (("depth", config.depth), ("k", config.k)):
        if value < 1:
            raise ConfigError(f"setting {name}: got {value}, expected at least 1")
    if config.questions is not None:
        _search_set(config, config.questions)
    else:
        _show(config)


def _search_set(config: SearchConfig, questions: Path) -> None:
    from index.engines.contract import load_stored
    from index.engines.opening import (
        check_encoder,
        check_systems,
        open_corpus,
        open_index,
        training_note,
    )
    from index.engines.question_run import BLOCKS, write_run
    from spider.artifacts.artifact import MANIFEST, open_artifact
    from spider.artifacts.atomic_files import hash_file
    from spider.artifacts.records.index import IndexRecord
    from spider.artifacts.records.run import RunRecord
    from spider.artifacts.stage import Stage
    from spider.question import RECORDS, SETTINGS, load_question_set

    index = open_artifact(config.index, kind="index")
    systems = check_systems(index, config.systems)
    corpus = open_corpus(index, config.corpus)
    note = ""
    if load_stored(index).needs_encoder(systems):
        note = training_note(check_encoder(index, config.encoder))
    question_set = load_question_set(questions)
    fusion = (
        config.fusion.settings()
        if config.fusion is not None
        else IndexRecord.from_manifest(index).fusion
    )
    inputs = {"index": index, "corpus": corpus.artifact}
    if (questions / MANIFEST).is_file():
        inputs["questions"] = open_artifact(questions)
    stage = Stage(
        verb="search",
        kind="run",
        output=config.output,
        config={"systems": list(systems), "depth": config.depth, "label": config.label},
        inputs=inputs,
        overwrite=config.overwrite,
        fingerprint_extra={
            "questions": [hash_file(questions / name) for name in (SETTINGS, RECORDS)],
            "fusion": fusion if "hybrid" in systems else None,
        },
    )
    if stage.up_to_date():
        return
    opened = open_index(
        config.index,
        corpus=config.corpus,
        encoder=config.encoder,
        systems=systems,
        fusion=config.fusion,
        device=config.device,
    )
    try:
        with stage.writing() as folder:
            counts = write_run(folder, opened, question_set, systems, config.depth)
            record = RunRecord(
                systems=systems,
                label=config.label,
                depth=config.depth,
                questions=question_set.name,
                fusion=fusion if "hybrid" in systems else None,
                note=note,
            )
            stage.finish(counts=counts, details=record, leftovers=[BLOCKS])
    finally:
        opened.close()


def _show(config: SearchConfig) -> None:
    from index.engines.opening import open_index
    from index.engines.passage_display import show_passages

    opened = open_index(
        config.index,
        corpus=config.corpus,
        encoder=config.encoder,
        systems=config.systems or None,
        fusion=config.fusion,
        device=config.device,
    )
    try:
        for question in [config.question] if config.question is not None else _typed():
            show_passages(question, opened.passages([question], config.k)[0])
    finally:
        opened.close()


def _typed() -> Iterator[str]:
    if sys.stdin.isatty():
        logger.info("type a question; an empty line or Ctrl-D ends")
    while True:
        try:
            line = input("question> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if line:
            yield line
        elif sys.stdin.isatty():
            return


if __name__ == "__main__":
    launch(main, verb="search")
