"""Checks and measures the Jamba engine on a GPU: ``python -m benchmarks.jamba_gpu``."""
