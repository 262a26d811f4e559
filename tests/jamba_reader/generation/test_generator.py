"""Generation against transformers and against full re-forwarding; batches, samples and streams."""

import copy
import logging
from typing import Any

import numpy as np
import pytest
import torch
from transformers import JambaConfig as TheirConfig
from transformers import JambaForCausalLM

from jamba_reader.cache.cache import Cache
from jamba_reader.config import JambaConfig
from jamba_reader.constraints.text_spans import TextSpanConstraint
from jamba_reader.generation.generator import generate, stream
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from jamba_reader.tokenization.token_bytes import TokenBytes
from spider.errors import CheckpointError, ConfigError, DataError

SHAPE: dict[str, Any] = {
    "vocab_size": 99,
    "hidden_size": 16,
    "intermediate_size": 20,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_experts": 2,
    "num_experts_per_tok": 1,
    "attn_layer_period": 3,
    "attn_layer_offset": 1,
    "mamba_d_state": 4,
    "mamba_dt_rank": 3,
}
PROMPTS = [[5, 17, 42, 8], [3], [70, 71, 5, 5, 9, 11, 60]]


@pytest.fixture(scope="module")
def theirs() -> JambaForCausalLM:
    torch.manual_seed(0)
    model = JambaForCausalLM(
        TheirConfig(**SHAPE, use_mamba_kernels=False, eos_token_id=2, attn_implementation="eager")
    ).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            # weights that give sharp, varied distributions
            if name.endswith("A_log"):
                weight.add_(0.3 * torch.randn_like(weight))
            elif weight.dim() == 1:
                weight.add_(0.2 * torch.randn_like(weight))
            else:
                weight.normal_(std=0.25)
    return model


@pytest.fixture(scope="module")
def model(theirs: JambaForCausalLM) -> JambaLanguageModel:
    ours = JambaLanguageModel(JambaConfig.from_mapping({**SHAPE, "model_type": "jamba"}))
    ours.load_state_dict(theirs.state_dict())
    return ours.eval()


class Letters(TokenBytes):
    """Token 10 + n is the n-th of some characters; the others add nothing."""

    def __init__(self) -> None:
        pieces = [chr(97 + n).encode() for n in range(26)] + [b" ", b"ab", b" c", b"\xc3", b"\xa9"]
        self.table = [b""] * 10 + pieces * 2
        self.special_ids = {"<end>": 2}


LETTERS = Letters()


def greedy_by_full_forward(theirs: JambaForCausalLM, prompt: list[int], count: int) -> list[int]:
    tokens = list(prompt)
    while len(tokens) < len(prompt) + count:
        with torch.no_grad():
            logits = theirs(torch.tensor([tokens]), use_cache=False).logits
        tokens.append(int(logits[0, -1].argmax()))
        if tokens[-1] == 2:
            break
    return tokens[len(prompt) :]


def test_greedy_is_that_of_full_forwards(
    theirs: JambaForCausalLM, model: JambaLanguageModel
) -> None:
    found = generate(model, PROMPTS, GenerationSettings(max_new_tokens=64, chunk_tokens=3))
    for prompt, one in zip(PROMPTS, found, strict=True):
        assert list(one.tokens) == greedy_by_full_forward(theirs, prompt, 64)
        assert one.finish_reason == ("end" if one.tokens[-1] == 2 else "length")
        packed = torch.tensor([*prompt, *one.tokens])
        rows = torch.arange(len(prompt) - 1, len(packed) - 1)
        logits = model(packed, Segments([len(packed)]), rows=rows).logits.detach()
        expected = logits.log_softmax(1)[range(len(rows)), list(one.tokens)]
        torch.testing.assert_close(torch.tensor(one.log_probabilities), expected)


@pytest.mark.parametrize(
    ("beams", "options"),
    [
        (2, {}),
        (4, {"length_penalty": 2.0}),
        (4, {"length_penalty": -1.0, "early_stopping": True}),
        (3, {"early_stopping": "never"}),
        (3, {"repetition_penalty": 1.4, "min_new_tokens": 4}),
        (3, {"eos_token_id": [2, 40, 41, 42, 43, 44, 45]}),
        (3, {"eos_token_id": list(range(30, 60)), "early_stopping": True, "length_penalty": 0.0}),
    ],
)
def test_beams_are_transformers_beams(
    theirs: JambaForCausalLM, model: JambaLanguageModel, beams: int, options: dict[str, Any]
) -> None:
    ends = options.get("eos_token_id", [2])
    ours = {name: value for name, value in options.items() if name != "eos_token_id"}
    settings = GenerationSettings(
        max_new_tokens=12, beams=beams, samples=2, end_ids=tuple(ends), **ours
    )
    found = generate(model, PROMPTS, settings)
    for number, prompt in enumerate(PROMPTS):
        expected = theirs.generate(
            torch.tensor([prompt]),
            max_new_tokens=12,
            num_beams=beams,
            num_return_sequences=2,
            do_sample=False,
            output_scores=True,
            return_dict_in_generate=True,
            pad_token_id=0,
            **{"eos_token_id": 2, **options},
        )
        for one, row, score in zip(
            [one for one in found if one.prompt == number],
            expected.sequences[:, len(prompt) :].tolist(),
            expected.sequences_scores.tolist(),
            strict=True,
        ):
            assert list(one.tokens) == row[: len(one.tokens)]
            # theirs pads with the first end token where the padding token is number 0
            assert set(row[len(one.tokens) :]) <= {0, ends[0]}
            assert one.score == pytest.approx(score, rel=1e-4)


DRAWN = GenerationSettings(
    max_new_tokens=14,
    temperature=1.1,
    top_k=60,
    top_p=0.95,
    repetition_penalty=1.2,
    samples=3,
    seed=7,
    end_ids=(2, 30, 31, 32),
)


def test_a_row_does_not_depend_on_its_neighbours(model: JambaLanguageModel) -> None:
    together = generate(model, PROMPTS, DRAWN)
    assert len({one.tokens for one in together}) == 9
    assert {one.finish_reason for one in together} == {"end", "length"}
    for number, prompt in enumerate(PROMPTS):
        alone = generate(model, [prompt], DRAWN)
        for one, other in zip(together[3 * number : 3 * number + 3], alone, strict=True):
            assert one.tokens == other.tokens
            assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-4)
    assert [one.tokens for one in generate(model, PROMPTS[::-1], DRAWN)[:3]] == [
        one.tokens for one in together[6:]
    ]


@pytest.mark.parametrize("beams", [1, 3])
def test_streamed_text_is_the_text(model: JambaLanguageModel, beams: int) -> None:
    stops = ("m", "zz", "e" if beams > 1 else "qa")
    settings = GenerationSettings(
        max_new_tokens=40,
        temperature=0.0 if beams > 1 else 1.5,
        samples=2,
        beams=beams,
        stop=stops,
        include_stop=beams > 1,
    )
    shown: dict[tuple[int, int], str] = {}
    tokens: dict[tuple[int, int], list[int]] = {}
    ended = {}
    for piece in stream(model, PROMPTS, settings, vocabulary=LETTERS):
        key = (piece.prompt, piece.sample)
        assert key not in ended
        shown[key] = shown.get(key, "") + piece.text
        tokens.setdefault(key, []).append(piece.token if piece.token is not None else -1)
        if piece.finished is not None:
            ended[key] = piece.finished
    whole = generate(model, PROMPTS, settings, vocabulary=LETTERS)
    assert sorted(ended.values()) == whole
    for one in whole:
        key = (one.prompt, one.sample)
        assert shown[key] == one.text
        assert tuple(tokens[key]) == one.tokens
        spelled = LETTERS.join(one.tokens).decode(errors="replace")
        met = [stop for stop in stops if stop in spelled]
        assert (one.finish_reason == "stop") == bool(met)
        if not met:
            assert one.text == spelled
        elif beams > 1:
            assert one.text.endswith(met[0])
        else:
            assert not any(stop in one.text for stop in stops)
    assert any(one.finish_reason == "stop" for one in whole)


def test_no_end_before_the_fewest_tokens(model: JambaLanguageModel) -> None:
    ends = tuple(range(10, 99))
    settings = GenerationSettings(max_new_tokens=9, min_new_tokens=5, end_ids=ends)
    for one in generate(model, PROMPTS, settings):
        assert len(one.tokens) >= 5
        assert not set(one.tokens[:5]) & set(ends)


@pytest.mark.parametrize(
    "options", [{}, {"temperature": 2.0, "samples": 4}, {"beams": 4, "samples": 3}]
)
def test_constrained_text_is_a_span_of_a_document(
    model: JambaLanguageModel, options: dict[str, Any]
) -> None:
    documents = ["the cat sat on a mat", "abc é cab", "a cat is no dog"]
    constraint = TextSpanConstraint(documents, LETTERS, fewest_characters=3)
    settings = GenerationSettings(max_new_tokens=30, **options)
    for one in generate(model, PROMPTS, settings, vocabulary=LETTERS, constraint=constraint):
        assert one.finish_reason in ("end", "length", "constraint")
        if one.finish_reason == "end":
            assert len(one.text) >= 3
        (quote,) = one.quotes
        assert quote.text == one.text
        assert documents[quote.document][quote.start : quote.end] == one.text
        assert quote.closed


def test_answer_and_quote_in_one_text(model: JambaLanguageModel) -> None:
    documents = ["the cat sat on a mat", "a cat is no dog"]
    constraint = TextSpanConstraint(
        documents, LETTERS, opening="a", closing="q", fewest_characters=2, fewest_quotes=1
    )
    settings = GenerationSettings(max_new_tokens=60, temperature=3.0, samples=6, seed=1)
    found = generate(model, PROMPTS, settings, vocabulary=LETTERS, constraint=constraint)
    quotes = [quote for one in found for quote in one.quotes]
    assert any(quote.closed for quote in quotes)
    for one in found:
        for quote in one.quotes:
            assert documents[quote.document][quote.start : quote.end] == quote.text
            assert f"a{quote.text}" in one.text
        if one.finish_reason == "end":
            assert one.quotes[0].closed


def test_a_text_that_can_go_nowhere_is_over(model: JambaLanguageModel) -> None:
    class Narrow(Letters):
        def __init__(self) -> None:
            super().__init__()
            self.table = [b"x" if text == b"x" else b"" for text in self.table]

    constraint = TextSpanConstraint(["xxy"], Narrow(), fewest_characters=3)
    for beams in (1, 2):
        settings = GenerationSettings(max_new_tokens=9, beams=beams)
        (one,) = generate(model, [[5]], settings, vocabulary=Narrow(), constraint=constraint)
        assert (one.finish_reason, one.text) == ("constraint", "xx")


def test_bad_input_is_one_line(model: JambaLanguageModel) -> None:
    settings = GenerationSettings(max_new_tokens=2)
    assert generate(model, [], settings) == []
    with pytest.raises(DataError, match="prompt 2 of 2 is empty"):
        generate(model, [[1], []], settings)
    with pytest.raises(DataError, match="token id 99, expected 0 to 98"):
        generate(model, [[1, 99]], settings)
    with pytest.raises(ConfigError, match="ids from 0 to 98"):
        generate(model, [[1]], GenerationSettings(end_ids=(518,)))
    with pytest.raises(ConfigError, match="stop strings need"):
        generate(model, [[1]], GenerationSettings(stop=("x",)))
    with pytest.raises(ConfigError, match="more memory than there is"):
        generate(model, [[1]], GenerationSettings(max_new_tokens=10**12))


def test_longer_than_the_model_is_made_for_is_said_once(
    theirs: JambaForCausalLM, caplog: pytest.LogCaptureFixture
) -> None:
    shape = {**SHAPE, "model_type": "jamba", "max_position_embeddings": 6}
    short = JambaLanguageModel(JambaConfig.from_mapping(shape))
    short.load_state_dict(theirs.state_dict())
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            generate(short, [[1, 2, 3]], GenerationSettings(max_new_tokens=4))
    assert [record.getMessage()[:33] for record in caplog.records] == [
        "a prompt and its continuation are"
    ]
    assert short.training


def test_frequencies_of_draws_are_the_models(model: JambaLanguageModel) -> None:
    settings = GenerationSettings(max_new_tokens=1, temperature=1.0, samples=3000, end_ids=())
    found = generate(model, [[5, 6]], settings)
    logits = model(torch.tensor([5, 6]), Segments([2])).logits.detach()
    counts = np.bincount([one.tokens[0] for one in found], minlength=99) / 3000
    # five standard deviations of a frequency
    np.testing.assert_allclose(counts, logits[0].softmax(0).numpy(), atol=5 * 0.5 / 3000**0.5)


@pytest.mark.parametrize("options", [{}, {"samples": 2, "temperature": 1.0}, {"beams": 2}], ids=str)
def test_room_for_the_continuation_is_made_once(
    model: JambaLanguageModel, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """Growing by half after the prompt would take more than was said beforehand."""
    made: list[Cache] = []

    def new_cache(*sizes: int) -> Cache:
        made.append(JambaLanguageModel.new_cache(model, *sizes))
        return made[-1]

    monkeypatch.setattr(model, "new_cache", new_cache)
    settings = GenerationSettings(max_new_tokens=3, end_ids=(), **options)
    generate(model, [[5, 17] * 60], settings)
    assert [memory.capacity for memory in made[0].memories.values()] == [123]


@pytest.mark.parametrize("options", [{}, {"temperature": 1.0}, {"beams": 2}], ids=str)
def test_scores_that_are_no_numbers_are_told(
    model: JambaLanguageModel, options: dict[str, Any]
) -> None:
    damaged = copy.deepcopy(model)
    with torch.no_grad():
        damaged.lm_head.weight[3, 0] = torch.nan
    with pytest.raises(CheckpointError, match="scores are not numbers"):
        generate(damaged, [[1, 2]], GenerationSettings(max_new_tokens=2, **options))
