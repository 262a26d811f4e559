"""Every kind of artifact: a writing verb, and a record that keeps its JSON as it is."""

import json
import pkgutil
from importlib import import_module
from typing import Any

import pytest

import spider.artifacts.records
from spider.artifacts.artifact import writing_verb
from spider.artifacts.record import DetailsRecord
from spider.errors import ArtifactError
from spider.launch.verbs import verbs

KINDS = sorted(module.name for module in pkgutil.iter_modules(spider.artifacts.records.__path__))

#: one entry a kind: details as artifacts have had them since schema 1
EXAMPLES: dict[str, list[dict[str, Any]]] = {
    "corpus": [
        {
            "last_passage_padded": False,
            "splitter": {"words": 100, "minimum_tail": 20, "paragraph_aware": False},
            "method": 1,
        }
    ],
    "choice": [
        {
            "architecture": "student",
            "start": "sentence-transformers/all-MiniLM-L6-v2",
            "adapts": True,
            "reason": "a student of all-MiniLM-L6-v2",
        }
    ],
    "questions": [{"name": "python-documentation", "match": "string", "averaging": "micro"}],
    "spans": [{"last_passage_dropped": False}],
    "encoder": [
        {
            "dimension": 768,
            "similarity": "dot",
            "score_scale": "unit",
            "score_multiplier": 20.0,
            "pooling": "weighted mean",
            "max_length": None,
            "casing": "lower",
            "passage_template": "title [SEP] text",
            "training": {
                "pairs": {"recurring_span": 4643},
                "batch_size": 1024,
                "pairs_in_batch": {"recurring_span": 1024},
                "note": "",
                "steps": 100,
                "validation": {"loss": 2.984157309572921},
            },
        },
        {
            "dimension": 128,
            "similarity": "dot",
            "score_scale": "raw",
            "score_multiplier": 1.0,
            "pooling": "cls",
            "max_length": {"question": 32, "passage": 256},
            "casing": "kept",
            "passage_template": "title [SEP] text",
            "training": {"steps": 0, "validation": {}},
        },
    ],
    "embeddings": [
        {
            "dimension": 768,
            "similarity": "dot",
            "score_scale": "unit",
            "dtype": "float16",
            "passages": 3545,
            "shard_size": 8192,
        }
    ],
    "index": [
        {
            "passages": 3545,
            "encoder": {"content_hash": "17f1cc9dcb7caa24386d6b2c5b11e2fc", "variant": "static"},
            "dense": {"variant": "faiss_sqfp16", "passages": 3545, "dimension": 768},
            "sparse": None,
            "fusion": None,
        }
    ],
    "run": [
        {
            "systems": ["dense"],
            "label": "untrained",
            "depth": 100,
            "questions": "held-out test",
            "fusion": None,
            "note": "",
        }
    ],
    "report": [{"question_set": "held-out test", "systems": ["bm25", "dense"]}],
    "reader": [
        {"training": {}},
        {"quantization": {"quant_method": "experts_int8", "dense": False}},
        {
            "training": {
                "steps": 3,
                "tokens_per_step": 32,
                "training_tokens": 900,
                "epochs": 0.107,
                "validation_tokens": 80,
                "validation": {"loss": 5.5},
            }
        },
    ],
}


def record_of(kind: str) -> type[DetailsRecord]:
    module = import_module(f"spider.artifacts.records.{kind}")
    (found,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, DetailsRecord) and value.KIND
    )
    return found


def test_every_kind_has_an_example() -> None:
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_named_after_its_file_and_written_by_a_verb(kind: str) -> None:
    assert kind == record_of(kind).KIND
    assert writing_verb(kind) in verbs()


@pytest.mark.parametrize(
    ("kind", "details"), [(kind, details) for kind in KINDS for details in EXAMPLES.get(kind, [])]
)
def test_a_record_keeps_its_json(kind: str, details: dict[str, Any]) -> None:
    record = record_of(kind).from_details(details, where="here")
    # as text, so that 20 and 20.0 differ: a content hash would
    assert json.dumps(record.to_details(), sort_keys=True) == json.dumps(details, sort_keys=True)


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_of_another_type_is_refused_by_name(kind: str) -> None:
    for name in EXAMPLES[kind][0]:
        with pytest.raises(ArtifactError, match=rf"^here: details\.{name}: got .*, expected "):
            record_of(kind).from_details({**EXAMPLES[kind][0], name: object()}, where="here")


def test_an_unknown_kind_has_no_verb() -> None:
    for kind in ("nonsense", "os.path", "", "encoder.json"):
        assert writing_verb(kind) == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_declares_its_files(kind: str) -> None:
    module = import_module(f"spider.artifacts.records.{kind}")
    (record,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, DetailsRecord) and kind == value.KIND
    )
    assert record.PAYLOAD
    assert "**" not in record.PAYLOAD
