"""Question, its answers, and a set of questions with the rule that says what counts as a hit."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from spider.artifacts.atomic_files import write_json, write_text
from spider.errors import ConfigError, DataError
from spider.reading import open_regular, parse_json, read_json_object, reading

MatchMode = Literal["string", "regex", "passage"]
Averaging = Literal["micro", "macro"]

RECORDS = "questions.jsonl"
SETTINGS = "question_set.json"
#: a gain is computed from a grade in 64 bits
LARGEST_GRADE = 999_999_999
#: characters of a wrong value that are shown
SHOWN = 80


def is_blank(text: str) -> bool:
    """Return whether a text has nothing to search for: no letter, digit, punctuation or symbol.

    White space, control characters and marks without width (a byte order mark, say) are nothing.
    """
    return not any(unicodedata.category(character)[0] in "LNPS" for character in text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An information need and its known answers.

    Attributes:
        id: unique in its set.
        text: the question as a person would type it (or a held-out pseudo-query).
        answers: strings (match ``string``) or regular expressions (match ``regex``).
        relevant: ids of the passages that answer it (match ``passage``). The id of a document
            names all its passages (:mod:`spider.questions.judgements`).
        grades: the judgement of each id that was judged, relevant or not; a relevant id without one
            has grade 1.
        excluded: ids of passages that are removed from every system's list: a held-out query's own
            passage.
        cluster: questions with the same cluster are resampled together, because they share a
            document; empty means that the question is in no cluster.
        group: macro averages are taken over groups (a relation of EntityQuestions, say).
        tags: further labels for a breakdown, such as ``{"span": "kept"}``.
    """

    id: str
    text: str
    answers: tuple[str, ...] = ()
    relevant: tuple[str, ...] = ()
    grades: Mapping[str, int] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    cluster: str = ""
    group: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def grade(self, name: str) -> int:
        """Return the grade of a relevant id."""
        return self.grades.get(name, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionSet:
    """Questions that are scored by one rule.

    Attributes:
        name: as reports print it.
        questions: the questions in the order of the file.
        match: what makes a passage a hit: it contains an answer string, an answer's regular
            expression is found in it, or its id is among the relevant ones.
        averaging: ``micro`` over questions, ``macro`` over groups first.
    """

    name: str
    questions: tuple[Question, ...]
    match: MatchMode = "string"
    averaging: Averaging = "micro"

    def __post_init__(self) -> None:
        if self.match not in get_args(MatchMode):
            raise ConfigError(f"match mode {self.match!r}: expected one of {get_args(MatchMode)}")
        if self.averaging not in get_args(Averaging):
            raise ConfigError(
                f"averaging {self.averaging!r}: expected one of {get_args(Averaging)}"
            )
        seen: set[str] = set()
        for number, question in enumerate(self.questions, start=1):
            if is_blank(question.text):
                raise DataError(
                    f"question set {self.name}: question {number} ({question.id!r}) is blank; "
                    "expected a text"
                )
            if question.id in seen:
                raise DataError(f"question set {self.name}: the id {question.id!r} occurs twice")
            seen.add(question.id)

    def save(self, folder: Path) -> None:
        """Write ``questions.jsonl`` and ``question_set.json`` into an existing folder."""
        write_text(folder / RECORDS, "".join(_to_line(q) for q in self.questions))
        settings = {"name": self.name, "match": self.match, "averaging": self.averaging}
        write_json(folder / SETTINGS, settings)


def load_question_set(folder: Path) -> QuestionSet:
    """Read what :meth:`QuestionSet.save` wrote.

    Raises:
        DataError: a file is missing or a line is malformed.
    """
    for name in (SETTINGS, RECORDS):
        if not (folder / name).is_file():
            raise DataError(f"no {name} here: expected a question set folder", path=folder)
    settings = _settings(folder / SETTINGS)
    questions = []
    with (
        open_regular(folder / RECORDS) as lines,
        reading(folder / RECORDS) as place,
    ):
        for number, line in enumerate(lines, start=1):
            place.line = number
            record = parse_json(line.decode("utf-8"), folder / RECORDS, line=number)
            questions.append(Question(**_checked(record, folder / RECORDS, number)))
    return QuestionSet(questions=tuple(questions), **settings)


def _settings(path: Path) -> dict[str, Any]:
    settings = read_json_object(path)
    known = {entry.name for entry in fields(QuestionSet)} - {"questions"}
    if not {"name"} <= settings.keys() <= known:
        raise DataError(f"got {sorted(settings)}, expected the keys {sorted(known)}", path=path)
    for key, options in (("match", get_args(MatchMode)), ("averaging", get_args(Averaging))):
        if key in settings and settings[key] not in options:
            raise DataError(
                f"{key}: got {settings[key]!r}, expected one of {', '.join(options)}", path=path
            )
    if not isinstance(settings["name"], str):
        raise DataError(f"name: got {settings['name']!r}, expected a text", path=path)
    return settings


def _to_line(question: Question) -> str:
    record = {
        "id": question.id,
        "text": question.text,
        "answers": list(question.answers),
        "relevant": list(question.relevant),
        "excluded": list(question.excluded),
        "cluster": question.cluster,
        "group": question.group,
        "tags": dict(question.tags),
    }
    # a set without grades keeps its bytes
    if question.grades:
        record["grades"] = dict(question.grades)
    return json.dumps(record, ensure_ascii=False) + "\n"


def _checked(record: Any, path: Path, line: int) -> dict[str, Any]:
    """Return the fields of a question, each of the type that it has to have.

    Raises:
        DataError: a field is missing, unknown or of another type.
    """
    if not isinstance(record, dict):
        got = type(record).__name__
        raise DataError(f"not a question: got a {got}, expected an object", path=path, line=line)
    known = {entry.name for entry in fields(Question)}
    if not {"id", "text"} <= record.keys() <= known:
        raise DataError(
            f"not a question: got the fields {sorted(record)}, expected id, text and some of "
            f"{', '.join(sorted(known - {'id', 'text'}))}",
            path=path,
            line=line,
        )
    values = {}
    for name, value in record.items():
        expected, fits = FIELDS[name]
        if not fits(value):
            raise DataError(
                f"not a question: field {name}: got {_cut(value)}, expected {expected}",
                path=path,
                line=line,
            )
        values[name] = tuple(value) if isinstance(value, list) else value
    return values


def _cut(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_labels(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_grades(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_grade, value.values()))


def _is_grade(value: Any) -> bool:
    return type(value) is int and abs(value) <= LARGEST_GRADE


#: what each field of a question is in JSON
FIELDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("id", "text", "cluster", "group"), ("a text", _is_text)),
    **dict.fromkeys(("answers", "relevant", "excluded"), ("a list of texts", _is_texts)),
    "tags": ("an object of texts", _is_labels),
    "grades": ("an object of whole numbers of at most nine digits", _is_grades),
}
