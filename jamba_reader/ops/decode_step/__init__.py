"""One more token of each sequence on a CPU, in one numba call between attention layers."""
