"""Read questions of any format and write them as a question set."""

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import hash_json
from spider.artifacts.records.questions import QuestionsRecord
from spider.artifacts.stage import Stage
from spider.errors import ConfigError, DataError
from spider.launch.entrypoint import launch
from spider.questions.question_source import QuestionSource
from spider.sources.source_state import fingerprint_of, without_place

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PrepareQuestionsConfig:
    """Settings of ``spider prepare-questions``.

    Attributes:
        question_set: where the questions come from; one of conf/question_set.
        output: the question set to write.
        limit: keep the first so many questions; null keeps all.
        overwrite: replace a question set made from other settings or another file.
        resolved: filled by the launcher.
    """

    question_set: QuestionSource
    output: Path
    limit: int | None = None
    overwrite: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)


def main(config: PrepareQuestionsConfig) -> None:
    """Write the question set unless it is up to date."""
    if config.limit is not None and config.limit < 1:
        raise ConfigError(f"limit={config.limit}: expected at least 1, or null for all questions")
    settings, place = without_place(config.resolved, "question_set")
    stage = Stage(
        verb="prepare-questions",
        kind="questions",
        output=config.output,
        config=settings,
        inputs={},
        overwrite=config.overwrite,
        fingerprint_extra={
            "place": place,
            "source": hash_json(fingerprint_of(config.question_set)),
        },
    )
    if stage.up_to_date():
        return
    questions = config.question_set.read()
    if config.limit is not None:
        questions = replace(questions, questions=questions.questions[: config.limit])
    if not questions.questions:
        raise DataError(
            f"no question in it; expected at least one for {questions.name}", path=place
        )
    counts = {
        "questions": len(questions.questions),
        "answers": sum(len(q.answers) for q in questions.questions),
        "groups": len({q.group for q in questions.questions}),
    }
    with stage.writing() as folder:
        questions.save(folder)
        stage.finish(
            counts=counts,
            details=QuestionsRecord(
                name=questions.name, match=questions.match, averaging=questions.averaging
            ),
            volatile={"place": place},
        )
    logger.info("prepared %d questions of %s", counts["questions"], questions.name)


if __name__ == "__main__":
    launch(main, verb="prepare-questions")
