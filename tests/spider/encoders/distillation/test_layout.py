import json
from pathlib import Path

import pytest

from spider.encoders.distillation.layout import PASSAGES, QUESTIONS, write_router
from spider.encoders.sentence_transformers_layout import write_layout
from spider.errors import CheckpointError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, modules in (
        (QUESTIONS, [("Transformer", ""), ("Pooling", "1_Pooling")]),
        (PASSAGES, [("StaticEmbedding", "0_StaticEmbedding")]),
    ):
        (tmp_path / name).mkdir()
        write_layout(tmp_path / name, modules, prompts={"query": "ask: ", "document": "d: "})
    return tmp_path


def test_a_router_names_the_steps_of_both_towers(folder: Path) -> None:
    write_router(folder)
    router = json.loads((folder / "router_config.json").read_text())
    assert router["structure"] == {
        "query": ["questions", "questions/1_Pooling"],
        "document": ["passages/0_StaticEmbedding"],
    }
    assert set(router["types"]) == {
        name for route in router["structure"].values() for name in route
    }
    # the table reads passages without the teacher's prompt
    config = json.loads((folder / "config_sentence_transformers.json").read_text())
    assert config["prompts"] == {"query": "ask: ", "document": ""}


def test_questions_take_the_question_tower_of_a_teacher_with_two(folder: Path) -> None:
    (folder / QUESTIONS / "question").mkdir()
    write_layout(folder / QUESTIONS / "question", [("Transformer", "")])
    write_router(folder)
    router = json.loads((folder / "router_config.json").read_text())
    assert router["structure"]["query"] == ["questions/question"]


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"path": ""}]', "no json"])
def test_a_damaged_list_of_steps_is_refused(folder: Path, text: str) -> None:
    (folder / PASSAGES / "modules.json").write_text(text)
    if text == "{}":
        write_router(folder)
        return
    with pytest.raises(CheckpointError, match=r"modules\.json"):
        write_router(folder)
