"""Fixtures of every Jamba test: a tiny transformers model and its weights in every layout.

Triton's kernels are interpreted on the CPU in tests; that is decided when Triton is imported.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from jamba_reader.checkpoints.names import model_view, tensor_specs
from jamba_reader.config import JambaConfig

os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.fixture(autouse=True)
def _one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Models of a few numbers gain nothing from a second thread; kernels are tested with all."""
    threads = torch.get_num_threads()
    if "ops" not in request.path.parts:
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Tiny:
    """Shapes, models and weights for these tests.

    Attributes:
        tokens: what logits are compared on.
        plain: transformers' own plain implementations.
    """

    tokens = torch.tensor([[5, 3, 60, 17, 17, 2, 33, 8, 41]])
    plain: Mapping[str, str] = {
        "attn_implementation": "eager",
        "experts_implementation": "eager",
    }

    def config(self, **changes: Any) -> JambaConfig:
        shape = {
            "vocab_size": 64,
            "hidden_size": 32,
            "intermediate_size": 40,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "num_experts": 4,
            "attn_layer_period": 4,
            "attn_layer_offset": 2,
            "mamba_d_state": 8,
            "mamba_proj_bias": True,
        }
        return JambaConfig(**{**shape, **changes})

    @cached_property
    def model(self) -> Any:
        return self.new_model(self.config())

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """The tensors of the layout on the hub, cut out of transformers' fused ones."""
        return self.split(self.model.state_dict(), self.config())

    def new_model(self, config: JambaConfig) -> Any:
        """Return transformers' model with every weight random: ones and zeros hide mistakes."""
        from transformers import JambaConfig as TransformersConfig
        from transformers import JambaForCausalLM

        generator = torch.Generator().manual_seed(0)
        made = TransformersConfig(**config.to_mapping())
        model = JambaForCausalLM._from_config(made, **self.plain).eval()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                noise = torch.randn(weight.shape, generator=generator)
                ones = weight.ndim == 1 and not name.endswith("bias")
                weight.copy_(1 + 0.2 * noise if ones else 0.2 * noise)
        return model

    def logits(self, model: Any) -> Tensor:
        """Return a transformers model's logits of the tokens."""
        with torch.no_grad():
            return model(self.tokens, use_cache=False).logits[0]

    def split(self, state: Mapping[str, Tensor], config: JambaConfig) -> dict[str, Tensor]:
        found = {}
        for name in tensor_specs(config):
            view = model_view(name, config)
            tensor = state[view.name] if view.expert is None else state[view.name][view.expert]
            found[name] = tensor[view.start : view.stop].contiguous()
        return found


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture(scope="session")
def weights(tiny: Tiny) -> dict[str, Tensor]:
    return tiny.weights


@pytest.fixture
def write(tmp_path: Path, tiny: Tiny) -> Callable[..., Path]:
    """Return a function that writes a checkpoint of one file below ``tmp_path``."""

    def written(tensors: Mapping[str, Tensor], *, name: str = "model", **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        config = tiny.config().to_mapping() | changes
        (folder / "config.json").write_text(json.dumps(config))
        copies = {key: tensor.clone() for key, tensor in tensors.items()}
        save_file(copies, folder / "model.safetensors")
        return folder

    return written
