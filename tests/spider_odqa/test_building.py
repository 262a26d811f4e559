import json
from pathlib import Path

import pytest

from spider.errors import ConfigError
from spider.launch.composition import compose_verb, plain
from spider_odqa.building import TEXTS, write_texts


def test_texts_become_one_document_a_line(tmp_path: Path) -> None:
    texts = ["one\nline", 'a "quoted" Zoë']
    file = write_texts(texts, tmp_path / "work", titles=["A", ""], ids=["x", "y"])
    assert file == tmp_path / "work" / TEXTS
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines == [
        {"id": "x", "title": "A", "text": texts[0]},
        {"id": "y", "title": "", "text": texts[1]},
    ]
    numbered = write_texts(texts, tmp_path / "other").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in numbered] == ["0", "1"]


def test_the_pipeline_builds_a_retriever_and_reports_nothing() -> None:
    stages = plain(compose_verb("pipeline", ["pipeline=retriever", "data=x"]))["pipeline"]["stages"]
    verbs = [stage["verb"] for stage in stages.values() if stage is not None]
    assert verbs == ["prepare", "mine", "choose-encoder", *["train"] * 6, "embed", "build", "build"]


def test_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected at least one"):
        write_texts([], tmp_path)
    assert not list(tmp_path.iterdir())
