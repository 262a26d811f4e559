"""A start is measured on passages of the corpus, and refused before its weights are read."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import pretrain.choice.cost as cost
from pretrain.choice.cost import measure
from spider.errors import CheckpointError, ConfigError


def test_the_time_is_that_of_one_passage(
    tiny_start: Path, training_corpus: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def seconds(encoder: object, titles: list[str], texts: list[str]) -> float:
        asked.append(len(titles))
        assert len(texts) == len(titles)
        return 6.0

    monkeypatch.setattr(cost, "_seconds", seconds)
    expected = min(len(training_corpus.corpus), cost.PROBED_PASSAGES)
    assert measure(str(tiny_start), training_corpus.corpus) == 6.0 / expected
    assert asked == [4, expected]


def test_it_is_measured(tiny_start: Path, training_corpus: Any) -> None:
    assert 0 < measure(str(tiny_start), training_corpus.corpus) < 5


def test_a_start_that_is_larger_than_the_memory_is_refused(
    tiny_start: Path, training_corpus: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spider.encoders.start.weights_size.available_memory", lambda: 100)
    with pytest.raises(ConfigError, match=r"its weights need .* start from a smaller encoder"):
        measure(str(tiny_start), training_corpus.corpus)


def test_an_unknown_kind_is_refused_by_name(
    tiny_start: Path, training_corpus: Any, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(tiny_start, other)
    modules = json.loads((other / "modules.json").read_text())
    modules.append(
        {"idx": 9, "name": "9", "path": "9", "type": "sentence_transformers.WordWeights"}
    )
    (other / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(CheckpointError, match="WordWeights"):
        measure(str(other), training_corpus.corpus)
