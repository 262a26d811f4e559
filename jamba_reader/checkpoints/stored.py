"""A checked checkpoint, which is read tensor by tensor."""

from pathlib import Path

import safetensors
import torch
from torch import Tensor

from jamba_reader.checkpoints.files import (
    CONFIG,
    QUANTIZATION,
    SMALL_FILES,
    dtype_name,
    read_config,
    stored_tensors,
)
from jamba_reader.checkpoints.names import (
    EMBEDDING,
    LM_HEAD,
    TensorSpec,
    View,
    stored_views,
    tensor_specs,
    whole_shape,
)
from jamba_reader.ops.row_quantisation.format import METHOD
from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.manifest import MANIFEST
from spider.encoders.weights import report_misfit
from spider.errors import CheckpointError

#: data types that weights may have: names in safetensors, and types in torch
DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
}  # fmt: skip
STORED_KINDS = {"float": tuple(DTYPES), "int8": ("I8",), "scale": ("F32",)}


class Checkpoint:
    """A checkpoint whose files contain exactly the tensors of its configuration.

    Args:
        folder: a folder with ``config.json`` and safetensors in any layout, for instance a reader
            artifact.

    Attributes:
        folder: the folder.
        config: shape of the model, with every token that ends a text.
        quantization: the int8 weights in the files; None if there are none.
        specs: the tensors by their names in the layout on the hub, in the model's order.

    Raises:
        CheckpointError: the folder is not a checkpoint, is damaged, or has other tensors than the
            model.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._artifact = (
            open_artifact(folder, kind="reader") if (folder / MANIFEST).is_file() else None
        )
        self.config, self.quantization = read_config(folder)
        self.specs = tensor_specs(self.config, self.quantization)
        self._stored = stored_tensors(folder)
        self._views, unexpected = stored_views(self._stored, self.specs.values(), self.config)
        self._extra_head = self._take_tied_head(unexpected)
        self._check_quantization()
        self._check(unexpected)
        if self._artifact is not None:
            self._artifact.require_current()

    @property
    def dtype(self) -> torch.dtype:
        """The data type to load: the one in ``config.json``, otherwise that of the embedding."""
        names = {dtype_name(dtype): dtype for dtype in DTYPES.values()}
        named = names.get(self.config.stored_dtype or "")
        return named or DTYPES[self._stored[self._views[EMBEDDING].name].dtype]

    @property
    def nbytes(self) -> int:
        """Size of all tensors in bytes."""
        return sum(s.elements * self.dtype_of(s.name).itemsize for s in self.specs.values())

    @property
    def weight_files(self) -> list[Path]:
        """The files that contain tensors."""
        return sorted({stored.file for stored in self._stored.values()})

    @property
    def small_files(self) -> list[Path]:
        """The files of configuration and tokenizer that exist."""
        return [self.folder / name for name in SMALL_FILES if (self.folder / name).is_file()]

    def dtype_of(self, name: str) -> torch.dtype:
        """Return the data type in which a tensor is stored."""
        code = self._stored[self._views[name].name].dtype
        return torch.int8 if code == "I8" else DTYPES[code]

    def read(self, name: str) -> Tensor:
        """Read one tensor and close its file, so that nothing else of it stays in memory.

        The result may be memory-mapped: copy it before the next tensor is read.

        Raises:
            CheckpointError: the file cannot be read.
        """
        view = self._views[name]
        return self._read(self._stored[view.name].file, view)

    def check_tied_head(self) -> None:
        """Check a stored head that is tied to the embedding.

        Raises:
            CheckpointError: the head differs from the embedding.
        """
        if self._extra_head is None:
            return
        head = self._read(self._stored[self._extra_head].file, View(self._extra_head))
        if not torch.equal(head, self.read(EMBEDDING)):
            raise CheckpointError(
                f"{self.folder}: tie_word_embeddings is true but {LM_HEAD} differs from "
                f"{EMBEDDING}; set it to false in {CONFIG}"
            )

    def _take_tied_head(self, unexpected: list[str]) -> str | None:
        if not self.config.tie_word_embeddings or LM_HEAD not in unexpected:
            return None
        unexpected.remove(LM_HEAD)
        return LM_HEAD

    def _check_quantization(self) -> None:
        """Refuse float weights that a configuration calls int8, as one made for vLLM does."""
        named = [spec.name for spec in self.specs.values() if spec.kind == "int8"]
        stored = [self._stored[self._views[name].name] for name in named if name in self._views]
        if stored and all(part.dtype in STORED_KINDS["float"] for part in stored):
            raise CheckpointError(
                f"{self.folder / CONFIG} has quant_method {METHOD!r}, but the weights are "
                f"{stored[0].dtype}: vLLM means by this name to quantise while it loads; remove "
                f"{QUANTIZATION} from {CONFIG}, and set experts_int8=true to do so here"
            )

    def _check(self, unexpected: list[str]) -> None:
        missing = [name for name in self.specs if name not in self._views]
        wrong: dict[str, None] = {}
        for name, view in self._views.items():
            if problem := self._misfit(self.specs[name], view):
                wrong[problem] = None
        if LM_HEAD in missing:
            missing[missing.index(LM_HEAD)] += " (tie_word_embeddings is false)"
        report_misfit(missing, unexpected, list(wrong), self.folder)

    def _misfit(self, spec: TensorSpec, view: View) -> str:
        stored = self._stored[view.name]
        expected = whole_shape(view, spec, self.config)
        if stored.shape != expected:
            return f"{view.name} is {stored.shape}, expected {expected}"
        if stored.dtype not in STORED_KINDS[spec.kind]:
            kinds = " or ".join(STORED_KINDS[spec.kind])
            return f"{view.name} is stored as {stored.dtype}, expected {kinds}"
        return ""

    def _read(self, file: Path, view: View) -> Tensor:
        try:
            with safetensors.safe_open(file, framework="pt") as opened:
                if view.expert is None:
                    tensor: Tensor = opened.get_tensor(view.name)
                elif view.stop is None:
                    tensor = opened.get_slice(view.name)[view.expert]
                else:
                    rows = slice(view.start, view.stop)
                    tensor = opened.get_slice(view.name)[view.expert, rows]
        except (OSError, safetensors.SafetensorError) as error:
            raise CheckpointError(f"{file}: cannot read {view.name} ({error})") from error
        if self._artifact is not None:
            self._artifact.require_current()
        return tensor
