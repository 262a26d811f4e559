"""What holds for every source of questions; a new one needs one entry in SOURCES."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.question import load_question_set
from spider.questions.beir import BeirQuestions
from spider.questions.curated_trec import CuratedTrec
from spider.questions.dpr_qa import DprQa
from spider.questions.entity_questions import EntityQuestions
from spider.questions.hugging_face import HuggingFaceQuestions
from spider.questions.jsonl import JsonLinesQuestions
from spider.questions.plain_text import PlainText
from spider.questions.python_documentation import PythonDocumentationQuestions
from spider.questions.question_source import QuestionSource
from spider.questions.web_questions import WebQuestions

MODULES = Path(__file__).resolve().parents[3] / "spider" / "questions"
TEXTS = ["Who's there?", "Wo, wann & “warum”?"]


def lines(path: Path, rows: list[str]) -> Path:
    (path / "q").write_text("".join(f"{row}\n" for row in rows))
    return path / "q"


def beir(path: Path) -> Path:
    queries = [json.dumps({"_id": f"q{n}", "text": text}) for n, text in enumerate(TEXTS)]
    lines(path, queries).rename(path / "queries.jsonl")
    (path / "qrels").mkdir()
    (path / "qrels" / "test.tsv").write_text("q0\td1\t1\nq1\td2\t1\n")
    return path


def entities(path: Path) -> Path:
    rows = [{"question": text, "answers": ["a"]} for text in TEXTS]
    (path / "P1.dev.json").write_text(json.dumps(rows))
    return path


def web(path: Path) -> Path:
    rows = [{"qId": str(n), "qText": text, "answers": ["a"]} for n, text in enumerate(TEXTS)]
    return lines(path, [json.dumps(rows)])


def hugging_face(path: Path) -> Path:
    datasets = pytest.importorskip("datasets")
    rows = {"question": TEXTS, "answer": ["a", "b"]}
    datasets.Dataset.from_dict(rows).save_to_disk(path / "saved")
    return path / "saved"


SOURCES: dict[str, tuple[Callable[[Path], Path], Callable[[Path], QuestionSource]]] = {
    "beir": (beir, lambda path: BeirQuestions(path=path, name="X")),
    "curated_trec": (
        lambda path: lines(path, [f"{n}\tt\t{text}\ta" for n, text in enumerate(TEXTS)]),
        lambda path: CuratedTrec(path=path),
    ),
    "dpr_qa": (
        lambda path: lines(path, [f"{text}\t['a']" for text in TEXTS]),
        lambda path: DprQa(path=path, name="X"),
    ),
    "entity_questions": (entities, lambda path: EntityQuestions(path=path)),
    "hugging_face": (hugging_face, lambda path: HuggingFaceQuestions(path=str(path), name="X")),
    "jsonl": (
        lambda path: lines(path, [json.dumps({"question": text}) for text in TEXTS]),
        lambda path: JsonLinesQuestions(path=path, name="X"),
    ),
    "plain_text": (lambda path: lines(path, TEXTS), lambda path: PlainText(path=path)),
    "web_questions": (web, lambda path: WebQuestions(path=path)),
}
EACH = pytest.mark.parametrize("name", SOURCES)


def test_every_format_is_here() -> None:
    parts = {"__init__", "collection", "json_lists", "judgements", "question_source", "recognition"}
    assert {file.stem for file in MODULES.glob("*.py")} - parts - {"python_documentation"} == set(
        SOURCES
    )
    assert isinstance(PythonDocumentationQuestions(), QuestionSource)


@EACH
def test_questions_in_order_and_the_same_each_time(name: str, tmp_path: Path) -> None:
    write, open_source = SOURCES[name]
    source = open_source(write(tmp_path))
    assert isinstance(source, QuestionSource)
    read = source.read()
    assert [question.text for question in read.questions] == TEXTS
    assert source.read() == read


@EACH
def test_a_saved_set_comes_back(name: str, tmp_path: Path) -> None:
    write, open_source = SOURCES[name]
    read = open_source(write(tmp_path)).read()
    (tmp_path / "set").mkdir()
    read.save(tmp_path / "set")
    assert load_question_set(tmp_path / "set") == read


@EACH
def test_the_fingerprint_names_the_files(name: str, tmp_path: Path) -> None:
    write, open_source = SOURCES[name]
    source = open_source(write(tmp_path))
    before = source.fingerprint()  # type: ignore[attr-defined]
    assert before
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes() + b"\n")
    assert source.fingerprint() != before  # type: ignore[attr-defined]


@EACH
def test_an_absent_path_is_named(name: str, tmp_path: Path) -> None:
    if name == "hugging_face":
        pytest.importorskip("datasets")
    with pytest.raises(DataError, match="absent"):
        SOURCES[name][1](tmp_path / "absent").read()
