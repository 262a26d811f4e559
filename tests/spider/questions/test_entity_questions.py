import json

import pytest

from spider.errors import ConfigError, DataError
from spider.question import Question
from spider.questions.entity_questions import EntityQuestions


@pytest.fixture
def folder(tmp_path):
    for relation in ("P1", "P2"):
        rows = [{"question": f"{relation} q{n}?", "answers": [f"a{n}"]} for n in range(30)]
        (tmp_path / f"{relation}.dev.json").write_text(json.dumps(rows))
    return tmp_path


def test_groups_and_whole(folder):
    source = EntityQuestions(path=folder)
    read = source.read()
    assert source.counts == {}
    assert len(read.questions) == 60
    assert read.averaging == "macro"
    assert read.questions[31] == Question(id="P2-1", text="P2 q1?", answers=("a1",), group="P2")


def test_a_larger_draw_holds_the_smaller(folder):
    def ids(count, seed=0):
        read = EntityQuestions(path=folder, questions_per_relation=count, seed=seed).read()
        return [question.id for question in read.questions]

    assert len(ids(5)) == 10
    source = EntityQuestions(path=folder, questions_per_relation=5)
    source.read()
    assert source.counts == {"left_out_by_questions_per_relation": 50}
    assert ids(5) == ids(5)
    assert set(ids(5)) < set(ids(9))
    assert ids(5) != ids(5, seed=1)
    first = [i for i in ids(5) if i.startswith("P1")]
    (folder / "P2.dev.json").unlink()
    assert ids(5) == first


def test_malformed(folder):
    (folder / "P1.dev.json").write_text('[\n{"question": "q?", "answers": "a"},\n{"que')
    with pytest.raises(DataError, match=r"P1\.dev\.json:3: not JSON"):
        EntityQuestions(path=folder).read()
    for row in ('{"question": "q?"}', '{"question": null, "answers": ["a"]}'):
        (folder / "P1.dev.json").write_text(f"[{row}]")
        with pytest.raises(DataError, match=r"P1\.dev\.json: entry 1: (no )?field"):
            EntityQuestions(path=folder).read()
    (folder / "P1.dev.json").write_text('[{"question": "q?", "answers": []}]')
    source = EntityQuestions(path=folder)
    source.read()
    assert source.counts == {"questions_without_answers": 1}
    with pytest.raises(DataError, match="one JSON file for each relation"):
        EntityQuestions(path=folder / "none").read()
    with pytest.raises(ConfigError, match="at least 1"):
        EntityQuestions(path=folder, questions_per_relation=0)
