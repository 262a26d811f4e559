"""Prompts give the vectors of sentence-transformers."""

from pathlib import Path
from typing import Any

import pytest
from sentence_transformers.sentence_transformer.modules import Pooling


@pytest.mark.parametrize("name", ["Bert", "Roberta", "XLMRoberta"])
@pytest.mark.parametrize("pools_prompt", [True, False])
def test_prompts(name: str, pools_prompt: bool, parity: Any, tmp_path: Path) -> None:
    prompts = {"query": "the question: ", "document": "fox:"}
    model = parity.sentence_transformer(
        tmp_path, lambda: Pooling(16, "mean", include_prompt=pools_prompt), name=name,
        prompts=prompts, similarity_fn_name="dot",
    )  # fmt: skip
    module = parity.check(model, tmp_path)
    assert module.question_texts.recipe.question_prompt == "the question: "


@pytest.mark.parametrize("name", ["Bert", "MPNet", "XLMRoberta"])
def test_stored_ids_give_the_ids_of_the_joined_text(name: str, parity: Any, tmp_path: Path) -> None:
    module, _ = parity.ours(
        parity.transformer(tmp_path / "start", name), tmp_path / "t", pooling="mean",
        passage_prompt="a passage: ",
    )  # fmt: skip
    # two spaces where parts meet are a piece of some vocabularies
    texts = [text.strip() or "fox" for text in parity.texts]
    heads, bodies = module.tokenizer.encode(parity.titles), module.tokenizer.encode(texts)
    stored = [module.passage_ids(heads.of(n), bodies.of(n)) for n in range(len(texts))]
    found = module.passage_texts.passages(parity.titles, texts)
    assert [one.tolist() for one in stored] == [one.tolist() for one in found]


@pytest.mark.parametrize("name", ["Bert", "Roberta", "XLMRoberta"])
def test_a_long_title_keeps_a_quarter(name: str, parity: Any, tmp_path: Path) -> None:
    module, _ = parity.ours(
        parity.transformer(tmp_path / "start", name), tmp_path / "t", pooling="mean",
        passage_prompt="fox: ",
    )  # fmt: skip
    title, texts = "the dog " * 60, ["whale " * 60, "fox " * 60]
    found = module.passage_texts.passages([title] * 2, texts)
    assert [len(one) for one in found] == [64, 64]
    assert found[0].tolist() != found[1].tolist()
    same = int((found[0] == found[1]).sum())
    assert same <= 2 + len(module.tokenizer.inner.encode("fox: ").ids) + 64 // 4
    assert module.passage_texts.truncated(["x"] * 2, ["whale " * 70, "fox"]) == 1
