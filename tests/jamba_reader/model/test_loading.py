"""Whatever the layout of the files, the same model; transformers' own files and ours."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from jamba_reader.checkpoints.names import LM_HEAD, tensor_specs
from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from spider.errors import CheckpointError, ConfigError

Write = Callable[..., Path]


def our_logits(model: JambaLanguageModel, tokens: Tensor) -> Tensor:
    length = tokens.shape[1]
    with torch.no_grad():
        return model(tokens[0], Segments([length]), rows=torch.arange(length)).logits


def assert_same_weights(ours: JambaLanguageModel, theirs: Any) -> None:
    expected, got = theirs.state_dict(), ours.state_dict()
    assert expected.keys() == got.keys()
    for name, weight in expected.items():
        assert torch.equal(weight, got[name]), name


@pytest.mark.parametrize("shard_size", ["5GB", "40kB"])
def test_what_transformers_saved_has_its_logits(tiny: Any, shard_size: str, tmp_path: Path) -> None:
    tiny.model.save_pretrained(tmp_path, max_shard_size=shard_size)
    assert (tmp_path / "model.safetensors").is_file() == (shard_size == "5GB")
    model = load_model(tmp_path, kernels="reference", progress=False)
    assert_same_weights(model, tiny.model)
    assert not model.training
    torch.testing.assert_close(
        our_logits(model, tiny.tokens), tiny.logits(tiny.model), atol=2e-5, rtol=1e-5
    )


def test_layout_on_the_hub(tiny: Any, weights: dict[str, Tensor], write: Write) -> None:
    assert_same_weights(load_model(write(weights), progress=False), tiny.model)


def test_fused_layout(tiny: Any, write: Write) -> None:
    folder = write(tiny.model.state_dict())
    assert_same_weights(load_model(folder, progress=False), tiny.model)


def test_legacy_layout(tiny: Any, weights: dict[str, Tensor], write: Write) -> None:
    routed = tiny.config().routed
    legacy = {}
    for name, weight in weights.items():
        old = name.replace("pre_ff_layernorm", "pre_moe_layernorm").replace("feed_forward", "moe")
        old = old.replace("b_layernorm", "B_layernorm").replace("c_layernorm", "C_layernorm")
        parts = old.split(".")
        if "moe" in parts and not routed[int(parts[2])]:
            old = old.replace(".moe.", ".moe.experts.0.")
        legacy[old] = weight
    assert "model.layers.0.moe.experts.0.gate_proj.weight" in legacy
    folder = write(legacy, mamba_inner_layernorms=True, n_ctx=262144)
    assert_same_weights(load_model(folder, progress=False), tiny.model)


def test_embeddings_may_be_tied_with_or_without_a_stored_head(tiny: Any, write: Write) -> None:
    theirs = tiny.new_model(tiny.config(tie_word_embeddings=True))
    stored = tiny.split(theirs.state_dict(), tiny.config(tie_word_embeddings=True))
    assert LM_HEAD not in stored
    embedding = stored["model.embed_tokens.weight"]
    for number, head in enumerate((None, embedding)):
        tensors = stored if head is None else {**stored, LM_HEAD: head}
        folder = write(tensors, name=f"tied{number}", tie_word_embeddings=True)
        model = load_model(folder, progress=False)
        assert model.lm_head.weight is model.model.embed_tokens.weight
        assert_same_weights(model, theirs)
    folder = write({**stored, LM_HEAD: embedding + 1}, name="other", tie_word_embeddings=True)
    with pytest.raises(
        CheckpointError, match=r"tie_word_embeddings is true but lm_head.weight differs"
    ):
        load_model(folder, progress=False)


def test_weights_are_converted_one_by_one(weights: dict[str, Tensor], write: Write) -> None:
    model = load_model(write(weights), dtype=torch.bfloat16, progress=False)
    assert model.dtype == torch.bfloat16
    name = "model.layers.0.mamba.A_log"
    assert torch.equal(model.state_dict()[name], weights[name].to(torch.bfloat16))
    narrow = {key: weight.to(torch.bfloat16) for key, weight in weights.items()}
    folder = write(narrow, name="narrow")
    assert load_model(folder, progress=False).dtype == torch.bfloat16
    wide = load_model(folder, dtype=torch.float32, progress=False)
    assert torch.equal(wide.state_dict()[name], narrow[name].float())


@pytest.mark.parametrize("key", ["dtype", "torch_dtype"])
def test_the_type_that_the_config_names_is_loaded(
    key: str, weights: dict[str, Tensor], write: Write
) -> None:
    folder = write(weights, **{key: "bfloat16"})
    model = load_model(folder, progress=False)
    assert model.dtype == torch.bfloat16
    save_model(model.float(), folder)
    assert load_model(folder, progress=False).dtype == torch.float32
    assert "torch_dtype" not in json.loads((folder / "config.json").read_text())
    folder = write(weights, name="odd", **{key: "float4"})
    assert load_model(folder, progress=False).dtype == torch.float32


def test_tensors_of_another_type_than_the_rest_take_the_models(
    weights: dict[str, Tensor], write: Write
) -> None:
    mixed = {key: weight.to(torch.bfloat16) for key, weight in weights.items()}
    name = "model.layers.0.mamba.A_log"
    mixed[name] = weights[name]
    model = load_model(write(mixed), dtype=torch.float32, progress=False)
    assert torch.equal(model.state_dict()[name], weights[name])


def test_weights_beyond_float16_are_refused(weights: dict[str, Tensor], write: Write) -> None:
    weights = {**weights, "model.final_layernorm.weight": torch.full((32,), 1e5)}
    with pytest.raises(CheckpointError, match=r"model.final_layernorm.weight has weights outside"):
        load_model(write(weights), dtype=torch.float16, progress=False)


def test_ends_of_text_of_the_generation_config_count_too(
    weights: dict[str, Tensor], write: Write
) -> None:
    folder = write(weights)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 18]}))
    assert load_model(folder, progress=False).config.eos_token_ids == (2, 18)


@pytest.mark.parametrize("max_shard_bytes", [20_000, 5_000_000_000])
def test_transformers_opens_what_we_save(
    tiny: Any, max_shard_bytes: int, tmp_path: Path, write: Write, weights: Any
) -> None:
    from transformers import JambaForCausalLM

    model = load_model(write(weights, of_next_year=[1]), progress=False)
    saved = tmp_path / "saved"
    save_model(model, saved, max_shard_bytes=max_shard_bytes)
    theirs = JambaForCausalLM.from_pretrained(saved, **tiny.plain)
    assert torch.equal(tiny.logits(theirs.eval()), tiny.logits(tiny.model))
    assert_same_weights(load_model(saved, progress=False), tiny.model)
    written = json.loads((saved / "config.json").read_text())
    assert written["of_next_year"] == [1]
    assert written["dtype"] == "float32"


def test_saved_names_are_those_on_the_hub(tiny: Any, tmp_path: Path) -> None:
    model = JambaLanguageModel(tiny.config(), dtype=torch.bfloat16)
    save_model(model, tmp_path / "saved")
    with safe_open(tmp_path / "saved" / "model.safetensors", "pt") as opened:
        assert set(opened.keys()) == set(tensor_specs(tiny.config()))
        assert opened.metadata() == {"format": "pt"}
        assert opened.get_tensor(LM_HEAD).dtype == torch.bfloat16


def test_saving_again_replaces_what_was_there(tiny: Any, tmp_path: Path) -> None:
    first = JambaLanguageModel(tiny.config())
    save_model(first, tmp_path, max_shard_bytes=20_000)
    for other in ("tokenizer.json", "adapter.safetensors"):
        (tmp_path / other).write_text("{}")
    second = JambaLanguageModel(tiny.config(num_hidden_layers=2))
    save_model(second, tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "adapter.safetensors"}
    assert_same_weights(load_model(tmp_path, progress=False), second)


def test_more_weights_than_memory(
    weights: dict[str, Tensor], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jamba_reader.model.memory_budget.available_memory", lambda: 1 << 20)
    with pytest.raises(
        ConfigError, match=r"the weights need .* in float32, 1 MiB are available on cpu"
    ):
        load_model(write(weights), progress=False)
