"""ExpertsInt8: feed-forward weights as int8 with one scale per output row.

Weight-only and symmetric, computed while loading, no calibration (Jamba-1.5, arXiv:2408.12570,
section 3.1): ``s = max|W| / 127`` over a row, ``q = clamp(round(W / s), -127, 127)``, so that
``|W - q*s| <= s/2``. All of it in float32, whatever dtype the weights come in: scales rounded to
bfloat16 would add half as much error again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spider.errors import CheckpointError

METHOD = "experts_int8"


@dataclass(frozen=True, kw_only=True)
class ExpertsInt8:
    """Which feed-forward parts are int8: the experts always, the dense ones if asked.

    Attributes:
        dense: whether the feed-forward parts of layers without experts are int8 too.
    """

    dense: bool = False

    def to_mapping(self) -> dict[str, Any]:
        """Return what ``config.json`` holds under ``quantization_config``."""
        return {"quant_method": METHOD, "dense": self.dense}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "ExpertsInt8":
        """Read ``quantization_config`` of a ``config.json``.

        Raises:
            CheckpointError: it describes another quantisation, or ``dense`` is no boolean.
        """
        method, dense = values.get("quant_method"), values.get("dense", False)
        if method != METHOD:
            raise CheckpointError(
                f"quantization_config.quant_method is {method!r}, expected {METHOD!r}: load the "
                "unquantised checkpoint and quantise it with spider quantize-reader"
            )
        if not isinstance(dense, bool):
            raise CheckpointError(f"quantization_config.dense is {dense!r}, expected true or false")
        return cls(dense=dense)
