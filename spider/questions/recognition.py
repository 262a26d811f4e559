"""Recognises the format of questions by the path that a person gives, and by the first line.

The names are those of the question sets in ``conf/question_set/``.
"""

from pathlib import Path
from typing import NamedTuple

from spider.errors import DataError, MissingDependencyError
from spider.reading import reading
from spider.sources.files.compression import open_binary
from spider.sources.formats.recognition import (
    SAVED_DATA_SET,
    data_suffix,
    first_line,
    zip_holds,
)


class RecognisedQuestions(NamedTuple):
    """A question set, and why it was chosen.

    Attributes:
        question_set: the name of its yaml.
        reason: what the path shows, to be read after "since".
    """

    question_set: str
    reason: str


def recognise_questions(path: Path) -> RecognisedQuestions | None:
    """Return the question set that reads a path; None where neither name nor content tells."""
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        return None
    suffix = data_suffix(path)
    if suffix in (".jsonl", ".ndjson"):
        return RecognisedQuestions("jsonl", f"its name ends in {suffix}")
    if suffix in (".parquet", ".csv"):
        quoted = suffix == ".csv" and _table(path)
        return quoted or RecognisedQuestions("hugging_face", f"its name ends in {suffix}")
    if suffix == ".zip":
        found = zip_holds(path, "queries.jsonl")
        return RecognisedQuestions("beir", "the zip holds queries.jsonl") if found else None
    return _table(path) or _by_first_line(path, suffix)


def _folder(path: Path) -> RecognisedQuestions | None:
    if any(path.glob("queries.jsonl*")):
        return RecognisedQuestions("beir", "the folder holds queries.jsonl")
    if any(path.glob("P*.json")):
        return RecognisedQuestions("entityquestions", "the folder holds one file a relation")
    saved = any((path / name).is_file() for name in SAVED_DATA_SET)
    if saved or next(path.rglob("*.parquet"), None) is not None:
        return RecognisedQuestions("hugging_face", "the folder holds a Hugging Face data set")
    return None


def _table(path: Path) -> RecognisedQuestions | None:
    cells = _first_line(path).split("\t")
    if len(cells) == 2 and cells[1].lstrip(' "').startswith("["):
        return RecognisedQuestions("dpr_qa", "its first line is a question, a tab and a list")
    if len(cells) == 2 and len(cells[0].split()) == 1 and not cells[0].endswith("?"):
        return RecognisedQuestions("plain_text", "its first line is an id, a tab and a question")
    if len(cells) == 4:
        return RecognisedQuestions("curatedtrec", "its first line has four columns")
    return None


def _by_first_line(path: Path, suffix: str) -> RecognisedQuestions | None:
    line = _first_line(path)
    if line.startswith("{"):
        return RecognisedQuestions("jsonl", "it begins with a JSON object")
    if line.startswith("[") and suffix == ".json":
        with open_binary(path) as stream, reading(path):
            web = b'"qText"' in stream.read(4096)
        name = "webquestions" if web else "hugging_face"
        return RecognisedQuestions(name, "it begins with a JSON list")
    if line.strip() and suffix in (".txt", ".text") and "\t" not in line:
        return RecognisedQuestions("plain_text", "its first line is a question")
    return None


def _first_line(path: Path) -> str:
    try:
        return first_line(path)
    except (DataError, MissingDependencyError):
        return ""
