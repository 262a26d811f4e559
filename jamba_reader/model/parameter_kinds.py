"""The kind of a parameter, which decides its initialisation and its weight decay."""

from enum import Enum


class ParameterKind(Enum):
    """The kinds of parameters."""

    MATRIX = "a projection, a convolution, a router, an expert, the head"
    EMBEDDING = "the table of token vectors, and the head if it is tied to the table"
    DECAY = "A_log, the decay rates of the states"
    SKIP = "D, the skip connection past the state"
    NORM = "the weight of a normalisation"
    BIAS = "a bias"


def kind_of(name: str) -> ParameterKind:
    """Return the kind of a parameter from its name in ``JambaLanguageModel``."""
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
