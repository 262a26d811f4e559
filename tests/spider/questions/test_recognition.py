"""The question set that a path belongs to."""

import gzip
import zipfile
from pathlib import Path

import pytest

from spider.errors import ConfigError
from spider.questions.recognition import recognise_questions
from spider.verbs.prepare_questions import PrepareQuestionsSettings

SETS = Path(__file__).resolve().parents[3] / "conf" / "question_set"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("q.jsonl", b"", "jsonl"),
        ("q.json", b'{"question": "?"}\n', "jsonl"),
        ("q.json", b'[\n{"qId": "1", "qText": "?"}]', "webquestions"),
        ("q.json", b'[{"question": "?"}]', "hugging_face"),
        ("q.parquet", b"PAR1", "hugging_face"),
        ("q.csv", b"question,answer\n", "hugging_face"),
        ("nq.qa.csv", b"who?\t['a']\n", "dpr_qa"),
        ("t.tsv.gz", gzip.compress(b'who?\t"[""a\'s""]"\n', mtime=0), "dpr_qa"),
        ("topics.tsv", b"301\tinternational crime\n", "plain_text"),
        ("curated.tsv", b"1\tfact\twho?\ta|b\n", "curatedtrec"),
        ("q.txt", b"\nwho led the siege?\n", "plain_text"),
        ("q.tsv", b"who led the siege\tOrlan\n", None),
        ("q.tsv", b"who?\tNone\n", None),
        ("q.bin", b"\xff", None),
        ("q.zip", b"no zip", None),
        ("q.txt", b"", None),
    ],
)
def test_files(name: str, data: bytes, expected: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    found = recognise_questions(tmp_path / name)
    assert (found and found.question_set) == expected
    assert expected is None or (SETS / f"{expected}.yaml").is_file()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("queries.jsonl.gz", "beir"),
        ("P106.dev.json", "entityquestions"),
        ("state.json", "hugging_face"),
        ("data/a.parquet", "hugging_face"),
        ("notes.md", None),
    ],
)
def test_folders(name: str, expected: str | None, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).touch()
    found = recognise_questions(tmp_path)
    assert (found and found.question_set) == expected


def test_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("set/queries.jsonl", "{}")
    found = recognise_questions(tmp_path / "set.zip")
    assert found is not None
    assert found.question_set == "beir"
    assert recognise_questions(tmp_path / "absent.jsonl") is None


def test_the_verb_takes_it_and_names_the_set(tmp_path: Path) -> None:
    path = tmp_path / "nq-dev.qa.tsv"
    path.write_text("who?\t['a']\n")
    implied = PrepareQuestionsSettings.implied
    typed = {"question_set.path": str(path)}
    assert implied(typed) == ["question_set=dpr_qa", "question_set.name='nq-dev'"]
    assert implied(typed | {"question_set.name": "NQ"}) == ["question_set=dpr_qa"]
    assert implied(typed | {"question_set": "nq"}) == []
    assert implied({"limit": "3"}) == []
    path.write_text("who?\n")
    with pytest.raises(ConfigError, match="tells the format; question_set=NAME does: beir"):
        implied(typed)
    assert implied({"question_set.path": str(tmp_path / "absent")}) == []
