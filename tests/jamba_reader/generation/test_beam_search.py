"""Beam search against the enumeration of every continuation of a tiny vocabulary."""

from itertools import product
from typing import Any

import pytest
import torch

from jamba_reader.config import JambaConfig
from jamba_reader.generation.generator import generate, stream
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments

VOCABULARY, END, LENGTH = 5, 2, 3
PROMPT = [3, 1, 4]


@pytest.fixture(scope="module")
def model() -> JambaLanguageModel:
    config = JambaConfig(
        vocab_size=VOCABULARY, hidden_size=8, intermediate_size=6, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, num_experts=1, attn_layer_period=2,
        attn_layer_offset=1, mamba_d_state=3, mamba_dt_rank=2, eos_token_ids=(END,),
    )  # fmt: skip
    model = JambaLanguageModel(config).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if not name.endswith(("A_log", "layernorm.weight")):
                weight.normal_(std=0.7, generator=generator)
    return model


@torch.no_grad()
def every_continuation(model: JambaLanguageModel) -> dict[tuple[int, ...], list[float]]:
    """Return the log-probabilities of each continuation that ends, or has full length."""
    found = {}
    for tokens in product(range(VOCABULARY), repeat=LENGTH):
        if END in tokens:
            tokens = tokens[: tokens.index(END) + 1]
        text = torch.tensor([*PROMPT, *tokens])
        rows = torch.arange(len(PROMPT) - 1, len(text) - 1)
        logits = model(text, Segments([len(text)]), rows=rows).logits
        scores = logits.log_softmax(-1)
        found[tokens] = [float(scores[n, token]) for n, token in enumerate(tokens)]
    return found


@pytest.mark.parametrize("length_penalty", [0.0, 1.0, 2.0])
def test_a_search_that_is_wide_enough_finds_the_best(
    model: JambaLanguageModel, length_penalty: float
) -> None:
    every = every_continuation(model)
    ranked = sorted(every, key=lambda tokens: -sum(every[tokens]) / len(tokens) ** length_penalty)
    settings = GenerationSettings(
        beams=VOCABULARY**LENGTH, samples=4, max_new_tokens=LENGTH,
        length_penalty=length_penalty, early_stopping="never",
    )  # fmt: skip
    found = generate(model, [PROMPT], settings)
    assert [one.tokens for one in found] == ranked[:4]
    for one in found:
        assert list(one.log_probabilities) == pytest.approx(every[one.tokens], abs=1e-4)
        expected = sum(every[one.tokens]) / len(one.tokens) ** length_penalty
        assert one.score == pytest.approx(expected, abs=1e-4)


def test_one_step_keeps_the_best_tokens(model: JambaLanguageModel) -> None:
    with torch.no_grad():
        logits = model(torch.tensor(PROMPT), Segments([3])).logits[0]
    found = generate(model, [PROMPT], GenerationSettings(beams=3, samples=3, max_new_tokens=1))
    assert [one.tokens[0] for one in found] == logits.topk(3).indices.tolist()


def test_prompts_are_searched_independently(model: JambaLanguageModel) -> None:
    prompts = [PROMPT, [1], [4, 4, 0, 1]]
    settings = GenerationSettings(beams=3, samples=2, max_new_tokens=6)
    together = generate(model, prompts, settings)
    for number, prompt in enumerate(prompts):
        alone = generate(model, [prompt], settings)
        found = [one for one in together if one.prompt == number]
        assert [one.tokens for one in found] == [one.tokens for one in alone]


def test_a_finished_beam_is_replayed_token_by_token(model: JambaLanguageModel) -> None:
    options: dict[str, Any] = {"beams": 3, "samples": 2, "max_new_tokens": 5}
    found = generate(model, [PROMPT], GenerationSettings(**options))
    pieces = list(stream(model, [PROMPT], GenerationSettings(**options)))
    for one in found:
        mine = [piece for piece in pieces if piece.sample == one.sample]
        assert tuple(piece.token for piece in mine) == one.tokens
        assert [piece.finished for piece in mine] == [None] * (len(mine) - 1) + [one]
