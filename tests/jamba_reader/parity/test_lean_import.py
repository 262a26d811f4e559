"""The model runs where spider's own dependencies are not, as on a borrowed GPU."""

import subprocess
import sys

import pytest

RUN_WITHOUT = """
import sys

ABSENT = {"hydra", "omegaconf", "faiss", "pyarrow", "transformers", "accelerate", "tokenizers"}


class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Refuse())

import torch
from jamba_reader.config import JambaConfig
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.op import quantise_rows

config = JambaConfig(
    vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=1, num_experts=2, num_experts_per_tok=1, attn_layer_period=2,
    attn_layer_offset=1, mamba_d_state=4, mamba_dt_rank=1,
)
model = JambaLanguageModel(config, kernels="reference").eval()
logits = model.prefill([[1, 2, 3]], model.new_cache(1))
assert logits.isfinite().all()
assert not ABSENT & set(sys.modules), sorted(ABSENT & set(sys.modules))
"""


@pytest.mark.slow
def test_the_model_runs_without_the_rest_of_spider() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN_WITHOUT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
