"""Finds the one or two transformers of a start: passages and questions may have one each."""

import logging
from pathlib import Path
from typing import NamedTuple

from spider.encoders.start.location import start_folder
from spider.encoders.transformer.start_files import CONFIG, Start, read_start
from spider.errors import CheckpointError
from spider.reading import read_json_object

QUESTION = "question"
"""The sub-folder of an exported question tower; the passage tower is in the folder itself."""
PAIRS = (
    ("question_encoder", "ctx_encoder"),
    ("question_encoder", "context_encoder"),
    ("question_encoder", "passage_encoder"),
    ("query_encoder", "ctx_encoder"),
    ("query_encoder", "passage_encoder"),
    ("query_encoder", "document_encoder"),
    ("question", "passage"),
    ("query", "passage"),
    ("query", "document"),
)
"""The names of sub-folders of questions and passages."""
QUESTION_ONLY = "DPRQuestionEncoder"
PASSAGE_ONLY = "DPRContextEncoder"
logger = logging.getLogger(__name__)


class Towers(NamedTuple):
    """The towers of an encoder.

    Attributes:
        passages: the checkpoint of passages.
        questions: the checkpoint of questions; None where it is that of passages.
    """

    passages: Start
    questions: Start | None


def read_towers(start: str, question_start: str = "") -> Towers:
    """Read one checkpoint, or two.

    Args:
        start: the encoder of passages; or a folder with both.
        question_start: the encoder of questions; "" takes the other one of the folder, else the
            same.

    Raises:
        CheckpointError: a checkpoint cannot be represented, or it is the question tower of a pair.
        DataError: there is no such folder or name.
    """
    passages = start_folder(start)
    questions = start_folder(question_start) if question_start else None
    if questions is None:
        passages, questions = _pair(passages)
    if questions is not None and questions.resolve() == passages.resolve():
        return Towers(read_start(passages), None)
    kind = _architecture(passages)
    if kind == QUESTION_ONLY:
        raise CheckpointError(
            f"{start}: this is the question tower of a DPR pair; give the passage tower as "
            "architecture.start and this one as architecture.question_start"
        )
    if questions is None:
        return Towers(read_start(passages), None)
    if _architecture(questions) == PASSAGE_ONLY:
        raise CheckpointError(
            f"{questions}: this is the passage tower of a DPR pair; give it as architecture.start "
            "and the question tower as architecture.question_start"
        )
    return Towers(read_start(passages), read_start(questions))


def warn_of_missing_tower(towers: Towers, start: str) -> None:
    """Say that a passage tower may be one of a pair; shared towers are stored in the same way."""
    if towers.questions is None and _architecture(towers.passages.folder) == PASSAGE_ONLY:
        logger.warning(
            "%s is a DPR passage tower, and questions use it too; if it is one of a pair, give the "
            "other one as architecture.question_start",
            start,
        )


def _pair(folder: Path) -> tuple[Path, Path | None]:
    """Return the passage tower and the question tower of a folder."""
    if (folder / CONFIG).is_file() or (folder / "modules.json").is_file():
        question = folder / QUESTION
        return folder, question if (question / CONFIG).is_file() else None
    for questions, passages in PAIRS:
        if all((folder / name / CONFIG).is_file() for name in (questions, passages)):
            return folder / passages, folder / questions
    return folder, None


def _architecture(folder: Path) -> str:
    path = folder / CONFIG
    config = read_json_object(path, error=CheckpointError) if path.is_file() else {}
    names = config.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else ""
