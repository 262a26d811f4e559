"""What a parameter is, told by its name: how it starts and whether it decays follow from it."""

from enum import Enum


class ParameterKind(Enum):
    """Kinds of parameters."""

    MATRIX = "a projection, a convolution, a router, an expert, the head"
    EMBEDDING = "the table of token vectors, the head too where they are tied"
    DECAY = "A_log, the rates at which states forget"
    SKIP = "D, what passes by the state"
    NORM = "the weight of a normalisation"
    BIAS = "a bias"


def kind_of(name: str) -> ParameterKind:
    """Return the kind of a parameter of ``JambaLanguageModel.named_parameters()``."""
    parts = name.split(".")
    if parts[-1] == "A_log":
        return ParameterKind.DECAY
    if parts[-1] == "D":
        return ParameterKind.SKIP
    if parts[-1] == "bias":
        return ParameterKind.BIAS
    if len(parts) > 1 and parts[-2].endswith("layernorm"):
        return ParameterKind.NORM
    if "embed_tokens" in parts:
        return ParameterKind.EMBEDDING
    return ParameterKind.MATRIX
