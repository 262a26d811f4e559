"""What numba kernels of every package share: sixteen numbers side by side, and the processor."""
