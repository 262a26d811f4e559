"""Kernels for a CPU, in numba."""
