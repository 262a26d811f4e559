"""Settings complete what the files of a start say."""

import json
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer


def test_lower_case_of_the_first_module(parity: Any, tmp_path: Path) -> None:
    model = parity.sentence_transformer(tmp_path, lambda: Pooling(16, "mean"), name="Roberta")
    model.save(str(tmp_path / "start"))
    details = tmp_path / "start" / "sentence_bert_config.json"
    details.write_text(json.dumps({"max_seq_length": 20, "do_lower_case": True}))
    model = SentenceTransformer(str(tmp_path / "start"), device="cpu")
    assert parity.check(model, tmp_path).recipe.max_passage_length == 20


def test_settings_complete_a_plain_checkpoint(parity: Any, tmp_path: Path) -> None:
    body = parity.transformer(tmp_path / "start")
    model = SentenceTransformer(
        modules=[Transformer(str(body)), Pooling(16, "mean"), Normalize()], device="cpu",
        prompts={"query": "query: ", "document": "passage: "},
    )  # fmt: skip
    parity.check(
        model, tmp_path, pooling="mean", normalize=True, question_prompt="query: ",
        passage_prompt="passage: ",
    )  # fmt: skip
