"""The record of a corpus: everything in it came after the first corpora, so all may be missing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from spider.artifacts.records.corpus import CorpusRecord
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError

SPLITTER = {"words": 100, "minimum_tail": 20, "paragraph_aware": False}


@pytest.mark.parametrize(
    ("record", "details"),
    [
        (CorpusRecord(), {"last_passage_padded": False}),
        (CorpusRecord(last_passage_padded=True), {"last_passage_padded": True}),
        (
            CorpusRecord(splitter=SPLITTER, method=2),
            {"last_passage_padded": False, "splitter": SPLITTER, "method": 2},
        ),
    ],
)
def test_round_trip(record: CorpusRecord, details: dict[str, Any]) -> None:
    assert json.dumps(record.to_details()) == json.dumps(details)
    assert CorpusRecord.from_details(details, where="here") == record


def test_what_a_manifest_does_not_say_has_a_default() -> None:
    assert CorpusRecord.from_details({}, where="here") == CorpusRecord()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("last_passage_padded", 0, "bool"),
        ("last_passage_padded", None, "bool"),
        ("splitter", [1], "Mapping"),
        ("method", "1", "int"),
        ("method", True, "int"),
        ("method", 1.0, "int"),
    ],
)
def test_a_wrong_type_is_one_line_with_exit_code_five(
    name: str, value: object, expected: str
) -> None:
    with pytest.raises(ArtifactError) as caught:
        CorpusRecord.from_details({name: value}, where="w/corpus")
    message = str(caught.value)
    assert message.startswith(f"w/corpus: details.{name}: got {value!r}, expected ")
    assert expected in message
    assert "\n" not in message
    assert caught.value.exit_code == 5


def test_an_opened_corpus_has_its_record(make_corpus: Callable[..., Corpus]) -> None:
    corpus = make_corpus([("T", ["one", "two"])], last_passage_padded=True)
    assert CorpusRecord.from_manifest(corpus.artifact).last_passage_padded is True
