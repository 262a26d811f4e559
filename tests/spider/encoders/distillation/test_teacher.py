from pathlib import Path

import pytest

from spider.encoders.bert import BertSettings
from spider.encoders.distillation.teacher import settle_teacher, teacher_artifact
from spider.encoders.encoding import EncodingSettings
from spider.errors import DataError


def test_a_folder_of_weights_and_a_name_are_no_artifacts(teacher: Path) -> None:
    assert teacher_artifact(str(teacher)) is None
    assert teacher_artifact("owner/name") is None


def test_the_copy_gives_the_teachers_vectors(teacher: Path, tmp_path: Path) -> None:
    settings = BertSettings(start=str(teacher))
    settled = settle_teacher(settings, tmp_path, device="cpu", encoding=EncodingSettings())
    assert settled.encoder.encode_questions(["amber moss"]).shape == (1, settled.record.dimension)
    # a fit that resumes copies it once more
    again = settle_teacher(settings, tmp_path, device="cpu", encoding=EncodingSettings())
    assert again.record == settled.record


def test_a_teacher_that_does_not_exist_is_named(tmp_path: Path) -> None:
    settings = BertSettings(start=str(tmp_path / "missing"))
    with pytest.raises(DataError, match="missing"):
        settle_teacher(settings, tmp_path, device="cpu", encoding=EncodingSettings())
