"""Verb ``search``: index, encoder, corpus and questions → run; or passages for one question."""

import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from index.fusion.contract import Fusion
from spider.errors import ConfigError, SettingError
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.launch.typed_lines import typed_lines
from spider.question import is_blank
from spider.settings import Execution

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SearchSettings(StageSettings):
    """Settings of ``spider search``.

    Attributes:
        question: one question, whose passages are printed; without this and without questions, a
            prompt reads one question after the other.
        questions: folder of a question set; every question is searched into a run.
        index: the index that is searched.
        corpus: the corpus that the index was built from; null takes the one that it records.
        encoder: the encoder that its passages were embedded with; null takes the recorded one.
        systems: some of the systems of the index; empty means all of them.
        depth: passages for each question of a run.
        k: passages shown for a single question.
        per_document: at most this many of one document are shown; 0 shows all.
        full: show whole passages.
        json: print one JSON object a line for each question.
        label: name of this run's systems in reports (untrained, say).
        fusion: replaces the fusion that the index was built with.
        device: where a transformer runs: cpu, cuda or auto.
    """

    positionals: ClassVar = ("question",)

    question: Execution[str | None] = None
    questions: Execution[Path | None] = None
    index: Execution[Path]
    corpus: Execution[Path | None] = None
    encoder: Execution[Path | None] = None
    systems: tuple[str, ...] = ()
    depth: int = 100
    k: Execution[int] = 5
    per_document: Execution[int] = 3
    full: Execution[bool] = False
    json: Execution[bool] = False
    label: str = ""
    fusion: Execution[Fusion | None] = None
    device: Execution[str] = "auto"

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other, and values out of range."""
        if self.questions is not None and self.question is not None:
            raise ConfigError("give questions=FOLDER or one question, not both")
        if self.question is not None and is_blank(self.question):
            raise ConfigError("the question is empty; leave it out to type questions at a prompt")
        for name in ("depth", "k"):
            if getattr(self, name) < 1:
                raise SettingError(name, getattr(self, name), "at least 1")
        if self.per_document < 0:
            raise SettingError("per_document", self.per_document, "0 or more")


def main(settings: SearchSettings) -> None:
    """Search a question set into a run, or show passages for single questions."""
    if settings.questions is not None:
        _search_set(settings, settings.questions)
    else:
        _show(settings)


def _search_set(settings: SearchSettings, questions: Path) -> None:
    from index.engines.contract import load_stored
    from index.engines.opening import (
        check_encoder,
        check_systems,
        open_corpus,
        open_index,
        training_note,
    )
    from index.engines.question_run import BLOCKS, write_run
    from spider.artifacts.artifact import open_artifact
    from spider.artifacts.atomic_files import hash_file
    from spider.artifacts.folder.manifest import MANIFEST
    from spider.artifacts.records.index import IndexRecord
    from spider.artifacts.records.run import RunRecord
    from spider.artifacts.stage import Stage
    from spider.question import RECORDS, SETTINGS, load_question_set

    index = open_artifact(settings.index, kind="index")
    systems = check_systems(index, settings.systems)
    corpus = open_corpus(index, settings.corpus)
    note = ""
    if load_stored(index).needs_encoder(systems):
        note = training_note(check_encoder(index, settings.encoder)[0])
    question_set = load_question_set(questions)
    fusion = (
        settings.fusion.settings()
        if settings.fusion is not None
        else IndexRecord.from_manifest(index).fusion
    )
    inputs = {"index": index, "corpus": corpus.artifact}
    if (questions / MANIFEST).is_file():
        inputs["questions"] = open_artifact(questions)
    stage = Stage(
        verb="search",
        kind="run",
        output=settings.output,
        config={"systems": list(systems), "depth": settings.depth, "label": settings.label},
        inputs=inputs,
        overwrite=settings.overwrite,
        fingerprint_extra={
            "questions": [hash_file(questions / name) for name in (SETTINGS, RECORDS)],
            "fusion": fusion if "hybrid" in systems else None,
        },
    )
    if stage.up_to_date():
        return
    opened = open_index(
        settings.index,
        corpus=settings.corpus,
        encoder=settings.encoder,
        systems=systems,
        fusion=settings.fusion,
        device=settings.device,
    )
    try:
        opened.artifact.require_content(index.content_hash, "this is another index now")
        with stage.writing() as folder:
            counts = write_run(folder, opened, question_set, systems, settings.depth)
            record = RunRecord(
                systems=systems,
                label=settings.label,
                depth=settings.depth,
                questions=question_set.name,
                fusion=fusion if "hybrid" in systems else None,
                note=note,
            )
            stage.finish(counts=counts, details=record, leftovers=[BLOCKS])
    finally:
        opened.close()


def _show(settings: SearchSettings) -> None:
    from index.display.finding import Finder, Finding
    from index.display.passages import show, whole_passage
    from index.engines.opening import open_index
    from spider.console import say, say_json

    opened = open_index(
        settings.index,
        corpus=settings.corpus,
        encoder=settings.encoder,
        systems=settings.systems or None,
        fusion=settings.fusion,
        device=settings.device,
    )
    # nobody should take the answer of another folder's documents for their own
    logger.info("answers come from %s", settings.index)
    finding: Finding | None = None
    try:
        finder = Finder(opened, k=settings.k, per_document=settings.per_document)
        alone = settings.question is not None
        asked = [settings.question] if settings.question is not None else typed_lines("question")
        for question in map(str.strip, asked):
            chosen = None if finding is None or alone else finding.numbered(question)
            if finding is not None and chosen is not None and sys.stdin.isatty():
                for row in whole_passage(chosen, finding.question):
                    say(row)
                continue
            explain = finding is None
            finding = finder.find(question)
            if settings.json:
                say_json(finding.to_json())
            else:
                show(finding, full=settings.full, explain=explain)
    finally:
        opened.close()


if __name__ == "__main__":
    launch(main, verb="search")
