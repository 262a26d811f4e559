"""Verb ``prepare-questions``: questions of any format → question set."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from spider.artifacts.atomic_files import hash_json
from spider.artifacts.records.questions import QuestionsRecord
from spider.artifacts.stage import Stage
from spider.errors import ConfigError, DataError, SettingError
from spider.launch.command_line import quote
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.launch.verbs import options
from spider.printable import counted
from spider.questions.question_source import QuestionSource
from spider.questions.recognition import recognise_questions
from spider.sources.document_source import skipped_by
from spider.sources.reading_report import skipped_lines
from spider.sources.source_state import fingerprint_of, place_of

logger = logging.getLogger(__name__)

#: formats of many question sets, which have no name of their own
NAMELESS = ("beir", "dpr_qa", "hugging_face")


@dataclass(frozen=True, kw_only=True)
class PrepareQuestionsSettings(StageSettings):
    """Settings of ``spider prepare-questions``.

    Attributes:
        question_set: where the questions come from.
        limit: keep only this many questions, from the first; null keeps all.
    """

    positionals: ClassVar = ("question_set.path",)

    question_set: QuestionSource
    limit: int | None = None

    def __post_init__(self) -> None:
        """Refuse a limit that keeps nothing."""
        if self.limit is not None and self.limit < 1:
            raise SettingError("limit", self.limit, "at least 1, or null for all questions")

    @staticmethod
    def implied(texts: Mapping[str, str]) -> list[str]:
        """Choose the question set by the path, where none is typed, and name it after the file.

        Raises:
            ConfigError: the path is a file whose format is not known.
        """
        if "question_set" in texts or "question_set.path" not in texts:
            return []
        path = Path(texts["question_set.path"]).expanduser()
        found = recognise_questions(path)
        if found is None:
            if path.is_file():
                raise ConfigError(
                    f"{path}: neither its name nor its first line tells the format; "
                    f"question_set=NAME does: {', '.join(options('question_set'))}"
                )
            return []
        if found.question_set != "jsonl":
            logger.info("question_set=%s, since %s", *found)
        named = "question_set.name" in texts or found.question_set not in NAMELESS
        name = [] if named else [f"question_set.name={quote(path.name.partition('.')[0])}"]
        return [f"question_set={found.question_set}", *name]


def main(settings: PrepareQuestionsSettings) -> None:
    """Write the question set unless it is up to date."""
    place = place_of(settings.question_set)
    stage = Stage(
        verb="prepare-questions",
        kind="questions",
        output=settings.output,
        config=settings.resolved,
        inputs={},
        overwrite=settings.overwrite,
        fingerprint_extra={
            "place": place,
            "source": hash_json(fingerprint_of(settings.question_set)),
        },
    )
    if stage.up_to_date():
        return
    questions = settings.question_set.read()
    if settings.limit is not None:
        questions = replace(questions, questions=questions.questions[: settings.limit])
    if not questions.questions:
        raise DataError(f"no question; expected at least one for {questions.name}", path=place)
    found: Mapping[str, int] = getattr(settings.question_set, "counts", {})
    skipped = skipped_by(settings.question_set)
    counts = {
        "questions": len(questions.questions),
        "answers": sum(len(q.answers) for q in questions.questions),
        "groups": len({q.group for q in questions.questions}),
        **found,
    }
    with stage.writing(resumes=False) as folder:
        questions.save(folder)
        stage.finish(
            counts=counts,
            details=QuestionsRecord(
                name=questions.name, match=questions.match, averaging=questions.averaging
            ),
            volatile={"place": place, "skipped": skipped},
        )
    logger.info("prepared %s of %s", counted(counts["questions"], "question"), questions.name)
    for name, number in found.items():
        if name.removeprefix("skipped_") not in skipped:
            logger.warning("%s: %d", name.replace("_", " "), number)
    for line in skipped_lines(skipped):
        logger.warning("%s", line)
    if not any(question.answers or question.relevant for question in questions.questions):
        logger.warning("no question has an answer: the set can be searched and read, not scored")


if __name__ == "__main__":
    launch(main, verb="prepare-questions")
