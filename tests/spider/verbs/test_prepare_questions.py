"""The verb prepare-questions."""

import json

import pytest

from spider.artifacts.artifact import open_artifact
from spider.errors import ArtifactError, ConfigError, DataError
from spider.question import load_question_set
from spider.questions.jsonl import JsonLinesQuestions
from spider.verbs.prepare_questions import PrepareQuestionsSettings, main


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "a?", "answer": ["x", "y"]}\n{"question": "b?", "answer": "z"}\n')
    return JsonLinesQuestions(path=path, name="mine")


def run(source, output, **settings):
    resolved = {"limit": settings.get("limit")}
    main(
        PrepareQuestionsSettings(question_set=source, output=output, resolved=resolved, **settings)
    )
    return open_artifact(output, kind="questions")


def test_writes_a_question_set(source, tmp_path):
    artifact = run(source, tmp_path / "questions")
    assert load_question_set(tmp_path / "questions") == source.read()
    assert artifact.counts == {"questions": 2, "answers": 3, "groups": 1}
    assert artifact.details == {"name": "mine", "match": "string", "averaging": "micro"}


def test_notices_a_changed_file(source, tmp_path):
    output = tmp_path / "questions"
    run(source, output)
    before = (output / "manifest.json").stat().st_ino
    run(source, output)
    assert (output / "manifest.json").stat().st_ino == before
    source.path.write_text('{"question": "c?"}\n')
    with pytest.raises(ArtifactError, match="overwrite"):
        run(source, output)
    assert run(source, output, overwrite=True).counts["questions"] == 1


def test_limit_and_nothing(source, tmp_path):
    assert run(source, tmp_path / "one", limit=1).counts["questions"] == 1
    with pytest.raises(ConfigError, match="limit: got 0"):
        run(source, tmp_path / "none", limit=0)
    source.path.write_text("\n")
    with pytest.raises(DataError, match="no question; expected"):
        run(source, tmp_path / "none")


def test_what_is_blank_is_said_and_listed(source, tmp_path, caplog):
    rows = [("a?", ["x", " "]), ("b?", ["", "\u200b"]), ("c?", [])]
    lines = [json.dumps({"question": text, "answer": answers}) for text, answers in rows]
    source.path.write_text("\n".join(lines))
    with caplog.at_level("INFO"):
        artifact = run(source, tmp_path / "questions")
    assert [q.answers for q in load_question_set(tmp_path / "questions").questions] == [("x",), ()]
    assert artifact.counts["blank_answers_left_out"] == 3
    assert artifact.counts["skipped_all_answers_blank"] == 1
    place = f"{source.path}: line 2"
    assert artifact.manifest["volatile"]["skipped"]["all_answers_blank"]["examples"] == [place]
    said = [record.getMessage() for record in caplog.records]
    assert "blank answers left out: 3" in said
    assert any(f"skipped 1: all answers blank (such as {place})" in line for line in said)
