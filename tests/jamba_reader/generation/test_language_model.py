"""A model with its tokenizer against the generator and the tokenizer by themselves."""

from pathlib import Path
from typing import Any

import pytest
import torch

from jamba_reader.config import JambaConfig
from jamba_reader.constraints.text_spans import TextSpanConstraint
from jamba_reader.generation.generator import generate
from jamba_reader.generation.language_model import LanguageModel
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.segments import Segments
from jamba_reader.tokenization.token_bytes import TokenBytes
from jamba_reader.tokenization.vocabulary import (
    BEGIN,
    END,
    UNKNOWN,
    load_vocabulary,
    save_vocabulary,
    train_vocabulary,
)
from spider.errors import CheckpointError, ConfigError, DataError

TEXT = "The heron is a grey bird.\nGröße – 東京 and a heron."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model with four experts, and the tokenizer of one text."""
    path = tmp_path_factory.mktemp("model")
    vocabulary = train_vocabulary([TEXT], vocabulary_size=280)
    shape = {
        "vocab_size": vocabulary.get_vocab_size(), "hidden_size": 16, "intermediate_size": 16,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
        "num_experts": 4, "attn_layer_period": 2, "attn_layer_offset": 1, "mamba_d_state": 4,
        "mamba_dt_rank": 2,
    }  # fmt: skip
    with torch.random.fork_rng():
        # weights that are not drawn below come from the global generator
        torch.manual_seed(0)
        model = JambaLanguageModel(JambaConfig(**shape))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() == 2 and not name.endswith("A_log"):
                weight.normal_(std=0.3, generator=generator)
    save_model(model, path)
    save_vocabulary(vocabulary, path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> LanguageModel:
    return LanguageModel.open(folder, device="cpu", progress=False)


def test_a_text_and_its_tokens_give_the_generators_result(
    model: LanguageModel, folder: Path
) -> None:
    tokenizer = load_vocabulary(folder)
    ids = tokenizer.encode("The heron").ids
    assert ids[0] == tokenizer.token_to_id(BEGIN)
    settings = GenerationSettings(max_new_tokens=9, min_new_tokens=9)
    bare = load_model(folder, progress=False)
    (expected,) = generate(bare, [ids], settings, vocabulary=TokenBytes(tokenizer))
    assert len(expected.tokens) == 9
    assert model.generate("The heron", max_new_tokens=9, min_new_tokens=9) == expected
    assert model.generate(ids, settings=settings) == expected
    longer = model.generate(ids, settings=settings, max_new_tokens=11)
    assert longer.tokens[:9] == expected.tokens
    assert len(longer.tokens) == 11


def test_several_prompts_come_back_in_order(model: LanguageModel) -> None:
    prompts = ["The heron", [5, 6, 7], "東京"]
    options: dict[str, Any] = {"max_new_tokens": 6, "temperature": 1.0, "samples": 2, "seed": 3}
    found = model.generate_many(prompts, **options)
    assert [(one.prompt, one.sample) for one in found] == [(p, s) for p in range(3) for s in (0, 1)]
    assert model.generate_many([]) == []
    first = model.generate("東京", **options)
    assert first.tokens == found[4].tokens
    pieces = list(model.stream(prompts, **options))
    for one in found:
        text = [p.text for p in pieces if (p.prompt, p.sample) == (one.prompt, one.sample)]
        assert "".join(text) == one.text


def test_a_cache_continues_from_what_was_read(model: LanguageModel) -> None:
    ids = model.encode("The heron is a grey bird")
    whole, parts = model.new_cache(), model.new_cache(1, 40)
    expected = model.prefill([ids], whole)
    model.prefill([ids[:7]], parts, chunk_tokens=3)
    torch.testing.assert_close(model.prefill([ids[7:]], parts), expected)
    assert parts.lengths == [len(ids)]
    (token,) = model.generate(ids, max_new_tokens=1).tokens
    assert token == int(expected.argmax())


def test_text_survives_encoding_and_decoding(model: LanguageModel) -> None:
    for text in (TEXT, "", " two  spaces", "x\udc80y"):
        ids = model.encode(text)
        assert model.decode(ids) == text.encode("utf-8", "replace").decode()
    assert model.encode(f"a{END}")[-1] == model.token_bytes.special_ids[END]


def test_a_stop_string_may_name_a_special_token(model: LanguageModel) -> None:
    """Its id ends the text, beside the model's own end-of-text tokens."""
    token = model.token_bytes.special_ids[UNKNOWN]
    head = model.model.lm_head.weight
    before = head.detach().clone()
    with torch.no_grad():
        head.zero_()
        # the head's row is the hidden state after the prompt, so this token has the best score
        hidden, _ = model.model.model(torch.tensor([5]), Segments([1]), None)
        head[token] = hidden[0]
    try:
        assert model.generate([5], stop=(UNKNOWN,), max_new_tokens=4).finish_reason == "end"
        assert model.generate([5], max_new_tokens=1).finish_reason == "length"
    finally:
        with torch.no_grad():
            head.copy_(before)


def test_a_constraint_gives_quotes(model: LanguageModel) -> None:
    constraint = TextSpanConstraint([TEXT], model.token_bytes, fewest_characters=5)
    found = model.generate("Which bird?", constraint=constraint, max_new_tokens=12)
    (quote,) = found.quotes
    assert TEXT[quote.start : quote.end] == quote.text == found.text
    assert len(quote.text) >= 5


def test_experts_can_be_quantised_while_loading(folder: Path) -> None:
    int8 = LanguageModel.open(folder, device="cpu", quantization=ExpertsInt8(), progress=False)
    assert int8.model.quantization == ExpertsInt8()
    assert any(buffer.dtype == torch.int8 for buffer in int8.model.buffers())
    assert int8.generate("The heron", max_new_tokens=3).tokens


def test_bad_input_is_refused(model: LanguageModel, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a list of prompts"):
        model.generate_many("The heron")
    with pytest.raises(ConfigError, match="max_new_tokens: got 0"):
        model.generate("The heron", max_new_tokens=0)
    with pytest.raises(TypeError, match="max_tokens"):
        model.generate("The heron", max_tokens=3)
    with pytest.raises(DataError, match="is empty"):
        model.generate([])
    with pytest.raises(CheckpointError, match="no such folder"):
        LanguageModel.open(tmp_path / "none")
    with pytest.raises(ConfigError, match="device=tpu9: expected auto"):
        LanguageModel.open(folder, device="tpu9")
    bare = tmp_path / "bare"
    bare.mkdir()
    for file in ("config.json", "model.safetensors"):
        (bare / file).write_bytes((folder / file).read_bytes())
    with pytest.raises(DataError, match="no tokenizer here"):
        LanguageModel.open(bare, device="cpu")


def test_a_prompt_has_one_begin_token(model: LanguageModel) -> None:
    begin = model.tokenizer.token_to_id(BEGIN)
    ids = model.encode("The heron")
    assert ids.count(begin) == 1
    assert model.encode(f"{BEGIN}The heron") == ids
    assert model.encode(BEGIN) == [begin]
    assert model.encode(f"{BEGIN}{BEGIN}The heron") == [begin, *ids]
    # one within the text is the person's own
    assert model.encode(f"a{BEGIN}b").count(begin) == 2
    assert model.generate(f"{BEGIN}The heron") == model.generate("The heron")
