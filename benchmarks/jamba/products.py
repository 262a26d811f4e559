"""The matrix products of a prefill alone, a lower bound of its time.

Same weights, same shapes, same data type, as many rows for each expert as the router sent there;
outputs go to memory that is there already, so that not even an allocation is counted.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments

MAMBA = ("mamba.in_proj", "mamba.x_proj", "mamba.dt_proj", "mamba.out_proj")
ATTENTION = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj")
DENSE = ("gate", "up", "down")


class Product(NamedTuple):
    """``[rows, input] @ weight.T``."""

    rows: int
    weight: Tensor

    @property
    def flops(self) -> int:
        """Multiplications and additions."""
        return 2 * self.rows * self.weight.numel()


def expert_loads(model: JambaLanguageModel, ids: Tensor, chunk: int) -> list[list[list[int]]]:
    """Return how many rows each expert gets, by chunk and by routed layer."""
    cache = model.new_cache(1, len(ids))
    loads = []
    for part in torch.split(ids, chunk):
        _, routers = model.hidden_states(part, Segments([len(part)]), cache)
        chosen = [r.topk(model.config.num_experts_per_tok).indices.flatten() for r in routers]
        loads.append([c.bincount(minlength=model.config.num_experts).tolist() for c in chosen])
    return loads


def products(
    model: JambaLanguageModel, length: int, chunk: int, loads: Sequence[Sequence[Sequence[int]]]
) -> list[Product]:
    """Return the products of one sequence's prefill in the order in which they run."""
    weights, found = model.state_dict(), []
    for number, start in enumerate(range(0, length, chunk)):
        rows = min(chunk, length - start)
        routed = iter(loads[number])
        for index, mixer in enumerate(model.config.mixers):
            prefix = f"model.layers.{index}."
            names = ATTENTION if mixer == "attention" else MAMBA
            found += [Product(rows, weights[f"{prefix}{name}.weight"]) for name in names]
            prefix += "feed_forward."
            if not model.config.routed[index]:
                found += [Product(rows, weights[f"{prefix}{name}_proj.weight"]) for name in DENSE]
                continue
            found.append(Product(rows, weights[f"{prefix}router.weight"]))
            for expert, load in enumerate(next(routed)):
                for name in ("gate_up_proj", "down_proj"):
                    found.append(Product(load, weights[f"{prefix}experts.{name}"][expert]))
    found.append(Product(1, weights["lm_head.weight"]))
    return found


class Replay:
    """Runs products, and the attention of a whole prompt, again and again.

    Args:
        todo: the products.
    """

    def __init__(self, todo: Sequence[Product]):
        self.todo = [product for product in todo if product.rows]
        like = self.todo[0].weight
        draw = torch.Generator(like.device).manual_seed(0)
        self.outputs = like.new_empty(max(p.rows * p.weight.shape[0] for p in self.todo))
        self.inputs = like.new_empty(max(p.rows * p.weight.shape[1] for p in self.todo))
        self.inputs.normal_(generator=draw)

    @property
    def flops(self) -> int:
        """Multiplications and additions of all products."""
        return sum(product.flops for product in self.todo)

    def run(self) -> None:
        """Do every product once."""
        for rows, weight in self.todo:
            outputs, inputs = weight.shape
            x = self.inputs[: rows * inputs].view(rows, inputs)
            y = self.outputs[: rows * outputs].view(rows, outputs)
            torch.mm(x, weight.t(), out=y)


class AttentionReplay:
    """Causal attention over a whole prompt in every attention layer, as torch does it best.

    Args:
        model: whose shape and data type are used.
        length: tokens of the prompt.
    """

    def __init__(self, model: JambaLanguageModel, length: int):
        config = model.config
        self.layers = config.mixers.count("attention")
        shape = (1, config.num_attention_heads, length, config.head_dim)
        draw = torch.Generator(model.device).manual_seed(0)
        self.query, self.key, self.value = (
            torch.empty(shape, device=model.device, dtype=model.dtype).normal_(generator=draw)
            for _ in range(3)
        )

    def run(self) -> None:
        """Attend once in each layer."""
        for _ in range(self.layers):
            functional.scaled_dot_product_attention(
                self.query, self.key, self.value, is_causal=True
            )
