"""The head of an encoder: everything between the transformer's states and the vector."""

from pathlib import Path

import safetensors.torch
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor, nn

from spider.encoders.transformer.pooling import pool
from spider.encoders.transformer.recipe import Dense, VectorRecipe
from spider.encoders.weights import check_weights, load_weights

SAFE_WEIGHTS = "model.safetensors"
OLD_WEIGHTS = "pytorch_model.bin"


class DenseLayer(nn.Module):
    """A linear layer, its activation, and its residual connection.

    The names of its weights are those of sentence-transformers.

    Args:
        step: its sizes.
    """

    def __init__(self, step: Dense):
        super().__init__()
        self.step = step
        self.linear = nn.Linear(step.inputs, step.outputs, bias=step.bias)
        self.activation: nn.Module = getattr(nn, step.activation)()
        if step.residual and step.inputs != step.outputs:
            self.residual = nn.Linear(step.inputs, step.outputs, bias=False)

    def forward(self, vectors: Float[Tensor, "texts inputs"]) -> Float[Tensor, "texts outputs"]:
        """Apply it."""
        result: Tensor = self.activation(self.linear(vectors))
        if self.step.residual:
            same = self.step.inputs == self.step.outputs
            result = result + (vectors if same else self.residual(vectors))
        return result


class VectorHead(nn.Module):
    """Pooling and the steps after it.

    Args:
        recipe: says which.
    """

    def __init__(self, recipe: VectorRecipe):
        super().__init__()
        self.recipe = recipe
        self.dense = nn.ModuleList(DenseLayer(step) for step in recipe.dense)

    def forward(
        self,
        states: Float[Tensor, "texts length hidden"],
        mask: Int64[Tensor, "texts length"],
        *,
        skipped: int = 0,
    ) -> Float32[Tensor, "texts dimension"]:
        """Return the vectors of padded texts.

        Args:
            states: the last states of the transformer.
            mask: 1 for a token, 0 for padding.
            skipped: tokens at the beginning that take no part in the pooling.
        """
        parts = [pool(states, mask, mode, skipped=skipped) for mode in self.recipe.pooling]
        return self.finish(torch.cat(parts, dim=1) if len(parts) > 1 else parts[0])

    def finish(self, vectors: Float[Tensor, "texts pooled"]) -> Float32[Tensor, "texts dimension"]:
        """Apply the steps after the pooling."""
        vectors = vectors.float()
        layers = iter(self.dense)
        for step in self.recipe.steps:
            if isinstance(step, Dense):
                vectors = next(layers)(vectors).float()
            else:
                vectors = nn.functional.normalize(vectors, dim=-1)
        if self.recipe.similarity == "cosine":
            vectors = nn.functional.normalize(vectors, dim=-1)
        return vectors


def load_dense(head: VectorHead, folders: tuple[Path, ...]) -> None:
    """Read the weights of the dense layers, one folder each.

    Raises:
        CheckpointError: they are missing, or have other shapes.
    """
    for layer, folder in zip(head.dense, folders, strict=True):
        old = folder / OLD_WEIGHTS
        path = (
            old if old.exists() and not (folder / SAFE_WEIGHTS).exists() else folder / SAFE_WEIGHTS
        )
        weights = load_weights(path)
        expected = {name: tuple(value.shape) for name, value in layer.state_dict().items()}
        check_weights(expected, weights, path)
        layer.load_state_dict({name: value.float() for name, value in weights.items()})


def save_dense(layer: nn.Module, folder: Path) -> None:
    """Write the weights of a dense layer."""
    weights = {name: value.cpu().contiguous() for name, value in layer.state_dict().items()}
    safetensors.torch.save_file(weights, folder / SAFE_WEIGHTS, metadata={"format": "pt"})
