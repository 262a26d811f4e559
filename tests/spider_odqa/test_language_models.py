from pathlib import Path

import pytest
import torch

from jamba_reader.config import JambaConfig
from jamba_reader.model.loading import save_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.tokenization.vocabulary import save_vocabulary, train_vocabulary
from spider.errors import CheckpointError
from spider_odqa import load_model


def test_a_checkpoint_folder_becomes_a_model_that_generates(tmp_path: Path) -> None:
    vocabulary = train_vocabulary(["The heron is a grey bird."], vocabulary_size=280)
    config = JambaConfig(
        vocab_size=vocabulary.get_vocab_size(),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        num_experts=2,
        attn_layer_period=2,
        attn_layer_offset=1,
        mamba_d_state=4,
        mamba_dt_rank=2,
    )
    network = JambaLanguageModel(config)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(std=0.1, generator=torch.Generator().manual_seed(0))
    save_model(network, tmp_path)
    save_vocabulary(vocabulary, tmp_path)
    model = load_model(tmp_path, device="cpu")
    cache = model.new_cache(2)
    logits = model.prefill([model.encode("The heron"), model.encode("A")], cache)
    assert logits.shape == (2, config.vocab_size)
    assert torch.isfinite(logits).all()
    first = model.generate("The heron", max_new_tokens=4)
    assert 1 <= len(first.tokens) <= 4
    assert model.generate(model.encode("The heron"), max_new_tokens=4).tokens == first.tokens


def test_a_missing_checkpoint_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="none: no such folder"):
        load_model(tmp_path / "none")
