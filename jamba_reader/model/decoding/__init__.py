"""The decoding step of a model on a CPU: its weights as a table for one numba call."""
